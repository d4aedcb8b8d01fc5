"""Changing the listener that carries the session: a task of the host makes the change once the session has ended.

It guarantees that the change is read back over a new session, or that an error says what became of the host. What the
listener should be is left to its kind; an inventory that has to follow is named, never written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from pyinfra_winrm.drift import Drift
from pyinfra_winrm.errors import HostError, HostTimeoutError
from pyinfra_winrm.resource import Resource
from pyinfra_winrm.run import HostRun
from pyinfra_winrm.settings import Connection

# Seconds until the host makes the change: its answer has to get out and the session has to end before.
DELAY: Final = 3
# Seconds in which the host has to be back; WinRM takes a few to open a listener.
WAIT: Final = 120
# Seconds between two tries to reach it.
PAUSE: Final = 2.0


def carries(run: HostRun, resource: Resource) -> bool:
    """Whether this run came in by the resource."""
    return run.kinds[resource.kind].carries(resource) == run.settings.scheme


def change_carrier(
    run: HostRun,
    resource: Resource,
    timeout: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Has the host make the change, reaches it again and sees that it is made; raises ``HostError``."""
    kind = run.kinds[resource.kind]
    about = f"{resource.kind} {resource.label}"
    desired = dict(kind.desired(resource))
    if desired["state"] == "absent":
        raise HostError(
            f"{run.session.name}: {about}: this run came in by it, and removing it would leave no way back: "
            "connect with the other winrm_scheme and run again"
        )
    run.begin_change()
    request = {
        "kind": resource.kind,
        "key": {**kind.key(resource), "thumbprint": desired["thumbprint"]},
        "desired": {**desired, "later": DELAY},
    }
    reply = run.session.change("apply", request, about=about, kinds=(resource.kind,), timeout=timeout)
    fingerprint = str((reply.fields.get("state") or {}).get("fingerprint") or "")
    run.session.close()
    sleep(DELAY)
    _confirm(run, resource, _ways(run.settings, desired["port"], fingerprint), clock, sleep)


def _ways(settings: Connection, port: int, fingerprint: str) -> list[Connection]:
    """How the host may be reached afterwards: where and with which certificate it was, and as it is to be."""
    pins = dict.fromkeys(
        (settings.fingerprint, fingerprint or settings.fingerprint) if settings.fingerprint else (None,)
    )
    ports = dict.fromkeys((settings.port, port))
    return [replace(settings, port=each, fingerprint=pin) for each in ports for pin in pins]


def _confirm(
    run: HostRun,
    resource: Resource,
    ways: list[Connection],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    until = clock() + WAIT
    while True:
        said = []
        for way in ways:
            found = _try(run, resource, way)
            if found is None:
                _tell(run, way)
                return
            said.append(found)
        if clock() >= until:
            run.session.settings = run.settings
            raise HostTimeoutError(
                f"{run.session.name}: {resource.kind} {resource.label}: {WAIT} s after its change: {said[0]}; "
                "look at the task pyinfra-winrm-listener and at `winrm enumerate winrm/config/listener` on its console"
            )
        sleep(PAUSE)


def _try(run: HostRun, resource: Resource, way: Connection) -> str | None:
    """None once the host is reached this way and has the change; otherwise why not."""
    run.session.settings = way
    run.readings.drop()
    try:
        run.session.connect()
        (state,) = run.readings.states([resource])
    except HostError as error:
        return str(error).removeprefix(f"{run.session.name}: ")
    left = run.differences(resource, state)
    if not left:
        return None
    run.session.close()
    lines = (Drift(run.name, "", resource.kind, resource.label, item).field_line() for item in left)
    return f"the host still has {'; '.join(lines)}"


def _tell(run: HostRun, way: Connection) -> None:
    """Names what the inventory has to say from now on."""
    for line in _moved(run.settings, way):
        run.report(f"reached again; put {line} into the inventory")


def _moved(before: Connection, now: Connection) -> Iterator[str]:
    if now.port != before.port:
        yield f"winrm_port = {now.port}"
    if now.fingerprint != before.fingerprint:
        yield f'winrm_fingerprint = "{now.fingerprint}"'
