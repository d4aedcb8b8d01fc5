"""hMailServer where it has the mail ports: stopped and kept from starting, everything else about it left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyinfra_winrm.kinds import FailureActions, Service
from pyinfra_winrm.kinds.service import SidType, failure_fields
from tasks.facts import HMAILSERVER, Facts
from tasks.settings import Settings

_SID_TYPES: Mapping[int, SidType] = {0: "none", 1: "unrestricted", 3: "restricted"}


def resources(settings: Settings, facts: Facts) -> list[Service]:
    """The service of hMailServer, disabled, when it is there and to be taken over."""
    found = facts.service(HMAILSERVER)
    if settings.take_over != "hmailserver" or found is None:
        return []
    return [as_found(found, start="disabled", status="stopped")]


def undone(settings: Settings, facts: Facts) -> list[Service]:
    """The same service starting with the machine again, for an uninstallation."""
    found = facts.service(HMAILSERVER)
    if settings.take_over != "hmailserver" or found is None:
        return []
    return [as_found(found, start="automatic", status="running")]


def as_found(found: Mapping[str, Any], **changed: Any) -> Service:
    """A service as the host has it, but for what is changed."""
    reset, actions = failure_fields(bytes.fromhex(found["failure_actions"] or ""))
    restarts = tuple(delay // 1000 for action, delay in actions if action == "restart")
    return Service(
        name=HMAILSERVER,
        command=split_command(found["image_path"]),
        display_name=found["display_name"],
        description=found["description"],
        account=found["account"],
        depends_on=tuple(found["depends_on"]),
        failure=FailureActions(restarts, reset) if restarts else None,
        failure_flag=bool(found["failure_flag"]),
        sid_type=_SID_TYPES[found["sid_type"]],
        environment=dict(line.partition("=")[::2] for line in found["environment"]),
        **changed,
    )


def split_command(line: str) -> tuple[str, ...]:
    """Program and plain arguments of a service's command line; a program without quotes ends at its ``.exe``."""
    if line.startswith('"'):
        program, _, rest = line[1:].partition('"')
    else:
        head, _, rest = line.partition(".exe")
        program = f"{head}.exe"
    return (program, *rest.split())
