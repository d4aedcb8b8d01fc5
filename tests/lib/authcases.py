"""Generated messages for comparing authentication: zones, envelopes, signers, and what was done on the way.

A case is made from a seed and its number alone. Signers are ours, dkimpy and (in a batch) opendkim; each class says
what happens behind the signature, so that passing and failing mail are both there in known shares.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dkim as dkimpy

from maild.dns import MX, Record
from maild.verify.dkim import Algorithm
from tests.lib import milters
from tests.lib.dkim import key, signed, zone

Types = dict[str, Sequence[Record]]
Table = dict[str, Types | str]
US, STRANGER = "192.0.2.25", "198.51.100.7"
CANONS = ("relaxed/relaxed", "relaxed/simple", "simple/simple")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One message on its way to us."""

    id: str
    kind: str
    signer: str
    canon: str
    domain: str
    author: str
    ip: str
    helo: str
    sender: str
    message: bytes
    table: Table = field(default_factory=dict)


SUBJECTS = ("hello", "=?UTF-8?B?7KO866y4?=", "=?EUC-KR?B?wMe4rg==?=", "a  b\r\n\tfolded", "Re: [list] x")
BODIES = (
    b"Hello.\r\n",
    "안녕하세요. 주문 확인 부탁드립니다.\r\n".encode(),
    "세금계산서 첨부합니다.\r\n".encode("euc-kr"),
    b"two  spaces\tand tabs \r\n\r\nend  \r\n",
    b"\r\n",
    b"\r\n\r\n\r\n",
    b".leading dot\r\n..\r\n",
    b"a line\r\n" * 300,
    b" \r\n\t\r\nx\r\n \r\n",
)


def make(seed: int, count: int, now: float) -> list[Case]:
    """The cases of a seed, opendkim's signatures included."""
    made = [_case(random.Random(f"{seed}/{number}"), number, now) for number in range(count)]
    signed_cases = _sign_by_opendkim(made)
    return [WAYS[case.kind][1](case, random.Random(f"{seed}/{number}/way")) for number, case in enumerate(signed_cases)]


def table_of(cases: Sequence[Case]) -> Table:
    """All zones together; the names of cases do not meet."""
    whole: Table = {}
    for case in cases:
        whole |= case.table
    return whole


