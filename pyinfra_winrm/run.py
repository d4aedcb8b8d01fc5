"""One run on one host: the session, what was read, what differs, and the lock, behind a few verbs.

It guarantees the order that makes a run safe: read, lock, read again, change one thing, read it back, compare. What is
wanted is data from its callers; how pyinfra learns of it is left to ``connector`` and ``operation``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pyinfra_winrm.drift import Drift, DriftRecord
from pyinfra_winrm.errors import HostError, RequestFailedError
from pyinfra_winrm.lock import RunLock
from pyinfra_winrm.protocol import Reply, decode_state
from pyinfra_winrm.readings import Readings
from pyinfra_winrm.resource import Difference, Json, Kind, Resource, State, Unknown
from pyinfra_winrm.session import Session
from pyinfra_winrm.settings import Connection
from pyinfra_winrm.upload import PATIENCE, download, upload

# Seconds between two tries at something that is held open.
PAUSE: Final = 0.5


def _script_of(kinds: Mapping[str, Kind]) -> Callable[[str], str]:
    return lambda name: kinds[name].script.read_text(encoding="utf-8")


@dataclass(slots=True)
class HostRun:
    """What pyinfra's parts share about one host.

    report: takes a line for the user.
    """

    name: str
    settings: Connection
    kinds: Mapping[str, Kind]
    report: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    session: Session = field(init=False)
    lock: RunLock = field(init=False)
    readings: Readings = field(init=False)
    drift: DriftRecord = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.settings, _script_of(self.kinds))
        self.lock = RunLock(self.session, self.settings.lock_wait, self.settings.lock_lease, self.report)
        self.readings = Readings(self.session, self.kinds)
        self.drift = DriftRecord(self.name)

    def close(self) -> None:
        """Gives the lock back and ends the session."""
        self.lock.release()
        self.session.close()

    def drifting(self, task: str, resources: Sequence[Resource]) -> tuple[list[Resource], list[Drift]]:
        """The resources that are not as wanted, and the lines about them that are new."""
        drifting: list[Resource] = []
        new: list[Drift] = []
        for resource, state in zip(resources, self.readings.states(resources), strict=True):
            differences = self.differences(resource, state)
            if differences:
                drifting.append(resource)
                new += self.drift.add(task, resource.kind, resource.label, differences)
        return drifting, new

    def differences(self, resource: Resource, state: State) -> tuple[Difference, ...]:
        """The kind's own comparison; a state that cannot be told is never in step."""
        found = self.kinds[resource.kind].differences(resource, state)
        if not found and isinstance(state, Unknown):
            return (Difference("state", f"unknown ({state.reason})", "known"),)
        return found

    def begin_change(self) -> bool:
        """Takes the lock before the first change; True when what was read before has to be read again."""
        if not self.lock.acquire():
            return False
        self._forget()
        return True

    def apply(self, resource: Resource, timeout: int) -> None:
        """Makes one resource as wanted and sees that it is; raises ``HostError`` naming what is not."""
        self.begin_change()
        about = f"{resource.kind} {resource.label}"
        kind = self.kinds[resource.kind]
        for item in getattr(resource, "uploads", ()):
            self.put(item.source, item.target, timeout)
        request = {"kind": resource.kind, "key": kind.key(resource), "desired": kind.desired(resource)}
        self._forget()
        reply = self._patiently(
            lambda: self.session.change("apply", request, about=about, kinds=(resource.kind,), timeout=timeout)
        )
        left = self.differences(resource, decode_state(reply.fields.get("state")))
        if left:
            lines = "; ".join(Drift(self.name, "", resource.kind, resource.label, item).field_line() for item in left)
            raise HostError(f"{self.session.name}: {about}: changed, but the host still has {lines}")

    def run(
        self, script: str, *, env: Mapping[str, Any], folder: str | None, timeout: int, changes: bool, about: str
    ) -> tuple[int, list[str], list[str]]:
        """Runs plain PowerShell; its status, what it put out, and its errors."""
        fields: dict[str, Json] = {"script": script, "env": dict(env), "cwd": folder}
        if changes:
            self.begin_change()
            self._forget()
            reply = self.session.change("run", fields, about=about, timeout=timeout)
        else:
            reply = self.session.read("run", fields, timeout=timeout)
        answer = reply.fields
        return int(answer.get("rc", 1)), _lines(answer.get("out")), _lines(answer.get("err"))

    def put(self, source: Path | bytes, target: str, timeout: int = 0) -> None:
        """Uploads a file under the lock."""
        self.begin_change()
        self._forget()
        upload(self.session, source, target, timeout=timeout)

    def get(self, source: str, timeout: int = 0) -> bytes:
        """The content of a file of the host."""
        return b"".join(download(self.session, source, timeout=timeout))

    def _patiently(self, ask: Callable[[], Reply]) -> Reply:
        """Asks again while something is held open: the host has said that nothing was done."""
        until = self.clock() + PATIENCE
        while True:
            try:
                return ask()
            except RequestFailedError as error:
                if error.failure.code != "sharing-violation" or self.clock() >= until:
                    raise
            self.sleep(PAUSE)

    def _forget(self) -> None:
        self.readings.drop()
        self.session.facts = None

    def facts(self) -> Mapping[str, Json]:
        """The host facts, as of the last change."""
        if self.session.facts is None:
            self.session.facts = self.session.read("facts", {}).fields.get("facts")
        facts = self.session.facts
        return facts if isinstance(facts, dict) else {}


def _lines(value: Json) -> list[str]:
    return [str(line) for line in value] if isinstance(value, list) else []
