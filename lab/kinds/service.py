"""Services in the model: the registry key is what is read, the service manager what is told."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host
from lab.model.services import ROOT

_START = {"automatic": "auto", "delayed": "delayed-auto", "manual": "manual", "disabled": "disabled"}
# what a process takes up only when it starts
_AT_START = ("image_path", "account", "sid_type", "environment")


def read(host: Host, key: Request) -> Item:
    """The registry key's values, the status, and what it was started with."""
    name = key["name"]
    if not host.services.exists(name):
        return ABSENT
    place = f"{ROOT}\\{name}"

    def data(value: str, default: object = "") -> object:
        return host.registry.data(place, value, default)

    return present(
        image_path=data("ImagePath"),
        display_name=data("DisplayName"),
        description=data("Description"),
        account=data("ObjectName"),
        start=data("Start", 3),
        delayed=data("DelayedAutostart", 0),
        depends_on=data("DependOnService", []),
        failure_actions=data("FailureActions"),
        failure_flag=data("FailureActionsOnNonCrashFailures", 0),
        sid_type=data("ServiceSidType", 0),
        environment=data("Environment", []),
        status=host.services.status(name)["state"],
        started_with=host.registry.data(f"{place}\\Parameters", "StartedWith", ""),
    )


def apply(host: Host, desired: Request) -> None:
    """Makes, configures, starts, restarts, stops or removes the service."""
    name = desired["name"]
    if desired["state"] == "absent":
        if host.services.exists(name):
            if host.services.status(name)["state"] != "stopped":
                host.services.stop(name, dependents=True)
            host.services.delete(name)
        return
    if not host.services.exists(name):
        host.services.create(name, desired["image_path"])
    before = host.services.config(name)
    pairs = [pair.split("/") for pair in _pairs(desired["failure_actions"])]
    actions = [[kind, int(delay)] for kind, delay in pairs]
    host.services.configure(
        name,
        {
            "image_path": desired["image_path"],
            "display_name": desired["display_name"],
            "description": desired["description"],
            "account": desired["account"],
            "start": _START[desired["start"]],
            "depends": desired["depends_on"],
            "failure": {"reset": desired["failure_reset"], "actions": actions},
            "failure_flag": desired["failure_flag"],
            "sid_type": desired["sid_type"],
            "environment": desired["environment"],
        },
    )
    after = host.services.config(name)
    _run(host, desired, stale=any(before[field] != after[field] for field in _AT_START))


def _pairs(actions: str) -> list[str]:
    parts = actions.split("/") if actions else []
    return ["/".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]


def _run(host: Host, desired: Request, *, stale: bool) -> None:
    name = desired["name"]
    parameters = f"{ROOT}\\{name}\\Parameters"
    running = host.services.status(name)["state"] != "stopped"
    if desired["restart_on"]:
        stale = stale or host.registry.data(parameters, "StartedWith", "") != desired["restart_on"]
    if running and desired["status"] == "stopped":
        host.services.stop(name, dependents=True)
    elif running and stale:
        host.services.restart(name)
    elif not running and desired["status"] == "running":
        host.services.start(name)
    if desired["restart_on"] and host.services.status(name)["state"] == "running":
        host.registry.set(parameters, "StartedWith", "String", desired["restart_on"])
