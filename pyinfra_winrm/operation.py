"""``ensure``: one task's resources made as wanted, as a pyinfra operation.

It guarantees that a plan only reads, that each field that differs is recorded and printed once a run, and that a
resource in step yields nothing. Reading ahead for all tasks is the connector's ``prefetch``.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, cast

from pyinfra.api.exceptions import OperationError
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.output import format_text
from pyinfra.context import ctx_host, ctx_state

from pyinfra_winrm.commands import ApplyResource, HostCommand, Refuse
from pyinfra_winrm.connector import WinRMConnector
from pyinfra_winrm.drift import Drift
from pyinfra_winrm.errors import HostError
from pyinfra_winrm.resource import Resource


def _connector(host: Host) -> WinRMConnector:
    connector = host.connector
    if not isinstance(connector, WinRMConnector):
        raise OperationError(f"{host.name} is not reached with @winrm, so its resources cannot be ensured")
    return connector


def _print(host: Host, found: list[Drift]) -> None:
    if _connector(host).prints_differences:
        for drift in found:
            host.log(format_text(drift.line(), "yellow"))


def make(task: str, resources: Sequence[Resource]) -> Generator[HostCommand, None, None]:
    """The body of ``ensure``, for operations that describe their resources themselves."""
    host = cast("Host", cast("Any", ctx_host).get())
    executing = bool(cast("Any", ctx_state).get().is_executing)
    connector = _connector(host)
    if host in host.state.failed_hosts:
        return
    try:
        run = connector.run
        connector.described.add(str(host.current_op_hash))
        drifting, new = run.drifting(task, resources)
        _print(host, new)
        if drifting and executing and run.begin_change():
            drifting, new = run.drifting(task, resources)
            _print(host, new)
    except HostError as error:
        if executing:
            yield Refuse(str(error))
        else:
            connector.fail(error)
        return
    for resource in drifting:
        yield ApplyResource(resource)
    if executing:
        run.readings.finish(resources)


@operation()
def ensure(task: str, resources: Sequence[Resource]) -> Generator[HostCommand, None, None]:
    """Makes the resources of one task as wanted; call it once a task, with ``name=task`` as well."""
    yield from make(task, resources)