def counts(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """How many of each class and signer."""
    return {
        "classes": dict(sorted(Counter(case.kind for case in cases).items())),
        "signers": dict(sorted(Counter(case.signer for case in cases).items())),
    }


def _case(rng: random.Random, number: int, now: float) -> Case:
    domain = f"c{number}.example"
    kind = rng.choices(list(WAYS), weights=[weight for weight, _ in WAYS.values()])[0]
    author = f"news.{domain}" if rng.random() < 0.15 else domain
    signer = "none" if kind in {"unsigned", "forged"} else rng.choices(["ours", "dkimpy", "opendkim"], [40, 30, 30])[0]
    canon = rng.choice(CANONS)
    envelope = rng.choice([domain, domain, domain, author, f"bounce.{domain}"])
    null = rng.random() < 0.08
    helo = f"smtp.{domain}"
    message = (
        f"From: =?UTF-8?B?7ZmN6ri464+Z?= <id@{author}>\r\nTo: you@receiver.example\r\n"
        f"Subject: {rng.choice(SUBJECTS)}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
        f"Message-ID: <{number}@{domain}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode() + rng.choice(BODIES)
    table = _zone(rng, domain, author, envelope)
    case = Case(
        id=f"c{number}",
        kind=kind,
        signer=signer,
        canon=canon,
        domain=domain,
        author=author,
        ip=US if rng.random() < 0.6 else rng.choice([STRANGER, "2001:db8::7", "192.0.2.26"]),
        helo=helo,
        sender="" if null else f"id@{envelope}",
        message=message,
        table=table,
    )
    return _signed(case, now)


def _zone(rng: random.Random, domain: str, author: str, envelope: str) -> Table:
    own, edwards = key(domain, "dkim"), key(domain, "dkim-ed", Algorithm.ED25519)
    policy = rng.choice(
        ["p=reject", "p=quarantine", "p=none", "p=reject; adkim=s", "p=reject; aspf=s", "p=none; sp=reject"]
    )
    table: Table = {
        domain: {"TXT": [_spf(rng, domain)], "MX": [MX(10, f"smtp.{domain}")], "A": [US]},
        f"smtp.{domain}": {"A": [US], "TXT": [f"v=spf1 ip4:{US} -all".encode()]},
        f"a.{domain}": {"A": ["192.0.2.26"], "AAAA": ["2001:db8::7"]},
        f"inc.{domain}": {"TXT": [rng.choice([b"v=spf1 ip4:192.0.2.25 -all", b"v=spf1 ip4:198.51.100.0/24 -all"])]},
        **zone(own, edwards),  # type: ignore[dict-item]
    }
    for name in {author, envelope} - {domain}:
        table[name] = {"TXT": [_spf(rng, domain)], "A": [US]}
    if rng.random() < 0.9:
        table[f"_dmarc.{domain}"] = {"TXT": [f"v=DMARC1; {policy}; rua=mailto:r@{domain}".encode()]}
    return table


TERMS = (
    "ip4:192.0.2.25",
    "ip4:192.0.2.0/28",
    "ip4:198.51.100.0/24",
    "ip6:2001:db8::/64",
    "a",
    "a:a.{d}",
    "a:a.{d}/24//64",
    "mx",
    "-mx:{d}",
    "include:inc.{d}",
    "include:gone.{d}",
    "exists:a.{d}",
    "exists:%{{l}}.gone.{d}",
    "?a:%{{d2}}",
    "~ip4:192.0.2.26",
    "a:nowhere.{d}",
    "unknown=x",
    "ip4:299.0.0.1",
    "foo:bar",
    "redirect=inc.{d}",
    "exp=gone.{d}",
)


def _spf(rng: random.Random, domain: str) -> bytes:
    if rng.random() < 0.55:
        return f"v=spf1 ip4:{US} -all".encode()
    terms = [rng.choice(TERMS).format(d=domain) for _ in range(rng.randint(0, 4))]
    return " ".join(["v=spf1", *terms, rng.choice(["-all", "~all", "?all", "+all", ""])]).strip().encode()


def _signed(case: Case, now: float) -> Case:
    own = key(case.domain, "dkim")
    head, body = case.canon.split("/")
    if case.signer == "ours":
        keys = (own, key(case.domain, "dkim-ed", Algorithm.ED25519))
        at = now - 200_000 if case.kind == "expired" else now
        return replace(case, message=signed(case.message, *keys, now=at, lifetime=86_400, canon=(head, body)))
    if case.signer == "dkimpy":
        field_ = dkimpy.sign(
            case.message,
            b"dkim",
            case.domain.encode(),
            own.pem(),
            canonicalize=(head.encode(), body.encode()),
            length=case.kind == "appended",
        )
        return replace(case, message=field_ + case.message)
    return case


def _sign_by_opendkim(cases: Sequence[Case]) -> list[Case]:
    """The cases with opendkim's signatures where it is the signer, one run a canonicalisation."""
    found = {case.id: case for case in cases}
    with tempfile.TemporaryDirectory(prefix="authcases-") as name:
        folder = Path(name)
        for canon in CANONS:
            mine = [case for case in cases if case.signer == "opendkim" and case.canon == canon]
            if not mine:
                continue
            pem = folder / "key.pem"
            pem.write_bytes(key("any.example", "dkim").pem())
            pem.chmod(0o600)
            (folder / "keys").write_text("".join(f"{one.id} {one.domain}:dkim:{pem}\n" for one in mine))
            (folder / "signing").write_text(
                "".join(f"*@{one.domain} {one.id}\n*@news.{one.domain} {one.id}\n" for one in mine)
            )
            settings = {
                "Mode": "s",
                "KeyTable": f"file:{folder}/keys",
                "SigningTable": f"refile:{folder}/signing",
                "InternalHosts": "0.0.0.0/0",
                "Canonicalization": canon,
                "OversignHeaders": "From",
                "RequireSafeKeys": "no",
            }
            with milters.running("opendkim", settings, folder) as socket:
                mails = [milters.Mail(one.id, one.message) for one in mine]
                values = milters.sent(socket, mails, folder, field="DKIM-Signature", raw=True)
            for one in mine:
                field_ = f"DKIM-Signature: {values[one.id][0].lstrip()}\r\n".encode()
                found[one.id] = replace(one, message=field_ + one.message)
    return [found[case.id] for case in cases]


Way = Callable[[Case, random.Random], Case]


def _edit(old: bytes, new: bytes) -> Way:
    return lambda case, _: replace(case, message=case.message.replace(old, new, 1))


def _body(change: Callable[[bytes], bytes]) -> Way:
    def way(case: Case, _: random.Random) -> Case:
        head, blank, body = case.message.partition(b"\r\n\r\n")
        return replace(case, message=head + blank + change(body))

    return way


def _key(record: bytes | None) -> Way:
    def way(case: Case, _: random.Random) -> Case:
        table = dict(case.table)
        name = f"dkim._domainkey.{case.domain}"
        if record is None:
            del table[name]
        else:
            table[name] = {"TXT": [record]}
        return replace(case, table=table)

    return way


def _same(case: Case, _: random.Random) -> Case:
    return case


def _testing(case: Case, rng: random.Random) -> Case:
    record = key(case.domain, "dkim").record.replace(
        "k=rsa;", rng.choice(["k=rsa; t=y;", "k=rsa; s=email;", "k=rsa; t=s;"])
    )
    return _key(record.encode())(case, rng)


WAYS: dict[str, tuple[int, Way]] = {
    "untouched": (40, _same),
    "forwarded": (8, lambda case, _: replace(case, ip=STRANGER)),
    "unsigned": (6, _same),
    "forged": (6, lambda case, _: replace(case, ip=STRANGER)),
    "body-changed": (5, _body(lambda body: body + b"Footer\r\n")),
    "blank-lines": (4, _body(lambda body: body + b"\r\n\r\n" if body.endswith(b"\r\n") else body)),
    "trailing-space": (4, _body(lambda body: body.replace(b"\r\n", b" \r\n", 1))),
    "subject-changed": (5, _edit(b"Subject: ", b"Subject: [list] ")),
    "subject-space": (4, _edit(b"Subject: ", b"Subject:  ")),
    "from-added": (4, _edit(b"To: you", b"From: <x@evil.example>\r\nTo: you")),
    "appended": (4, _body(lambda body: body + b"<b>pay here</b>\r\n")),
    "key-revoked": (2, _key(b"v=DKIM1; k=rsa; p=")),
    "key-gone": (2, _key(None)),
    "key-other": (
        2,
        _key(b"v=DKIM1; k=rsa; p=" + key("o.example", "o", bits=1024).record.encode().partition(b"p=")[2]),
    ),
    "key-testing": (2, _testing),
    "expired": (2, _same),
    "version": (2, _edit(b"DKIM-Signature: v=1;", b"DKIM-Signature: v=2;")),
    "no-domain": (2, _edit(b" d=", b" dd=")),
}
