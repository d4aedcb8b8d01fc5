"""Builds the daemon's objects and wires them: the one place that knows all of them.

``Daemon.run`` opens the ports at once and the store when it comes; until then, and whenever it is away, clients are
told to come back. A reload swaps settings and certificates for new sessions and leaves running ones alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from maild.background import Background
from maild.delivery.rewriting import KeyedRewriting
from maild.loaded import Loaded
from maild.locale import translator
from maild.log import Log, LogFiles
from maild.net import (
    Admission,
    Bounds,
    CertificateError,
    Certificates,
    FairQueue,
    Peer,
    Server,
    Session,
    Shared,
    Stream,
    read_buffer,
)
from maild.outgoing import Outgoing, rewriting, wrap_key
from maild.policy import LANES, Gate
from maild.service import posix
from maild.services import Services
from maild.settings import Listener, Retention, SettingsError, read, waiting
from maild.store import Budget, Store, StoreError, StoreUnavailable, open_store

T = TypeVar("T")

STORE_RETRY_SECONDS = 1.0
"""Pause between two tries to open the store."""
REFRESH_SECONDS = 1.0
"""How often ranges and bans are read: a ban of another daemon holds within it."""
KNOWN_SECONDS = 60.0
"""How often it is read who logged in lately."""
SWEEP_SECONDS = 60.0
"""How often what nothing refers to any more is removed from the store."""
RETAIN_SECONDS = 3600.0
"""How often mail that has been in Trash, Junk or Rejects for its days is removed."""
DAY_US = 24 * 3600 * 1_000_000
CERTIFICATE_SECONDS = 15.0
"""How often the certificate folder is looked at."""

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TURNED_AWAY: Mapping[str, bytes] = {
    "smtp": b"421 4.7.0 Too many connections, please try again later\r\n",
    "imap": b"* BYE Too many connections, please try again later\r\n",
    "pop3": b"-ERR [SYS/TEMP] Too many connections, please try again later\r\n",
    "http": UNAVAILABLE,
}
NOT_READY: Mapping[str, bytes] = {
    "smtp": b"421 4.3.2 The mail store is not available at the moment, please try again later\r\n",
    "imap": b"* BYE [UNAVAILABLE] The mail store is not available at the moment, please try again later\r\n",
    "pop3": b"-ERR [SYS/TEMP] The mail store is not available at the moment, please try again later\r\n",
    "http": UNAVAILABLE,
}


class Daemon:
    """One running daemon."""

    def __init__(self, settings_file: Path) -> None:
        self._file = settings_file
        loading = read(settings_file)
        self._settings, self._sha256 = loading.settings, loading.sha256
        self._started_with = loading.settings
        logs = self._settings.logs
        self._files = LogFiles(logs.folder, logs.keep_days, json=logs.json)
        self._log = Log(self._files.put, debug=logs.debug)
        self._stop = asyncio.Event()
        self._services: Services | None = None
        self._sender: Outgoing | None = None
        self._background: Background | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        """Of sessions in and out."""
        self._loop = asyncio.get_running_loop()
        limits = self._settings.limits
        tls = self._settings.tls
        self._certificates = Certificates(tls.folder, self._settings.hostname, tls.default, tls.minimum)
        self._handshakes = FairQueue(
            "tls", threads=limits.handshakes or os.cpu_count() or 1, waiting=limits.handshakes_waiting
        )
        # Argon2 leaves a core to the loop where there is one.
        self._hashing = FairQueue(
            "argon2", threads=max(1, (os.cpu_count() or 2) - 1), waiting=limits.logins_waiting, lanes=LANES
        )
        self._budget = Budget(limits.unfinished_bytes)
        self._shared = Shared(self._log, self._certificates, self._handshakes, limits.handshake_seconds, read_buffer())
        self._admission = Admission(self._bounds(), time.monotonic, self._refusal, self._flooded, self._spared)
        self._server = Server(
            self._shared,
            self._admission,
            {name: partial(self._make, name) for name in NOT_READY},
            TURNED_AWAY,
            self._numbers,
        )

    # Life

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Serves until ``stop``; raises ``StoreError`` for a store that can never be used, ``OSError`` without logs."""
        self._files.start()
        self._log.application(f"Starting servers... (maild on {self._settings.hostname}, process {os.getpid()})")
        try:
            posix.listen(self.stop, self.reload)
            self._load_certificates()
            problems = self._listen()
            self._write_loaded(problems)
            started()
            self._spawn(self._watch_certificates())
            await self._serve()
        finally:
            await self._close()

    def stop(self) -> None:
        """Ends the daemon when running transactions are over."""
        self._stop.set()

    def reload(self) -> None:
        """Takes the settings and certificates as they are now; the old ones stay when they cannot be used."""
        self._spawn(self._reload())

    async def _serve(self) -> None:
        """Opens the store as soon as it can be opened, then works until the end."""
        key = wrap_key(self._settings, self._log)
        opened = await self._patiently(lambda: self._open_store(key))
        if opened is None:
            return
        store, rewrites = opened
        self._log.application("The mail store is open.")
        services = Services.build(self._settings, store, rewrites, hashing=self._hashing, log=self._log)
        self._services = services
        sender = Outgoing(
            self._settings,
            store,
            services.smtp.router,
            services.resolver,
            self._log,
            key=key,
            translator=translator,
            numbers=self._numbers,
        )
        services.smtp = replace(services.smtp, queued=sender.runner.wake, arriving=sender.runner.pacing.arrival)
        self._sender = sender
        self._spawn(sender.runner.run(self._stop))
        self._spawn(self._every(REFRESH_SECONDS, services.gate.refresh))
        self._spawn(self._every(KNOWN_SECONDS, services.login.refresh))
        self._spawn(self._every(SWEEP_SECONDS, partial(_sweep, store)))
        self._spawn(self._every(RETAIN_SECONDS, lambda: _retain(store, self._settings.retention)))
        self._background = Background(services, key, self._log)
        for seconds, work in self._background.jobs:
            self._spawn(self._every(seconds, work))
        await self._stop.wait()

    async def _open_store(self, key: bytes | None) -> tuple[Store, KeyedRewriting | None]:
        """The store and what must be read from it before mail is taken."""
        store = await open_store(self._settings.database, budget=self._budget)
        try:
            await store.wait(STORE_RETRY_SECONDS)
            return store, await rewriting(store, key, self._log)
        except StoreError:
            await store.close()
            raise

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """The result of some work as soon as the database lets it be done; None when the daemon ends before."""
        told = False
        while not self._stop.is_set():
            try:
                return await work()
            except StoreUnavailable as error:
                if not told:
                    self._log.fault("The database is not available yet; waiting for it", error)
                told = True
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), STORE_RETRY_SECONDS)
        return None

    async def _close(self) -> None:
        self._log.application("Stopping servers...")
        await self._server.close(self._settings.limits.drain_seconds)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._background is not None:
            with contextlib.suppress(StoreError):
                await self._background.save()
        if self._services is not None:
            await self._services.store.close()
        self._hashing.close()
        self._handshakes.close()
        self._log.application("Servers stopped.")
        self._files.close()

    # Connections

    def _make(self, protocol: str, listener: Listener) -> Session:
        """A session for a new connection; one that only says to come back while there is no store."""
        services = self._services
        if services is None:
            return Stream(partial(_come_back, NOT_READY[protocol]), 1)
        return services.session(listener)

    def _bounds(self) -> Bounds:
        limits, ban = self._settings.limits, self._settings.auto_ban
        return Bounds(
            limits.connections, limits.connections_per_address, ban.connections_per_minute if ban.enabled else 0
        )

    def _refusal(self, peer: Peer, protocol: str) -> str | None:
        return self._services.gate.refusal(peer, protocol) if self._services else None

    def _spared(self, peer: Peer) -> bool:
        return self._services.gate.spared(peer) if self._services else True

    def _flooded(self, peer: Peer) -> None:
        if self._services is not None:
            self._spawn(self._ban_flooder(self._services.gate, peer))

    async def _ban_flooder(self, gate: Gate, peer: Peer) -> None:
        await gate.ban(peer, f"more than {self._settings.auto_ban.connections_per_minute} connections a minute")

    # Reload

    async def _reload(self) -> None:
        try:
            loading = read(self._file)
        except SettingsError as error:
            self._log.fault("The settings were not loaded again", error)
            self._load_certificates()
            return
        settings = loading.settings
        self._settings, self._sha256 = settings, loading.sha256
        self._take_logs()
        tls = settings.tls
        self._certificates.folder, self._certificates.hostname = tls.folder, settings.hostname
        self._certificates.default, self._certificates.minimum = tls.default, tls.minimum
        self._load_certificates()
        self._take_limits()
        problems = self._listen()
        if self._services is not None:
            self._services.configure(settings)
        if self._services is not None and self._sender is not None:
            try:
                self._sender.configure(settings, self._services.smtp.router)
            except OSError as error:
                problems.append(f"mail to other servers is sent as before: {error}")
                self._log.fault(problems[-1])
        self._write_loaded(problems)
        later = waiting(self._started_with, settings)
        ending = f" What takes effect at the next start: {', '.join(later)}." if later else ""
        self._log.application(f"The settings were loaded again.{ending}")

    def _take_logs(self) -> None:
        logs = self._settings.logs
        try:
            self._files.configure(logs.folder, logs.keep_days, json=logs.json)
        except OSError as error:
            self._log.fault("The log stays where it is", error)
        self._log.debugging = logs.debug

    def _take_limits(self) -> None:
        limits = self._settings.limits
        self._budget.limit = limits.unfinished_bytes
        self._admission.bounds = self._bounds()
        self._handshakes.bound, self._hashing.bound = limits.handshakes_waiting, limits.logins_waiting
        self._shared.handshake_seconds = limits.handshake_seconds

    def _load_certificates(self) -> None:
        try:
            for problem in self._certificates.reload():
                self._log.fault(problem)
        except CertificateError as error:
            self._log.fault("No certificate can be used, TLS is not offered", error)
        for certificate in self._certificates.all:
            self._log.tcpip(
                f"Certificate {certificate.name} for {', '.join(certificate.names)}, "
                f"serial {certificate.serial:x}, until {certificate.not_after:%Y-%m-%d}."
            )

    def _listen(self) -> list[str]:
        problems = self._server.listen(self._settings.open_listeners)
        for problem in problems:
            self._log.fault(problem)
        return problems

    def _write_loaded(self, problems: list[str]) -> None:
        later = waiting(self._started_with, self._settings)
        loaded = Loaded.of(self._sha256, self._server.ports, problems, later)
        try:
            loaded.write(self._started_with.data_folder)
        except OSError as error:
            self._log.fault("loaded.json was not written", error)

    async def _watch_certificates(self) -> None:
        """Renewed certificates are used without anyone saying so."""
        seen = self._certificates.fingerprint()
        while True:
            await asyncio.sleep(CERTIFICATE_SECONDS)
            found = self._certificates.fingerprint()
            if found != seen:
                seen = found
                self._load_certificates()

    # Tasks

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Does some work again and again; a store that is away is said once."""
        away = False
        while True:
            try:
                await work()
                away = False
            except StoreError as error:
                if not away:
                    self._log.fault("The mail store does not answer", error)
                away = True
            await asyncio.sleep(seconds)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.fault("a part of the daemon has ended by a fault", error)


async def _sweep(store: Store) -> None:
    await store.maintenance.sweep()


async def _retain(store: Store, retention: Retention) -> None:
    now = time.time_ns() // 1000
    for use, days in (
        ("\\Trash", retention.trash_days),
        ("\\Junk", retention.junk_days),
        ("\\Rejects", retention.rejects_days),
    ):
        if days:
            await store.maintenance.retain(use, now - days * DAY_US)


async def _come_back(text: bytes, stream: Stream) -> None:
    stream.write(text)
