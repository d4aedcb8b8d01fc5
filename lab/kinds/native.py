"""Windows' own programs that the kinds' PowerShell calls: ``sc.exe`` and ``w32tm.exe``, with their command lines.

What they print is in the host's language there, so nothing reads it; here they print little. Everything else is run as
the model runs programs.
"""

from __future__ import annotations

from typing import Any

from lab.kinds import builtin
from lab.model import commandline
from lab.model.errors import HostError
from lab.model.host import Host

Done = dict[str, Any]
INVALID = 87  # ERROR_INVALID_PARAMETER
_START = {"auto": "auto", "delayed-auto": "delayed-auto", "demand": "manual", "disabled": "disabled"}


def run(host: Host, file: str, arguments: str, text: str, timeout: float) -> Done:
    """Runs to the end: ``{rc, out, err}`` as text."""
    image = file.rpartition("\\")[2].casefold()
    if image in ("sc.exe", "w32tm.exe"):
        try:
            (_sc if image == "sc.exe" else _w32tm)(host, commandline.split(arguments))
        except HostError as error:
            return {"rc": error.win32 or 1, "out": error.message, "err": ""}
        return {"rc": 0, "out": "", "err": ""}
    done = host.programs.run(f'"{file}" {arguments}', stdin=text.encode(), timeout=timeout)
    return {"rc": done["rc"], **{name: done[name].decode("utf-8", "replace") for name in ("out", "err")}}


def _options(words: list[str]) -> dict[str, str]:
    """``name= value`` pairs; the blank after the sign is what makes them two words."""
    options = {}
    for name, value in zip(words[::2], words[1::2], strict=False):
        if not name.endswith("="):
            raise HostError("other", f"sc.exe: '{name}' is no option.", name, INVALID)
        options[name[:-1].casefold()] = value
    if len(words) % 2:
        raise HostError("other", f"sc.exe: '{words[-1]}' has no value.", words[-1], INVALID)
    return options


def _sc(host: Host, words: list[str]) -> None:
    verb, name, *rest = words
    match verb.casefold():
        case "config":
            _configure(host, name, _options(rest))
        case "description":
            host.services.configure(name, {"description": rest[0]})
        case "failure":
            options = _options(rest)
            parts = options["actions"].split("/") if options["actions"] else []
            pairs = [[action, int(delay)] for action, delay in zip(parts[::2], parts[1::2], strict=True)]
            host.services.configure(name, {"failure": {"reset": int(options["reset"]), "actions": pairs}})
        case "failureflag":
            host.services.configure(name, {"failure_flag": rest[0] == "1"})
        case "sidtype":
            host.services.configure(name, {"sid_type": rest[0]})
        case "delete":
            host.services.delete(name)
        case _:
            raise HostError("other", f"sc.exe has no verb '{verb}' here.", verb, INVALID)


def _configure(host: Host, name: str, options: dict[str, str]) -> None:
    if "start" in options:
        builtin.set_start(host, name, _START[options.pop("start")])
    names = {"obj": "account", "displayname": "display_name", "binpath": "image_path"}
    fields: dict[str, Any] = {names[option]: value for option, value in options.items() if option in names}
    if "depend" in options:
        fields["depends"] = [each for each in options["depend"].split("/") if each]
    if fields:
        host.services.configure(name, fields)


def _w32tm(host: Host, words: list[str]) -> None:
    options = dict(word.lstrip("/").partition(":")[::2] for word in words)
    if "update" in options and builtin.state(host, "W32Time") != "running":
        raise HostError("other", "The service has not been started.", "W32Time", 1062)
    servers = options.get("manualpeerlist", host.time.get()["servers"])
    host.time.configure(servers, "NTP" if options["syncfromflags"] == "manual" else "NT5DS")
