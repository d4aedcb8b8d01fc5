"""A running daemon changes a domain's keys on real name servers while mail flows: in no phase does a message fail."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import re
import smtplib
import ssl
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import dkim as dkimpy
import dns.resolver

from maild.cli.__main__ import main
from maild.mail import header
from maild.settings import load
from maild.store import Domain, Store, open_store
from maild.verify.dkim.rotation import Phase
from maild.verify.keyring import StoredKeys, record_of
from maild.verify.rotating import rotations
from maild.wrapping import read_wrap_key
from tests.lib.daemon import PASSWORDS, TEST_NET, Site
from tests.lib.exchange import OTHER, Exchange, exchange, wait_for
from tests.lib.knot import PRIMARY, SECONDARY, Knot, knot
from tests.lib.nameserver import NameServer

ABOUT = (
    "the daemon changes keys on Knot by RFC 2136, a secondary lagging; mail counted a phase, each signature verifies"
)
PACES = {"small": (2.0, 8.0, 0.4), "full": (15.0, 90.0, 0.2)}
"""Seconds a new key settles and an old one lingers, and between two messages."""
ORDER = (Phase.PUBLISHING, Phase.SETTLING, Phase.LINGERING, Phase.WITHDRAWING, Phase.DONE)
MESSAGES_A_SESSION = 200
"""Below what the daemon takes in one session."""
PATIENCE_SECONDS = 600
AFTER_SECONDS = 5.0
"""Mail goes on so long when all is done."""
_RESULT = re.compile(r"dkim=(\w+)[^;]*?header\.s=([^\s;]+)")


@dataclass
class Flow:
    """Messages on their way, by the phase they were handed in; ``phase`` is what the main thread saw last."""

    site: Site
    pause: float
    phase: Phase | str = "before"
    sent: dict[str, str] = field(default_factory=dict)
    """Phase by Subject."""
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Hands mail in as one of our people until it is stopped, some in each session."""
        while not self._stop.is_set():
            with smtplib.SMTP("localhost", self.site.ports["submission"], timeout=60) as client:
                self._hand_in(client)

    def _hand_in(self, client: smtplib.SMTP) -> None:
        client.starttls(context=ssl.create_default_context(cafile=str(self.site.ca)))
        client.ehlo("client")
        secret = f"\0id@{TEST_NET}\0{PASSWORDS['id']}".encode()
        client.docmd("AUTH", "PLAIN " + base64.b64encode(secret).decode())
        for _ in range(MESSAGES_A_SESSION):
            if self._stop.wait(self.pause):
                return
            name, phase = f"n{len(self.sent)}", self.phase
            message = f"From: id@{TEST_NET}\r\nSubject: {name}\r\n\r\n안녕하세요 {name}\r\n".encode()
            try:
                client.sendmail(f"id@{TEST_NET}", f"friend@{OTHER}", message)
                self.sent[name] = str(phase)
            except smtplib.SMTPException as error:
                self.failed.append(f"{name} in {phase}: {error}")

    def stop(self) -> None:
        self._stop.set()


