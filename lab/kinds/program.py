"""Programs with an installer in the model; the installer really runs, as far as the model knows it."""

from __future__ import annotations

from lab.kinds import fetch
from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.errors import HostError
from lab.model.host import Host

# done; done, restart needed; done, restarting; a later version is there
UNDERSTOOD = (0, 3010, 1641, 1638)


def read(host: Host, key: Request) -> Item:
    """The version that the program left in the registry."""
    version = host.registry.data(key["detect_key"], key["detect_value"])
    return ABSENT if version is None else present(version=str(version))


def apply(host: Host, desired: Request) -> None:
    """Runs the installer, to install or to remove."""
    if desired["state"] == "absent" and read(host, desired) == ABSENT:
        return
    installer = fetch.staged(host, desired["download"], signed=bool(desired["download"]["publisher"]))
    done = host.programs.run(f'"{installer}" {desired["arguments"]}')
    if host.files.stat(installer) is not None:
        host.files.delete(installer)
    if done["rc"] not in UNDERSTOOD:
        raise HostError("other", f"The installer of {desired['name']} ended with {done['rc']}.", desired["name"])
