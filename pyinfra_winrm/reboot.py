"""Restarting a host: it is back when it answers with another boot time, not when it answers.

It guarantees that a host which never went down, or is not back in time, is an error. Waiting for what runs on the host
is left to whoever needs that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pyinfra_winrm.errors import HostError, HostTimeoutError
from pyinfra_winrm.run import HostRun

# Seconds between two tries to reach a host that is restarting.
PAUSE: Final = 5.0

# Five seconds let the answer to this very request get out.
COMMAND: Final = "shutdown.exe /r /t 5 /c Mailhost"


def reboot(
    run: HostRun,
    wait: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    pause: float = PAUSE,
) -> None:
    """Restarts the host and returns when it has another boot time; raises after ``wait`` seconds."""
    run.session.facts = None
    before = run.facts().get("boot_time")
    status, _, err = run.run(COMMAND, env={}, folder=None, timeout=0, changes=True, about="the reboot")
    if status:
        raise HostError(f"{run.session.name}: shutdown.exe refused with status {status}: {' '.join(err)}")
    until = clock() + wait
    while clock() < until:
        sleep(pause)
        try:
            run.session.connect()
            now = run.facts().get("boot_time")
        except HostError:
            continue
        if now != before:
            run.report("restarted")
            return
    raise HostTimeoutError(
        f"{run.session.name}: not back within {wait} s after the reboot: look at its console, then run again"
    )
