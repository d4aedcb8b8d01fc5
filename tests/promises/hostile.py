"""Whatever zones and headers hold, a message gets a verdict: no exception, time and memory in bounds."""

from __future__ import annotations

import asyncio
import random
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from maild.dns import MX, Answer, Record
from maild.dns.resolver import CachingResolver, Limits
from maild.dns.upstream import DirectUpstream
from maild.verify import Peer, Verdict, check_message, without_forged
from tests.lib.dkim import pair, signed, zone
from tests.lib.nameserver import NameServer
from tests.lib.zones import Zones

ABOUT = "endless includes, 64 KB TXT, wrong types, loops, slow servers, 100,000 signatures, garbage: always a verdict"
SEED = 11
COUNTS = {"small": 300, "full": 6000}
CPU_SECONDS = 10.0
"""For the worst message; measured under one second on an idle machine, the rest is room for a loaded one."""
MEMORY_FACTOR = 30
"""Peak memory over the size of the header that causes it (fields as objects); a megabyte of header is the limit."""
MEMORY_FLOOR = 32 << 20
PEER = Peer(ip="192.0.2.1", helo="smtp.a.example", sender="a@a.example")
BODY = b"From: a@a.example\r\nSubject: x\r\n\r\nHello.\r\n"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A resolver that answers every question with records of some other type."""

    records: Sequence[Record]

    async def query(self, name: str, rdtype: str) -> Answer:
        return Answer(tuple(self.records), False, 60, f"{name}{rdtype[:0]}")


def run(size: str) -> dict[str, object]:
    figures: dict[str, dict[str, float]] = {}
    for name, message in headers().items():
        figures[f"header: {name}"] = judged(message, Zones({}))
    for name, resolver in resolvers().items():
        figures[f"dns: {name}"] = judged(signed(BODY, *pair("a.example"), now=time.time()), resolver)
    figures["dns: slow and looping servers"] = real_servers()
    count = COUNTS[size]
    started = time.process_time()
    for number in range(count):
        rng = random.Random(f"{SEED}/{number}")
        asyncio.run(check_message(garbage(rng), PEER, resolver=Zones(garbage_zone(rng)), server="us.example"))
    worst = max(figures, key=lambda name: figures[name]["cpu_seconds"])
    return {
        "cases": len(figures) + count,
        "seed": SEED,
        "worst": worst,
        "figures": figures,
        "random_cpu_ms": round((time.process_time() - started) / count * 1000, 2),
    }


def judged(message: bytes, resolver: object) -> dict[str, float]:
    """CPU and peak memory of a verdict; both must be in bounds, and stripping forged results too."""
    started = time.process_time()
    verdict = _verdict(message, resolver)
    without_forged(message, "us.example")
    seconds = time.process_time() - started
    tracemalloc.start()
    _verdict(message, resolver)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert verdict.headers.endswith(b"\r\n")
    assert len(verdict.headers) < 65_536, "our own fields grow with what strangers write"
    assert seconds < CPU_SECONDS, f"{seconds:.1f} s of CPU"
    assert peak < MEMORY_FLOOR + MEMORY_FACTOR * min(len(message), 2 << 20), f"{peak >> 20} MiB"
    return {"cpu_seconds": round(seconds, 3), "peak_mib": round(peak / (1 << 20), 1)}


def _verdict(message: bytes, resolver: object) -> Verdict:
    return asyncio.run(check_message(message, PEER, resolver=resolver, server="us.example"))  # type: ignore[arg-type]


def headers() -> Mapping[str, bytes]:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=AA==; b=AA==\r\n"
    seal = b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=a.example; s=s; b=AA==\r\n"
    return {
        "100,000 signatures": signature * 100_000 + BODY,
        "one signature of 10 MB": b"DKIM-Signature: " + b"a=b; " * 2_000_000 + b"\r\n" + BODY,
        "h= with 100,000 names": b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; bh=AA==; b=AA==; h="
        + b"from:" * 100_000
        + b"\r\n"
        + BODY,
        "folded garbage": b"DKIM-Signature: v=1;" + b"\r\n \t" * 200_000 + b"\r\n" + BODY,
        "bare CR": b"DKIM-Signature: v=1;\r a=b;\r\r\r" * 50_000 + b"\r\n" + BODY,
        "no line ends": b"x" * 5_000_000,
        "only line ends": b"\r\n" * 2_000_000,
        "only spaces": b" " * 5_000_000,
        "spaces in the body": BODY + b" " * 5_000_000,
        "empty lines in the body": signed(BODY, *pair("a.example"), now=time.time()) + b"\r\n" * 2_000_000,
        "nested comments": b"Authentication-Results: " + b"(" * 60_000 + b"us.example\r\n" + BODY,
        "50,000 results fields": b"Authentication-Results: us.example; spf=pass\r\n" * 20_000 + BODY,
        "100,000 authors": b"From: " + b"a@a.example, " * 100_000 + b"b@b.example\r\n\r\nx\r\n",
        "nested groups": b"From: " + b"a:" * 200_000 + b"\r\n\r\nx\r\n",
        "1,000 seals": b"".join(seal % (i % 60) for i in range(1000)) + BODY,
        "an incomplete chain of 50": b"".join(seal % i for i in range(1, 51)) + BODY,
        "NUL and 8 bit": bytes(range(256)) * 4000,
    }


def resolvers() -> Mapping[str, object]:
    txt: Callable[[bytes], dict[str, list[Record]]] = lambda text: {"TXT": [text]}  # noqa: E731 - a short name
    keys = zone(*pair("a.example"))
    long = b"v=spf1 " + b"ip4:192.0.2.77 " * 4000 + b"-all"
    loop = {f"i{i}.example": txt(b"v=spf1 include:i%d.example -all" % ((i + 1) % 99)) for i in range(99)}
    wide = b"v=spf1 " + b"".join(b"include:a.example " for _ in range(500)) + b"-all"
    many = {"TXT": [b"v=spf1 mx ptr -all"], "MX": [MX(i, f"m{i}.example") for i in range(250)]}
    names = {"1.2.0.192.in-addr.arpa": {"PTR": [f"m{i}.example" for i in range(250)]}}
    return {
        "endless includes": Zones({"a.example": txt(b"v=spf1 include:i0.example -all"), **loop, **keys}),  # type: ignore[dict-item]
        "a record that includes itself": Zones({"a.example": txt(wide), **keys}),  # type: ignore[dict-item]
        "64 KB of SPF": Zones({"a.example": txt(long), **keys}),  # type: ignore[dict-item]
        "64 KB at the key": Zones({"dkim._domainkey.a.example": txt(b"v=DKIM1; p=" + b"A" * 65_000)}),
        "64 KB of DMARC": Zones({"_dmarc.a.example": txt(b"v=DMARC1; p=reject;" + b" x=y;" * 12_000)}),
        "250 MX and PTR names": Zones({"a.example": many, **names}),  # type: ignore[dict-item]
        "texts for addresses": Wrong([b"v=spf1 a mx ptr exists:%{i}.x.example -all"]),
        "addresses for texts": Wrong(["192.0.2.1"]),
        "names for everything": Wrong([MX(1, "a.example"), "x" * 300]),
        "odd bytes": Wrong([bytes(range(256))]),
        "time-outs": Zones(dict.fromkeys(("a.example", "_dmarc.a.example", "dkim._domainkey.a.example"), "TIMEOUT")),
    }


def real_servers() -> dict[str, float]:
    """CNAME loops, silence and answers over every limit, from a real server through the real resolver."""
    server = NameServer()
    try:
        server.zone(
            "a.example",
            '@ 60 IN TXT "v=spf1 a:loop1.a.example mx:slow.a.example include:big.a.example -all"\n'
            "loop1 60 IN CNAME loop2\nloop2 60 IN CNAME loop1\nslow 60 IN A 192.0.2.1\n"
            + "".join(f'big 60 IN TXT "{i} {"x" * 240}"\n' for i in range(250)),
        )
        server.fault("slow.a.example", silent=True)
        server.fault("_dmarc.a.example", delay=0.2)
        server.fault("dkim._domainkey.a.example", rcode="REFUSED")
        limits = Limits(seconds=1.0, records=100)
        resolver = CachingResolver(DirectUpstream([server.server], timeout=0.3), limits=limits)
        return judged(signed(BODY, *pair("a.example"), now=time.time()), resolver)
    finally:
        server.close()


PIECES = (
    b"DKIM-Signature:", b"ARC-Seal:", b"ARC-Message-Signature:", b"ARC-Authentication-Results:", b"From:",
    b"Authentication-Results:", b"\r\n", b"\r", b"\n", b"\r\n ", b" ", b";", b"=", b"(", b")", b'"', b"\\", b"\0",
    b"v=1;", b"a=rsa-sha256;", b"d=a.example;", b"s=dkim;", b"h=from:to;", b"bh=AAAA;", b"b=AAAA;", b"l=3;", b"i=1;",
    b"x=9;", b"t=1;", b"cv=none;", b"c=relaxed/simple;", b"us.example", b"a@a.example", b"<", b">", b",", b":",
    "테스트.net".encode(), "주문".encode("euc-kr"), b"\x1b$)C", b"\xff\xfe", b"=?EUC-KR?B?wMe4rg==?=",
)  # fmt: skip


def garbage(rng: random.Random) -> bytes:
    """Pieces of real headers in any order."""
    return b"".join(rng.choice(PIECES) for _ in range(rng.randint(0, 120)))


TERMS = (
    *[
        "v=spf1",
        "a",
        "mx",
        "ptr",
        "include:a.example",
        "exists:%{ir}.%{l1r-}.%{d2}",
        "redirect=a.example",
        "ip4:1.2.3.4/0",
        "ip6:::/0",
    ],
    *[
        "exp=a.example",
        "-all",
        "%{",
        "%%",
        "//",
        "a:/33",
        "v=DMARC1;",
        "p=reject;",
        "np=;",
        "psd=y;",
        "rua=mailto:",
        "v=DKIM1;",
        "k=rsa;",
        "k=ed25519;",
    ],
    *("p=AAAA;", "t=s:y;", "h=sha256;", "\u200b", "테스트"),
)


def garbage_zone(rng: random.Random) -> dict[str, dict[str, list[Record]]]:
    """Records made of pieces of real ones."""
    owners = ("a.example", "_dmarc.a.example", "dkim._domainkey.a.example", "1.2.0.192.in-addr.arpa", "smtp.a.example")
    return {
        owner: {
            "TXT": [" ".join(rng.choice(TERMS) for _ in range(rng.randint(0, 12))).encode()],
            "PTR": [rng.choice(["a.example", "", "x" * 70, "."])],
            "MX": [MX(0, rng.choice([".", "a.example", "192.0.2.1"]))],
            "A": ["192.0.2.1"],
        }
        for owner in owners
        if rng.random() < 0.8
    }
