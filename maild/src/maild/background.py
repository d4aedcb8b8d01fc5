"""What a daemon does by itself beside mail: takes key rotations further, keeps and sends DMARC reports.

Part of the wiring that ``app`` does. Every daemon of a database may do all of it at once: a step of a rotation done
twice changes nothing, and reports are sent by the one that gets the lease. Settings are read at each turn.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from maild.delivery.dispatch import own_message
from maild.dns import wording
from maild.dns.check import Checker
from maild.dns.names import shown, to_query
from maild.dns.records import REPORTS
from maild.dns.resolver import CachingResolver
from maild.dns.update import updater_of
from maild.locale import translator
from maild.log import Log
from maild.mail.address import Address
from maild.services import Services, upstream
from maild.verify import StoredKeys
from maild.verify.advancing import SOON, Advancing
from maild.verify.dkim.rotation import Pace, Rotation
from maild.verify.dkim.wording import sentence
from maild.verify.dmarc.gathering import DAY
from maild.verify.dmarc.mailbox import collect
from maild.verify.dmarc.sending import SETTLE, Outgoing, Sender, report_secret
from maild.verify.rotating import Errand, Publisher, Rotator

SAVE_SECONDS = 30.0
"""How often what is counted for reports is written: as much of it a crash may cost."""
REPORT_SECONDS = 300.0
"""How often it is looked whether a day's reports are due, in the hour in which they fall due and at the start."""
REPORT_WINDOW_SECONDS = 3600
"""That hour: long enough for another daemon to go on where one has died."""


@dataclass(slots=True)
class Background:
    """The works of one daemon. ``key`` is the host's wrap key; without it nothing is signed, rotated or reported."""

    services: Services
    key: bytes | None
    log: Log
    clock: Callable[[], float] = time.time
    _advancing: Advancing | None = None
    _told: set[str] = field(default_factory=set)
    _looked: bool = False

    @property
    def jobs(self) -> tuple[tuple[float, Callable[[], Awaitable[None]]], ...]:
        """Each work and the seconds between its turns."""
        return ((SOON, self.advance), (SAVE_SECONDS, self.save), (REPORT_SECONDS, self.report))

    async def advance(self) -> None:
        """Takes rotations further, by dynamic updates where the settings name a server for them."""
        if self.key is None:
            return
        settings = self.services.settings
        if self._advancing is None:
            store = self.services.store
            rotator = Rotator(store.keys, store.state, StoredKeys(store.keys, self.key), self._checker)
            self._advancing = Advancing(rotator, self._publisher, self._tell, self._tell_fault)
        self._advancing.rotator.pace = Pace(
            settle=settings.dkim.settle_seconds, linger=settings.dkim.linger_hours * 3600
        )
        await self._advancing.turn()

    async def save(self) -> None:
        """Writes what was counted for reports."""
        await self.services.gatherer.save(self.services.store.state, self.clock())

    async def report(self) -> None:
        """Sends the reports of a day that is over, if the settings want any."""
        settings, store, key = self.services.settings, self.services.store, self.key
        domain, now = to_query(settings.reports_domain), self.clock()
        if not settings.dmarc.send_reports or key is None or domain is None:
            return
        if self._looked and (now - SETTLE) % DAY >= REPORT_WINDOW_SECONDS:
            return
        problem = await self._unready(domain)
        if problem:
            if problem not in self._told:
                self.log.fault(f"DMARC reports are not sent: {problem}")
            self._told.add(problem)
            return
        self._looked = True
        secret, resolver = report_secret(key), self.services.resolver
        await collect(store, secret)
        sender = Sender(store.state, resolver, f"{REPORTS}@{domain}", secret, self._suppressed, self._post)
        if sent := await sender.turn(now):
            self.log.application(f"DMARC reports: {sent} sent from {shown(domain)}.")

    async def _unready(self, domain: str) -> str:
        """Why no report may leave; empty when all is there."""
        store = self.services.store
        if not any(row.state == "active" for row in await store.keys.dkim(domain)):
            return f"{shown(domain)} has no signing keys; declare them (maild reconcile)"
        if (await store.directory.resolve(REPORTS, domain)).account is None:
            return f"nobody takes what comes back to {REPORTS}@{shown(domain)}; declare it as an alias domain"
        return ""

    async def _suppressed(self, address: str) -> bool:
        return await self.services.store.queue.suppressed(address) is not None

    async def _post(self, report: Outgoing) -> None:
        settings = self.services.settings
        domain = to_query(settings.reports_domain) or ""
        message = await own_message(
            self.services.smtp.router,
            report.message,
            [report.target],
            sender=Address(REPORTS, domain),
            origin="report",
            expires_at=int((self.clock() + settings.queue.lifetime_hours * 3600) * 1_000_000),
        )
        if message is not None:
            await self.services.store.accept(message)
            self.services.smtp.queued()

    # Rotations

    def _checker(self) -> Checker:
        """Asks name servers anew: what a resolver remembers is older than the change that is waited for."""
        dns = self.services.settings.dns
        return Checker(CachingResolver(upstream(dns)), port=dns.port)

    async def _publisher(self, domain: str) -> Publisher | None:
        dkim = self.services.settings.dkim
        return await updater_of(dkim.update_server, dkim.update_key_file, domain, self.services.resolver)

    def _tell(self, errand: Errand) -> None:
        say = translator("en")
        records = [line for row in (*errand.enter, *errand.remove) for line in wording.entry(row, say)]
        self.log.application(f"DKIM keys: {' / '.join([sentence(errand.rotation, say), *records])}")

    def _tell_fault(self, rotation: Rotation, error: Exception) -> None:
        self.log.fault(f"The change of the DKIM keys of {shown(rotation.domain)} waits", error)
