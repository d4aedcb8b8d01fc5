"""What the Windows-only commands of PowerShell do, for the stand-ins of the lab's PowerShell.

Each takes the bound parameters by their names and gives what the command puts out. Binding them is the stand-ins' own,
by the parameter sets of 5.1.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from lab.kinds import builtin, certificate, firewall_group, winrm_listener
from lab.kinds.authenticode import signature
from lab.model.errors import HostError, not_found
from lab.model.host import Host

Bound = Mapping[str, Any]
_START = {"automatic": "auto", "manual": "manual", "disabled": "disabled"}
_ANY = ("any", "")


def call(host: Host, command: str, parameters: Bound) -> Any:
    """Runs one command by its name."""
    function = COMMANDS.get(command.casefold())
    if function is None:
        raise HostError("other", f"The lab has no body for {command}.", command)
    return function(host, {name.casefold(): value for name, value in parameters.items()})


def _names(bound: Bound, parameter: str = "name") -> list[str]:
    value = bound[parameter]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _get_service(host: Host, bound: Bound) -> Any:
    rows = []
    for name in _names(bound):
        if not builtin.is_builtin(host, name) and not host.services.exists(name):
            raise not_found(name, "service")
        rows.append({"Name": name, "Status": builtin.state(host, name).capitalize()})
    return rows


def _new_service(host: Host, bound: Bound) -> Any:
    start = _START[str(bound.get("startuptype", "Automatic")).casefold()]
    host.services.create(bound["name"], bound["binarypathname"], start=start)
    if "displayname" in bound:
        host.services.configure(bound["name"], {"display_name": bound["displayname"]})


def _set_service(host: Host, bound: Bound) -> Any:
    if "startuptype" in bound:
        builtin.set_start(host, bound["name"], _START[str(bound["startuptype"]).casefold()])


def _start_service(host: Host, bound: Bound) -> Any:
    for name in _names(bound):
        builtin.start(host, name)


def _stop_service(host: Host, bound: Bound) -> Any:
    for name in _names(bound):
        if host.services.status(name)["state"] != "stopped":
            host.services.stop(name, dependents=bool(bound.get("force")))


def _restart_service(host: Host, bound: Bound) -> Any:
    for name in _names(bound):
        host.services.restart(name)


def _new_event_log(host: Host, bound: Bound) -> Any:
    for source in _names(bound, "source"):
        if host.events.log_of(source) is not None:
            raise HostError("other", f"The source '{source}' is registered already.", source)
        host.events.create(source, bound["messageresourcefile"], bound["logname"])


def _remove_event_log(host: Host, bound: Bound) -> Any:
    for source in _names(bound, "source"):
        host.events.delete(source)


def _rule(bound: Bound, display_name: str) -> dict[str, Any]:
    def listed(name: str) -> list[str]:
        value = bound.get(name, [])
        items = value if isinstance(value, list) else [value]
        return [str(item) for item in items if str(item).casefold() not in _ANY]

    def one(name: str) -> str:
        value = str(bound.get(name, ""))
        return "" if value.casefold() in _ANY else value

    return {
        "action": one("action").casefold() or "allow",
        "enabled": str(bound.get("enabled", "True")).casefold() == "true",
        "protocol": one("protocol").upper(),
        "ports": sorted(listed("localport")),
        "remote_addresses": sorted(listed("remoteaddress")),
        "profiles": sorted(name.strip().casefold() for name in one("profile").split(",") if name),
        "program": one("program"),
        "service": one("service"),
        "display_name": display_name,
        "description": one("description"),
    }


def _new_rule(host: Host, bound: Bound) -> Any:
    name = bound["name"]
    if name in host.firewall.rules():
        raise HostError("other", f"The rule '{name}' is there already.", name, 183)
    host.firewall.set(name, firewall_group.stored(bound.get("group", ""), _rule(bound, bound["displayname"])))


def _set_rule(host: Host, bound: Bound) -> Any:
    for name in _names(bound):
        group = next((group for group in [_group_of(host, name)] if group is not None), None)
        if group is None:
            raise not_found(name, "firewall rule")
        host.firewall.set(name, firewall_group.stored(group, _rule(bound, bound["newdisplayname"])))


def _group_of(host: Host, name: str) -> str | None:
    text = host.firewall.rules().get(name)
    return None if text is None else text.partition("|EmbedCtxt=")[2].partition("|")[0]


def _get_rule(host: Host, bound: Bound) -> Any:
    found = [name for name in _names(bound) if name in host.firewall.rules()]
    return [{"Name": name, "Group": _group_of(host, name)} for name in found]


def _remove_rule(host: Host, bound: Bound) -> Any:
    for name in _names(bound):
        host.firewall.delete(name)


def _task(bound: Bound) -> str:
    folder, name = (_names(bound, parameter)[0] for parameter in ("taskpath", "taskname"))
    return "\\" + f"{folder}\\{name}".strip("\\").replace("\\\\", "\\")


def _register_task(host: Host, bound: Bound) -> Any:
    if host.tasks.xml(_task(bound)) is not None and not bound.get("force"):
        raise HostError("other", f"The task '{_task(bound)}' is there already.", _task(bound), 183)
    host.tasks.register(_task(bound), bound["xml"])


def _unregister_task(host: Host, bound: Bound) -> Any:
    host.tasks.delete(_task(bound))


def _start_task(host: Host, bound: Bound) -> Any:
    threading.Thread(target=host.tasks.run, args=(_task(bound),), daemon=True).start()


def _listener(bound: Bound) -> tuple[str, str]:
    if str(bound["resourceuri"]).casefold() != "winrm/config/listener":
        raise HostError("other", f"The lab has no resource '{bound['resourceuri']}'.", str(bound["resourceuri"]))
    selectors = {name.casefold(): str(value) for name, value in bound["selectorset"].items()}
    return selectors["address"], selectors["transport"]


def _set_listener(host: Host, bound: Bound) -> Any:
    address, transport = _listener(bound)
    values = {name.casefold(): str(value) for name, value in bound["valueset"].items()}
    there = host.listeners.get(transport) or {"port": 5986, "hostname": "", "thumbprint": ""}
    winrm_listener.apply(
        host,
        {
            "state": "present",
            "address": address,
            "transport": transport,
            "port": int(values.get("port", there["port"])),
            "hostname": values.get("hostname", there["hostname"]),
            "thumbprint": values.get("certificatethumbprint", there["thumbprint"]),
        },
    )


def _new_listener(host: Host, bound: Bound) -> Any:
    _, transport = _listener(bound)
    if host.listeners.get(transport) is not None:
        raise HostError("other", f"There is a listener for {transport} already.", transport, 183)
    _set_listener(host, bound)


def _remove_listener(host: Host, bound: Bound) -> Any:
    host.listeners.delete(_listener(bound)[1])


def _get_listener(host: Host, bound: Bound) -> Any:
    if str(bound["resourceuri"]).casefold() != "winrm/config/listener":
        raise HostError("other", f"The lab has no resource '{bound['resourceuri']}'.", str(bound["resourceuri"]))
    rows = []
    for transport in ("HTTP", "HTTPS"):
        found = host.listeners.get(transport)
        if found:
            names = {"Address": "address", "Transport": "transport", "Port": "port", "Hostname": "hostname"}
            row = {shown: str(found[name]) for shown, name in names.items()}
            rows.append(row | {"CertificateThumbprint": found["thumbprint"]})
    return rows


def _get_signature(host: Host, bound: Bound) -> Any:
    rows = []
    for path in _names(bound, "literalpath" if "literalpath" in bound else "filepath"):
        found = signature(host.files.read(path))
        rows.append({"Path": path, "Status": found.status, "SignerCertificate": found.raw or None})
    return rows


COMMANDS = {
    "get-service": _get_service,
    "new-service": _new_service,
    "set-service": _set_service,
    "start-service": _start_service,
    "stop-service": _stop_service,
    "restart-service": _restart_service,
    "new-eventlog": _new_event_log,
    "remove-eventlog": _remove_event_log,
    "new-netfirewallrule": _new_rule,
    "set-netfirewallrule": _set_rule,
    "get-netfirewallrule": _get_rule,
    "remove-netfirewallrule": _remove_rule,
    "register-scheduledtask": _register_task,
    "unregister-scheduledtask": _unregister_task,
    "start-scheduledtask": _start_task,
    "new-wsmaninstance": _new_listener,
    "set-wsmaninstance": _set_listener,
    "get-wsmaninstance": _get_listener,
    "remove-wsmaninstance": _remove_listener,
    "get-authenticodesignature": _get_signature,
    "new-selfsignedcertificate": certificate.create,
}
