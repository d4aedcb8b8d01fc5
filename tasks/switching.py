"""From one release to the next: the new one is started and looked at; when it does not serve, the old one runs again.

The old release is still on the host with the settings it served with, and migrations only ever expand the schema, so
going back is a change of that file and of the service. The run then fails and says which release serves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pyinfra_winrm.commands import Arguments, HostCommand, Outcome
from pyinfra_winrm.errors import HostError
from pyinfra_winrm.kinds import Service
from pyinfra_winrm.run import HostRun
from tasks import report, verify
from tasks.rollback import Before
from tasks.settings import Settings
from tasks.translation import translator

PATIENCE = 30.0  # seconds a new release gets to open its ports and its database
PAUSE = 0.5


class Switch(HostCommand):
    """Changes the service, looks whether it serves, and puts ``back`` in its place when it does not."""

    def __init__(
        self,
        wanted: Service,
        settings: Settings,
        back: Before | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(f"{wanted.kind} {wanted.label}")
        self._wanted = wanted
        self._settings = settings
        self._back = back
        self._clock = clock
        self._sleep = sleep

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:
        """Raises ``HostError`` when the new release does not serve; by then the old one does."""
        try:
            run.apply(self._wanted, arguments.timeout)
            broken = self._broken(run)
        except HostError as error:
            broken = [str(error)]
        if not broken:
            return Outcome(ok=True, out=[], err=[])
        why, _ = "; ".join(broken), translator(self._settings.language)
        if self._back is None:
            raise HostError(f"{run.name}: " + _("the server does not serve: {why}").format(why=why))
        if kept := self._back.settings(run):
            run.apply(kept, arguments.timeout)
        run.apply(self._back.service, arguments.timeout)
        again = _("{program} does not serve ({why}); {before} serves again")
        programs = {"program": self._wanted.command[0], "before": self._back.service.command[0]}
        raise HostError(f"{run.name}: " + again.format(why=why, **programs))

    def _broken(self, run: HostRun) -> Sequence[str]:
        """What still does not work when the time is over; empty as soon as all does."""
        until = self._clock() + PATIENCE
        while True:
            run.readings.drop()
            broken = verify.broken(report.asked(run, self._settings, self._wanted.command[0]).checks)
            if not broken or self._clock() > until:
                return broken
            self._sleep(PAUSE)