@dataclass
class Receiver:
    """What came to the other server, each message judged when it was seen first."""

    site: Site
    port: int
    seen: int = 0
    selectors: dict[str, set[str]] = field(default_factory=dict)
    """Selectors of each message, by Subject."""
    failed: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Judges the messages that are new."""
        for message in asyncio.run(_messages(self.site, self.seen)):
            self.seen += 1
            name = (header.value(message, "Subject") or b"").decode()
            results = (header.value(message, "Authentication-Results") or b"").decode()
            signed = _RESULT.findall(results)
            self.selectors[name] = {selector for _, selector in signed}
            if [result for result, _ in signed] != ["pass", "pass"] or "dmarc=pass" not in results:
                self.failed.append(f"{name}: {results}")
            elif not _dkimpy(message, self.port):
                self.failed.append(f"{name}: dkimpy")


def run(size: str) -> dict[str, object]:
    settle, linger, pause = PACES[size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rotation-")))
        servers: list[Knot] = []

        def change(ours: Site, theirs: Site, _: NameServer) -> None:
            servers.append(stack.enter_context(knot(folder / "dns", zones(asyncio.run(_keys(ours))))))
            settings(ours, theirs, servers[0], settle, linger)

        both = stack.enter_context(exchange(folder / "both", change=change))
        receiver = Receiver(both.theirs.site, servers[0].port)
        flow = Flow(both.ours.site, pause)
        sender = threading.Thread(target=flow.run, daemon=True)
        sender.start()
        try:
            wait_for(lambda: len(flow.sent), lambda count: count > 2)
            old, new = begin(both)
            phases = follow(both, flow, receiver)
        finally:
            flow.stop()
            sender.join(60)
        assert set(phases) == set(ORDER), phases
        wait_for(lambda: _seen(receiver), lambda count: count >= len(flow.sent))
        judged(flow, receiver, old, new)
        left = asyncio.run(_selectors(both.ours.site))
        assert left == new, left
        told(both)
        for selector in old:
            assert _gone(selector, servers[0].port), f"{selector} is still published"
    return {
        "cases": len(flow.sent),
        "engine": "knot, primary and secondary, RFC 2136 with TSIG",
        "messages": dict(Counter(flow.sent.values())),
        "failed": 0,
        "seconds_in": {str(phase): round(seconds, 1) for phase, seconds in phases.items()},
        "old": sorted(old),
        "new": sorted(new),
    }


def zones(keys: dict[str, str]) -> dict[str, str]:
    """What both domains publish at first."""
    lines = [f"@ 5 MX 10 smtp.{TEST_NET}.", "smtp 5 A 127.0.0.1", '_dmarc 5 TXT "v=DMARC1; p=reject; adkim=s"']
    for owner, value in keys.items():
        lines.append(f"{owner}. 5 TXT " + " ".join(f'"{value[i : i + 255]}"' for i in range(0, len(value), 255)))
    return {TEST_NET: "\n".join(lines) + "\n", OTHER: f"@ 5 MX 10 mx.{OTHER}.\nmx 5 A 127.0.0.1\n"}


def settings(ours: Site, theirs: Site, server: Knot, settle: float, linger: float) -> None:
    """Ours writes to the primary; the receiver only ever asks the secondary, which follows later."""
    key = ours.folder / "update.key"
    key.write_text(f"{server.key.name} {server.key.secret}\n")
    # No SPF record: DMARC stands on the signatures alone.
    ours.more = (
        f'[dns]\nservers = ["{PRIMARY}#{server.port}"]\nport = {server.port}\n'
        f"[queue]\nport = {theirs.ports['smtp']}\n[policy]\nverify = false\nmessages_per_hour = 0\n"
        f'[dkim]\nupdate_server = "{PRIMARY}#{server.port}"\nupdate_key_file = "update.key"\n'
        f"settle_seconds = {settle}\nlinger_hours = {linger / 3600}\n"
    )
    theirs.more = f'[dns]\nservers = ["{SECONDARY}#{server.port}"]\n[policy]\nverify = true\n'


def begin(both: Exchange) -> tuple[set[str], set[str]]:
    """Tells our domain to change its keys, as an administrator does; the old and the new selectors."""
    old = asyncio.run(_selectors(both.ours.site))
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["dkim", "rotate", "테스트.net", "--settings", str(both.ours.site.settings)]) == 0
    assert "v=DKIM1" in out.getvalue()
    return old, asyncio.run(_selectors(both.ours.site)) - old


def follow(both: Exchange, flow: Flow, receiver: Receiver) -> dict[Phase, float]:
    """Only looks, until the daemon has come to the end by itself; seconds spent in each phase."""
    spent: dict[Phase, float] = {}
    deadline, last, ends = time.monotonic() + PATIENCE_SECONDS, time.monotonic(), 0.0
    while not ends or time.monotonic() < ends:
        assert time.monotonic() < deadline, f"still {flow.phase}"
        phase = asyncio.run(_phase(both.ours.site))
        flow.phase = phase
        now = time.monotonic()
        spent[phase] = spent.get(phase, 0.0) + now - last
        last = now
        if phase is Phase.DONE and not ends:
            ends = now + AFTER_SECONDS
        receiver.look()
        time.sleep(0.2)
    return spent


def judged(flow: Flow, receiver: Receiver, old: set[str], new: set[str]) -> None:
    """Every message arrived and verified, in every phase there were some, and the keys changed in between."""
    assert not flow.failed, flow.failed[:5]
    assert not receiver.failed, f"{len(receiver.failed)} failed: {receiver.failed[:5]}"
    assert set(receiver.selectors) == set(flow.sent)
    counted = Counter(flow.sent.values())
    assert all(counted[phase] for phase in ORDER), counted
    by_phase: dict[str, set[str]] = {}
    for name, phase in flow.sent.items():
        by_phase.setdefault(phase, set()).update(receiver.selectors[name])
    assert by_phase["before"] == old, by_phase
    assert by_phase[Phase.PUBLISHING] == old, by_phase
    assert by_phase[Phase.DONE] == new, by_phase


def told(both: Exchange) -> None:
    """The log names the records and each step."""
    log = both.ours.log()
    for words in ("enter these records", "mail is signed with the new keys", "the old records can be removed now"):
        assert words in log, words
    assert "v=DKIM1" in log


def _seen(receiver: Receiver) -> int:
    receiver.look()
    return receiver.seen


async def _keys(ours: Site) -> dict[str, str]:
    loaded = load(ours.settings)
    store = await open_store(loaded.database)
    try:
        await store.directory.save_domain(Domain(name=TEST_NET))
        rows = await StoredKeys(store.keys, read_wrap_key(loaded.dkim.wrap_key_file, create=True)).ensure(TEST_NET)
    finally:
        await store.close()
    return {f"{row.selector}._domainkey.{row.domain}": record_of(row) for row in rows}


async def _opened(site: Site) -> Store:
    return await open_store(site.database_settings(), migrate=False)


async def _phase(site: Site) -> Phase:
    store = await _opened(site)
    try:
        under_way = await rotations(store.state)
        return under_way[0].phase if under_way else Phase.DONE
    finally:
        await store.close()


async def _selectors(site: Site) -> set[str]:
    store = await _opened(site)
    try:
        return {row.selector for row in await store.keys.dkim(TEST_NET)}
    finally:
        await store.close()


async def _messages(site: Site, after: int) -> list[bytes]:
    store = await _opened(site)
    try:
        account = await store.directory.account_named("friend", OTHER)
        assert account is not None
        rows = await store.messages.range(account.inbox_id, after + 1, 0xFFFFFFFF, 10_000)
        return [await store.messages.read(row.blob_id) for row in rows]
    finally:
        await store.close()


def _resolver(port: int) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [SECONDARY], port
    return resolver


def _dkimpy(message: bytes, port: int) -> bool:
    resolver = _resolver(port)

    def text(name: bytes, **_: object) -> bytes:
        return b"".join(resolver.resolve(name.decode(), "TXT")[0].strings)

    return all(dkimpy.DKIM(message).verify(idx=number, dnsfunc=text) for number in range(2))


def _gone(selector: str, port: int) -> bool:
    try:
        _resolver(port).resolve(f"{selector}._domainkey.{TEST_NET}", "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return True
    return False
