"""Builds the sending side of a daemon from its settings: the queue's runner, the client, signing, SRS.

Part of the wiring that ``app`` does; split from it because it is a whole of its own. Without a wrap key nothing is
signed and nothing rewritten, and the log says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import time
import urllib.parse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import certifi

from maild.delivery.endpoints import Endpoints, SmartHost, Ways
from maild.delivery.expansion import Expansion
from maild.delivery.hosts import Families, addresses_of
from maild.delivery.next_hop import Capabilities, HopError, Login
from maild.delivery.notices import Translate
from maild.delivery.rewriting import KeyedRewriting
from maild.delivery.router import Router
from maild.delivery.runner import Pace, Runner
from maild.delivery.schedule import MINUTE, Schedule
from maild.delivery.sts import MAX_POLICY_BYTES, Fetch
from maild.delivery.tell import Teller
from maild.delivery.transfer_encoding import fitting, is_signed
from maild.dns import Resolver
from maild.dns.names import to_query
from maild.log import Log
from maild.mail import return_path
from maild.net.fetch import https_get
from maild.settings import Settings
from maild.smtp.client import Client
from maild.smtp.client_tls import Trust
from maild.store import QueueItem, Store, TLSMode
from maild.verify import StoredKeys, sign_outgoing
from maild.wrapping import WrappingError, read_wrap_key, unwrap, wrap

FETCH_SECONDS = 60.0
"""Time an MTA-STS policy may take (RFC 8461 section 3.3 suggests a minute)."""
INLINE_BYTES = 64 * 1024
"""A larger message is looked through and encoded in a thread, so that it does not hold the loop."""
SRS_PURPOSE = "srs"
ROUTE_PURPOSE = "route"
SMART_HOST_TLS = {
    "opportunistic": TLSMode.OPPORTUNISTIC,
    "starttls": TLSMode.REQUIRED,
    "implicit": TLSMode.IMPLICIT,
}


def wrap_key(settings: Settings, log: Log) -> bytes | None:
    """The host's wrap key, made at the first start; None, and a line in the log, when it cannot be had."""
    try:
        return read_wrap_key(settings.dkim.wrap_key_file, create=True)
    except (WrappingError, OSError) as error:
        log.fault("Outgoing mail is not signed and forwarded senders are not rewritten", error)
        return None


