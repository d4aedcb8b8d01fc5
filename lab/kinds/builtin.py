"""The services that come with Windows and have no process in the model: the time service, remote management.

They are asked and told like any other; what they are is kept in their registry key and one section of the state.
"""

from __future__ import annotations

from lab.model.errors import HostError
from lab.model.host import Host
from lab.model.services import ROOT

_NAMES = {"w32time": "stopped", "winrm": "running"}
_SECTION = "kind.builtin_services"


def is_builtin(host: Host, name: str) -> bool:
    """Whether the model has it only as a name."""
    return name.casefold() in _NAMES and not host.services.exists(name)


def state(host: Host, name: str) -> str:
    """The status of any service."""
    if not is_builtin(host, name):
        return str(host.services.status(name)["state"])
    return str(host.state.section(_SECTION).get(name.casefold(), _NAMES[name.casefold()]))


def start(host: Host, name: str) -> None:
    """Starts any service; nothing happens when it runs."""
    if state(host, name) == "running":
        return
    if not is_builtin(host, name):
        host.services.start(name)
        return
    with host.state.changing():
        host.state.section(_SECTION)[name.casefold()] = "running"
        host.journal.record("service", name, "status", "stopped", "running")


def set_start(host: Host, name: str, start_type: str) -> None:
    """Sets the start type, by the words of ``services.config``."""
    if is_builtin(host, name):
        numbers = {"auto": 2, "delayed-auto": 2, "manual": 3, "disabled": 4}
        host.registry.set(f"{ROOT}\\{name}", "Start", "DWord", numbers[start_type])
    elif host.services.exists(name):
        host.services.configure(name, {"start": start_type})
    else:
        raise HostError("not-found", f"The service '{name}' does not exist.", name, 1060)
