"""A restart is over when the host answers with another boot time, and not before."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from pyinfra_winrm.errors import HostError, HostTimeoutError
from pyinfra_winrm.lock import RunLock
from pyinfra_winrm.reboot import reboot
from pyinfra_winrm.run import HostRun
from tests.lib.scriptedhost import ScriptedHost, ScriptedLink, Ticking, settings

BEFORE, AFTER = "2026-11-25T03:00:00Z", "2026-11-25T03:05:00Z"


class Machine:
    """A host that goes down some seconds after it was told to, and comes back."""

    def __init__(self, *, down: float = 5, back: float = 60, refuses: int = 0) -> None:
        self.clock = Ticking()
        self.down, self.back, self.refuses = down, back, refuses
        self.told: float | None = None
        self.reports: list[str] = []

    @property
    def since(self) -> float:
        return -1.0 if self.told is None else self.clock.now - self.told

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["verb"]:
            case "facts":
                return {"facts": {"boot_time": AFTER if self.since >= self.back else BEFORE}}
            case "run":
                self.told = self.clock.now
                return {"rc": self.refuses, "out": [], "err": ["denied"] if self.refuses else []}
            case _:
                return {}

    def run(self) -> HostRun:
        run = HostRun("@winrm/server", settings(), {}, self.reports.append)
        host = ScriptedHost(self.answer)
        machine = self

        class Link(ScriptedLink):
            def open(self, command_line: str) -> None:
                if machine.down <= machine.since < machine.back:
                    raise requests.ConnectionError("down")
                super().open(command_line)

        run.session.link = lambda _: Link(host)
        run.lock = RunLock(run.session, 5, 60, self.reports.append)
        return run

    def reboot(self, wait: int = 900) -> None:
        reboot(self.run(), wait, self.clock, self.clock.sleep)


def test_a_host_that_answers_before_it_goes_down_is_not_back() -> None:
    machine = Machine(down=20, back=120)
    machine.reboot()
    assert machine.since >= 120
    assert machine.reports == ["restarted"]


@pytest.mark.parametrize("machine", [Machine(down=10_000, back=20_000), Machine(down=5, back=20_000)])
def test_a_host_that_never_goes_down_or_never_comes_back_is_an_error(machine: Machine) -> None:
    with pytest.raises(HostTimeoutError, match="server: not back within 300 s after the reboot: look at its console"):
        machine.reboot(wait=300)


def test_a_refused_restart_is_an_error() -> None:
    with pytest.raises(HostError, match=r"shutdown\.exe refused with status 5: denied"):
        Machine(refuses=5).reboot()
