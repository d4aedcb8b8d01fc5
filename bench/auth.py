"""Signing and verifying beside dkimpy and a resident opendkim, SPF beside pyspf, all checks of a message, loop lag.

Single-threaded; opendkim is driven by miltertest over a Unix socket, so its figure holds the milter's cost as a real
one does. Ratios are ours over theirs: above 1 we are faster.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dkim as dkimpy
import spf as pyspf
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from maild.dns import MX
from maild.verify import FixedKeys, Peer, check_message, sign_outgoing
from maild.verify.dkim import Algorithm, SigningKey, Verifier
from maild.verify.message import Splitter, slices
from maild.verify.spf import check_sender
from tests.lib import milters
from tests.lib.dkim import key, signed, zone
from tests.lib.zones import Zones

ABOUT = "DKIM against dkimpy and opendkim, SPF against pyspf, cost of all checks, loop lag on 50 MB"
SECONDS = {"small": 0.3, "full": 3.0}
"""How long each figure is measured."""
SIZES = {"4 KB": 4_096, "10 MB": 10_000_000}
TARGETS = {"rsa": {"dkimpy": 5.0, "opendkim": 1.0}, "ed25519 sign": 3.0, "ed25519 verify": 1.5}
DOMAIN = "a.example"
IP = "192.0.2.25"
LAG_OCTETS = 50_000_000


def run(size: str) -> dict[str, object]:
    seconds = SECONDS[size]
    rsa, edwards = key(DOMAIN, "rsa"), key(DOMAIN, "ed", Algorithm.ED25519)
    figures: dict[str, object] = {"targets": TARGETS}
    for name, octets in SIZES.items():
        message = _message(octets)
        figures[f"rsa {name}"] = _rsa(message, rsa, seconds)
        figures[f"ed25519 {name}"] = _ed25519(message, edwards, seconds)
    figures["spf"] = _spf(seconds)
    figures["all checks 4 KB"] = _all_checks(rsa, edwards, seconds)
    figures["loop lag"] = asyncio.run(_lag(rsa, edwards))
    return figures


def _message(octets: int) -> bytes:
    head = (
        f"From: id@{DOMAIN}\r\nTo: you@receiver.example\r\nSubject: x\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
        f"Message-ID: <1@{DOMAIN}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    ).encode()
    line = b"The quick brown fox jumps over the lazy dog, and 1 2 3 more words.\r\n"
    return head + line * ((octets - len(head)) // len(line))


def _micros(work: Callable[[], object], seconds: float) -> float:
    """Microseconds of our CPU for one call: the best of three stretches, so that a busy machine counts for less."""
    best = float("inf")
    for _ in range(3):
        count, started = 0, time.process_time()
        while count == 0 or time.process_time() - started < seconds / 3:
            work()
            count += 1
        best = min(best, (time.process_time() - started) / count * 1e6)
    return round(best, 1)


def _verify_micros(message: bytes, own: SigningKey, seconds: float) -> float:
    """The same for our verifier, many messages a loop as in a daemon."""
    resolver, now = Zones(zone(own)), time.time()
    batch = 50 if len(message) < 100_000 else 1

    async def many() -> None:
        for _ in range(batch):
            splitter = Splitter()
            body = splitter.feed(message)
            verifier = Verifier(splitter.finish(), now)
            for piece in slices(body):
                verifier.feed(piece)
            assert [check.result for check in await verifier.finish(resolver)] == ["pass"]

    return round(_micros(lambda: asyncio.run(many()), seconds) / batch, 1)


def _beside(ours: float, theirs: Mapping[str, float]) -> dict[str, float]:
    return {"maild": ours, **theirs, **{f"ratio {name}": round(figure / ours, 2) for name, figure in theirs.items()}}


def _rsa(message: bytes, own: SigningKey, seconds: float) -> dict[str, object]:
    whole = signed(message, own, now=time.time())
    record = own.record.encode()
    with tempfile.TemporaryDirectory(prefix="bench-auth-") as name:
        folder = Path(name)
        signing = {
            "dkimpy": _micros(
                lambda: dkimpy.sign(message, b"rsa", DOMAIN.encode(), own.pem(), canonicalize=RELAXED), seconds
            ),
            "opendkim": _opendkim_sign(message, own, folder, seconds),
        }
        verifying = {
            "dkimpy": _micros(lambda: dkimpy.verify(whole, dnsfunc=lambda _, **__: record), seconds),
            "opendkim": _opendkim_verify(whole, own, folder, seconds),
        }
    return {
        "sign_us": _beside(_micros(lambda: signed(message, own), seconds), signing),
        "verify_us": _beside(_verify_micros(whole, own, seconds), verifying),
    }


RELAXED = (b"relaxed", b"relaxed")


def _ed25519(message: bytes, own: SigningKey, seconds: float) -> dict[str, object]:
    whole = signed(message, own, now=time.time())
    record = own.record.encode()
    seed = _seed(own)

    def theirs() -> object:
        return dkimpy.sign(
            message, b"ed", DOMAIN.encode(), seed, canonicalize=RELAXED, signature_algorithm=b"ed25519-sha256"
        )

    return {
        "sign_us": _beside(_micros(lambda: signed(message, own), seconds), {"dkimpy": _micros(theirs, seconds)}),
        "verify_us": _beside(
            _verify_micros(whole, own, seconds),
            {"dkimpy": _micros(lambda: dkimpy.verify(whole, dnsfunc=lambda _, **__: record), seconds)},
        ),
    }


def _seed(own: SigningKey) -> bytes:
    """The private key as dkimpy takes it: base64 of its 32 octets."""
    return base64.b64encode(own.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def _opendkim_sign(message: bytes, own: SigningKey, folder: Path, seconds: float) -> float:
    pem = folder / "key.pem"
    pem.write_bytes(own.pem())
    pem.chmod(0o600)
    (folder / "keys").write_text(f"k {DOMAIN}:rsa:{pem}\n")
    (folder / "signing").write_text(f"*@{DOMAIN} k\n")
    settings = {
        "Mode": "s",
        "KeyTable": f"file:{folder}/keys",
        "SigningTable": f"refile:{folder}/signing",
        "InternalHosts": "0.0.0.0/0",
        "Canonicalization": "relaxed/relaxed",
        "RequireSafeKeys": "no",
    }
    return _through(settings, message, "DKIM-Signature", folder, seconds)


def _opendkim_verify(message: bytes, own: SigningKey, folder: Path, seconds: float) -> float:
    (folder / "public").write_text(f"rsa._domainkey.{DOMAIN} {own.record}\n")
    settings = {"Mode": "v", "AuthservID": milters.SERVER, "TestPublicKeys": folder / "public"}
    return _through(settings, message, "Authentication-Results", folder, seconds)


def _through(settings: Mapping[str, object], message: bytes, field: str, folder: Path, seconds: float) -> float:
    """Microseconds a message of a resident filter, the start of miltertest taken off by two counts."""
    with milters.running("opendkim", settings, folder) as socket:

        def timed(count: int) -> float:
            mails = [milters.Mail(f"m{number}", message) for number in range(count)]
            started = time.perf_counter()
            answers = milters.sent(socket, mails, folder, field=field)
            assert all(answers.values())
            return time.perf_counter() - started

        few, many = 2, 2 + max(4, int(seconds * (300 if len(message) < 100_000 else 6)))
        best = min((timed(many) - timed(few)) / (many - few) for _ in range(2))
    return round(max(best, 1e-6) * 1e6, 1)


SPF_RECORD = b"v=spf1 a:a.a.example mx include:inc.a.example ip4:192.0.2.0/27 -all"
SPF_ZONE = {
    DOMAIN: {"TXT": [SPF_RECORD], "MX": [MX(10, "mx.a.example")]},
    "a.a.example": {"A": ["198.51.100.1"]},
    "mx.a.example": {"A": ["198.51.100.2"]},
    "inc.a.example": {"TXT": [b"v=spf1 ip4:203.0.113.0/24 -all"]},
}


def _spf(seconds: float) -> dict[str, float]:
    """Both over the same table in memory."""
    resolver = Zones(SPF_ZONE)  # type: ignore[arg-type]

    def look_up(name: str, rdtype: str, *_: object, **__: object) -> list[object]:
        values = SPF_ZONE.get(name.rstrip("."), {}).get(rdtype, [])
        return [
            ((name, rdtype), (one.preference, one.host) if isinstance(one, MX) else (one,) if rdtype == "TXT" else one)
            for one in values
        ]

    async def many() -> None:
        for _ in range(50):
            assert (await check_sender(resolver, IP, f"id@{DOMAIN}", "smtp.a.example")).result == "pass"

    original = pyspf.DNSLookup
    pyspf.DNSLookup = look_up
    try:
        assert pyspf.check2(IP, f"id@{DOMAIN}", "smtp.a.example")[0] == "pass"
        theirs = _micros(lambda: pyspf.check2(IP, f"id@{DOMAIN}", "smtp.a.example"), seconds)
    finally:
        pyspf.DNSLookup = original
    return _beside(round(_micros(lambda: asyncio.run(many()), seconds) / 50, 1), {"pyspf": theirs})


def _all_checks(rsa: SigningKey, edwards: SigningKey, seconds: float) -> dict[str, float]:
    """SPF, two signatures, DMARC, ARC and the reverse name of one message, DNS from memory; and signing it twice."""
    message = signed(_message(SIZES["4 KB"]), rsa, edwards, now=time.time())
    table = (
        SPF_ZONE
        | zone(rsa, edwards)
        | {
            f"_dmarc.{DOMAIN}": {"TXT": [b"v=DMARC1; p=reject; adkim=s"]},
            "25.2.0.192.in-addr.arpa": {"PTR": ["smtp.a.example"]},
            "smtp.a.example": {"A": [IP]},
        }
    )
    resolver, ring = Zones(table), FixedKeys({DOMAIN: (rsa, edwards)})  # type: ignore[arg-type]
    peer = Peer(ip=IP, helo="smtp.a.example", sender=f"id@{DOMAIN}")

    async def checks() -> None:
        for _ in range(20):
            assert (await check_message(message, peer, resolver=resolver, server="us.example")).action == "accept"

    async def signatures() -> None:
        for _ in range(20):
            await sign_outgoing(message, ring)

    return {
        "check_us": round(_micros(lambda: asyncio.run(checks()), seconds) / 20, 1),
        "sign_us": round(_micros(lambda: asyncio.run(signatures()), seconds) / 20, 1),
    }


async def _lag(rsa: SigningKey, edwards: SigningKey) -> dict[str, float]:
    """How late a waiting task runs while 50 MB are signed and checked."""
    body = _message(LAG_OCTETS)
    ring, resolver = FixedKeys({DOMAIN: (rsa, edwards)}), Zones(SPF_ZONE | zone(rsa, edwards))  # type: ignore[arg-type]
    late: list[float] = []

    async def watch() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0)
            late.append((time.perf_counter() - started) * 1000)

    watcher = asyncio.create_task(watch())
    started = time.perf_counter()
    signature = await sign_outgoing(_chunks(body), ring)
    message = signature.fields + body
    peer = Peer(ip=IP, helo="smtp.a.example", sender=f"id@{DOMAIN}")
    verdict = await check_message(_chunks(message), peer, resolver=resolver, server="us.example")
    took = time.perf_counter() - started
    watcher.cancel()
    assert [check.result for check in verdict.facts.dkim] == ["pass", "pass"]
    late.sort()
    return {
        "p99_ms": round(late[int(len(late) * 0.99)], 2),
        "worst_ms": round(late[-1], 2),
        "seconds": round(took, 2),
        "target_p99_ms": 20.0,
    }


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[i : i + 65_536] for i in range(0, len(data), 65_536))
