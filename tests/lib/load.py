"""A stream of mail into port 25 for as long as something else happens: what was answered 250, and the longest gap."""

from __future__ import annotations

import contextlib
import smtplib
import threading
import time
from dataclasses import dataclass, field
from typing import Self

PAUSE = 0.02  # seconds between two messages: enough to fill an upgrade, not the machine


@dataclass
class Load:
    """One sender in a thread; a refused or broken session is tried again with the same message."""

    port: int
    recipient: str = "id@xn--9t4b11yi5a.net"
    accepted: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    gap: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(60)

    def wait(self, count: int, seconds: float = 120.0) -> None:
        """Until that many were accepted."""
        until = time.monotonic() + seconds
        while len(self.accepted) < count:
            assert time.monotonic() < until, f"only {len(self.accepted)} of {count} were accepted"
            time.sleep(0.05)

    def _run(self) -> None:
        number, last = 0, time.monotonic()
        while not self._stop.is_set():
            number += 1
            name = f"load-{number}@example.org"
            while not self._stop.is_set() and not self._sent(name):
                time.sleep(PAUSE)
            now = time.monotonic()
            if self.accepted and not self._stop.is_set():
                self.gap = max(self.gap, now - last)
            last = now
            time.sleep(PAUSE)

    def _sent(self, name: str) -> bool:
        """True when the message was answered 250; one whose answer was lost may be there or not."""
        text = f"From: load@example.org\r\nTo: {self.recipient}\r\nMessage-ID: <{name}>\r\n\r\nload\r\n"
        asked = False
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as smtp:
                smtp.ehlo("load.example.org")
                if smtp.mail("load@example.org")[0] != 250 or smtp.rcpt(self.recipient)[0] != 250:
                    return False
                asked = True
                code, _ = smtp.data(text.encode())
                asked = False
                if code == 250:
                    self.accepted.append(name)
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
                return code == 250
        except (smtplib.SMTPException, OSError):
            if asked:
                self.unsure.append(name)
            return asked or name in self.accepted