async def rewriting(store: Store, key: bytes | None, log: Log) -> KeyedRewriting | None:
    """SRS with the keys of the store; None, and a line in the log, without the wrap key that opens them."""
    if key is None:
        return None
    found = KeyedRewriting(lambda: time.time_ns() // 1000)
    try:
        await found.refresh(
            store.keys, lambda plain: wrap(plain, key, SRS_PURPOSE), lambda sealed: unwrap(sealed, key, SRS_PURPOSE)
        )
    except WrappingError as error:
        log.fault("Forwarded senders are not rewritten", error)
        return None
    return found


class Outgoing:
    """The sending side: its ``runner``, and the parts that follow a reload."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        router: Router,
        resolver: Resolver,
        log: Log,
        *,
        key: bytes | None,
        translator: Callable[[str], Translate],
        numbers: Iterator[int],
    ) -> None:
        self._store, self._resolver, self._log, self._key = store, resolver, log, key
        self._keys: StoredKeys | None = None
        self._validating: bool | None = None
        ways, schedule = _ways(settings), schedule_of(settings)
        self._client = Client(settings.hostname, Trust(settings.queue.ca_file), log, numbers=numbers)
        self._endpoints = Endpoints(
            ways,
            resolver,
            store.directory,
            store.state,
            fetch=policy_fetcher(resolver, ways.families, settings.queue.ca_file),
            unwrap=lambda sealed: unwrap(sealed, key or b"", ROUTE_PURPOSE).decode(),
        )
        self._expansion = Expansion(
            router,
            store.directory,
            store.messages,
            store.queue,
            store.state,
            language=settings.language,
            translator=translator,
            web=web_base(settings),
        )
        self._teller = Teller(
            router,
            store.directory,
            store.messages,
            store.queue,
            hostname=settings.hostname,
            language=settings.language,
            lifetime=schedule.lifetime,
            translator=translator,
        )
        self._owner = owner_of(settings)
        self.runner = Runner(
            store.queue,
            self._pace(settings),
            schedule,
            endpoints=self._endpoints,
            connect=self._client,
            body=self._body,
            expansion=self._expansion,
            teller=self._teller,
            log=log,
        )
        self._take(settings)

    def configure(self, settings: Settings, router: Router) -> None:
        """Takes changed settings; raises ``OSError``, and changes nothing, for a file that cannot be read."""
        ways, trust, schedule = _ways(settings), Trust(settings.queue.ca_file), schedule_of(settings)
        self._client.configure(settings.hostname, trust)
        self._endpoints.configure(ways, policy_fetcher(self._resolver, ways.families, settings.queue.ca_file))
        self._expansion.configure(router, language=settings.language, web=web_base(settings))
        self._teller.configure(
            router, hostname=settings.hostname, language=settings.language, lifetime=schedule.lifetime
        )
        self.runner.configure(self._pace(settings), schedule)
        self._take(settings)

    def _pace(self, settings: Settings) -> Pace:
        queue = settings.queue
        return Pace(owner=self._owner, workers=queue.workers, per_destination=queue.per_destination)

    def _take(self, settings: Settings) -> None:
        """Signing, and what is said of DANE when that changes."""
        self._keys = StoredKeys(self._store.keys, self._key) if self._key is not None and settings.dkim.sign else None
        if self._validating is not settings.dns.validating:
            self._validating = settings.dns.validating
            on = "DANE on: the resolver validates." if self._validating else "DANE off: no validating resolver."
            self._log.application(on)

    async def _body(self, item: QueueItem, peer: Capabilities) -> bytes:
        """The bytes for this peer: encoded where it would not take them as they are, then signed."""
        message = return_path.without(b"".join([piece async for piece in self._store.messages.chunks(item.blob_id)]))
        if not is_signed(message):
            work = partial(fitting, message, eight_bit=peer.eight_bit)
            message = work() if len(message) <= INLINE_BYTES else await asyncio.to_thread(work)
        if self._keys is None:
            return message
        signed = await sign_outgoing(message, self._keys, sender_domain=item.sender.rpartition("@")[2])
        return signed.fields + message


def owner_of(settings: Settings) -> str:
    """Who leases queue rows: the same after a restart, another on every machine and for every data folder."""
    place = hashlib.sha256(str(settings.data_folder.resolve()).encode()).hexdigest()[:8]
    return f"{socket.gethostname()[:40]}/{place}"


def schedule_of(settings: Settings) -> Schedule:
    """The retry schedule of the settings."""
    queue = settings.queue
    return Schedule(
        first=queue.first_retry_minutes * MINUTE,
        longest=queue.longest_retry_minutes * MINUTE,
        lifetime=queue.lifetime_hours * 60 * MINUTE,
        notice=queue.delay_notice_hours * 60 * MINUTE,
    )


def _ways(settings: Settings) -> Ways:
    """IPv4 unless only an IPv6 address of ours is known, IPv6 only with one (SPF and PTR must fit what is used)."""
    families = Families(
        ipv4=bool(settings.public_ipv4) or not settings.public_ipv6,
        ipv6=bool(settings.public_ipv6) and socket.has_ipv6,
    )
    return Ways(
        families=families, port=settings.queue.port, dane=settings.dns.validating, smart_host=_smart_host(settings)
    )


def _smart_host(settings: Settings) -> SmartHost | None:
    queue = settings.queue
    if not queue.smart_host:
        return None
    host, colon, port = queue.smart_host.rpartition(":")
    named = bool(colon) and port.isdigit() and not host.endswith(":")
    login = None
    if queue.smart_host_user and queue.smart_host_password_file is not None:
        secret = queue.smart_host_password_file.read_text(encoding="utf-8").strip()
        login = Login(mechanism="PLAIN", user=queue.smart_host_user, secret=secret)
    default = 465 if queue.smart_host_tls == "implicit" else 587
    return SmartHost(
        host=host if named else queue.smart_host,
        port=int(port) if named else default,
        tls=SMART_HOST_TLS[queue.smart_host_tls],
        login=login,
    )


def web_base(settings: Settings) -> str:
    """``https://host[:port]`` of the daemon's own pages; empty while no listener shows them."""
    port = next((each.port for each in settings.open_listeners if each.protocol == "http"), 0)
    host = to_query(settings.hostname)
    if not port or host is None:
        return ""
    return f"https://{host}" if port == 443 else f"https://{host}:{port}"


def policy_fetcher(resolver: Resolver, families: Families, authorities: Path | None) -> Fetch:
    """Fetches MTA-STS policies: names by our resolver, certificates by certifi or the authorities of the settings."""
    context = ssl.create_default_context(cafile=str(authorities or certifi.where()))

    async def fetch(url: str) -> bytes:
        try:
            addresses = await addresses_of(urllib.parse.urlsplit(url).hostname or "", resolver, families)
        except HopError as error:
            raise OSError(str(error)) from error
        return await https_get(url, addresses, context, limit=MAX_POLICY_BYTES, seconds=FETCH_SECONDS)

    return fetch
