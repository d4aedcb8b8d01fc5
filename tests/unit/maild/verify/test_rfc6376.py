"""RFC 6376 (DKIM) demand by demand for a verifier: the standard's words beside what ours does.

The words are those of the published text. Each probe changes one thing of a signed message or of its key record.
"""

from __future__ import annotations

import hashlib

import pytest

from maild.verify.dkim import Algorithm
from maild.verify.dkim.canon import BodyHash, header
from maild.verify.message import RawField
from tests.lib import musts
from tests.lib.dkim import NOW, key, signed, verified, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Zones
from tests.unit.maild.verify.dkim_messages import (
    DOMAIN,
    MESSAGE,
    NAME,
    OWN,
    PASS,
    by_dkimpy,
    changed,
    first,
    reasons,
    relaxed,
    stands,
    with_key,
)

SYNTAX = ("neutral", "syntax")


def body_hash(canon: str, body: bytes) -> bytes:
    running = BodyHash(canon)  # type: ignore[arg-type]
    running.update(body)
    return running.digest()


def by_a_tester() -> dict[str, list[bytes]]:
    return {"TXT": [OWN.record.replace("p=", "t=y; p=").encode()]}


def broken() -> bytes:
    return b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example\r\n"


def signed_over_another() -> bytes:
    """A message whose second signature covers the first."""
    return relaxed(names="From:DKIM-Signature", message=relaxed())


def changed_message(old: bytes, new: bytes) -> bytes:
    return signed(MESSAGE, OWN).replace(old, new, 1)


def asked_for(message: bytes) -> int:
    """DNS questions that verifying causes."""
    zones = Zones(zone(OWN))
    verified(message, zones, NOW)
    return zones.asked.total()


TABLE = musts.read("rfc6376")
PROBES: Probes = {
    "tag-names-keep-case": (
        lambda: changed(b"v=1;", b"V=1;"),
        SYNTAX,
    ),
    "a-tag-comes-once": (
        lambda: [changed(b"s=s;", b"s=s; s=s;"), with_key("v=DKIM1; ", "v=DKIM1; k=rsa; ")],
        [SYNTAX, ("permerror", "key-syntax")],
    ),
    "values-keep-case": (
        lambda: [with_key("v=DKIM1", "v=dkim1"), changed(b"v=1;", b"v=I;")],
        [("permerror", "key-syntax"), SYNTAX],
    ),
    "space-in-values-stays": (
        lambda: [changed(b"s=s;", b"s=s s;")[0], changed(b"v=1;", b"v=1 1;")],
        ["permerror", SYNTAX],
    ),
    "unknown-tags-are-ignored": (
        lambda: stands(relaxed(extra="zz=1; ")),
        PASS,
    ),
    "unknown-algorithms-are-ignored": (
        lambda: changed(b"a=rsa-sha256;", b"a=rsa-sha512;"),
        SYNTAX,
    ),
    "both-canonicalizations": (
        lambda: {
            (a, b): stands(by_dkimpy(canonicalize=(a, b)), now=4e9)
            for a in (b"simple", b"relaxed")
            for b in (b"simple", b"relaxed")
        },
        {(a, b): PASS for a in (b"simple", b"relaxed") for b in (b"simple", b"relaxed")},
    ),
    "unknown-canonicalizations-are-ignored": (
        lambda: [changed(b"c=relaxed/relaxed;", new) for new in (b"c=nofws/relaxed;", b"c=relaxed/nofws;")],
        [SYNTAX, SYNTAX],
    ),
    "simple-changes-no-field": (
        lambda: header(RawField(b"subject", b"  A \tB\r\n", b"SubJect:  A \tB\r\n"), "simple"),
        b"SubJect:  A \tB\r\n",
    ),
    "relaxed-unfolds": (
        lambda: header(RawField(b"b", b" C \r\n\t  D  \r\n", b"B : C \r\n\t  D  \r\n"), "relaxed"),
        b"b:C D\r\n",
    ),
    "relaxed-keeps-the-colon": (
        lambda: header(RawField(b"a", b" X\r\n", b"A: X\r\n"), "relaxed"),
        b"a:X\r\n",
    ),
    "relaxed-keeps-line-ends": (
        lambda: body_hash("relaxed", b" C \r\nD \t E\r\n\r\n\r\n"),
        hashlib.sha256(b" C\r\nD E\r\n").digest(),
    ),
    "b-counts-as-empty": (
        lambda: stands(relaxed(fold=True)),
        PASS,
    ),
    "unknown-tags-are-hashed": (
        lambda: [stands(relaxed(extra="zz=1; ")), stands(relaxed(extra="zz=1; ").replace(b"zz=1;", b"zz=2;"))],
        [PASS, ("fail", "headers-changed")],
    ),
    "version-is-one": (
        lambda: changed(b"v=1;", b"v=0.5;"),
        SYNTAX,
    ),
    "space-in-b-and-bh-is-ignored": (
        lambda: stands(relaxed(fold=True)),
        PASS,
    ),
    "d-is-a-name": (
        lambda: [changed(b"d=a.example;", new) for new in (b"d=a..example;", b"d=example;", b"d=;")],
        [SYNTAX, SYNTAX, SYNTAX],
    ),
    "d-without-a-key": (
        lambda: changed(b"d=a.example;", b"d=b.example;"),
        ("permerror", "no-key"),
    ),
    "h-ignores-case": (
        lambda: stands(relaxed().replace(b"\r\nSubject:", b"\r\nSUBJECT:")),
        PASS,
    ),
    "h-is-not-empty": (
        lambda: changed(b"h=from", b"h=; xh=from"),
        SYNTAX,
    ),
    "i-is-within-d": (
        lambda: [
            stands(relaxed(extra=f"i={identity}; "))
            for identity in ("@a.example", "id@mail.a.example", "@nota.example")
        ],
        [PASS, PASS, ("permerror", "domain-mismatch")],
    ),
    "l-is-within-the-body": (
        lambda: stands(relaxed(extra="l=9999; ")),
        ("permerror", "body-changed"),
    ),
    "unknown-queries-are-ignored": (
        lambda: [stands(relaxed(extra=f"q={methods}; ")) for methods in ("new/way:dns/txt", "new/way")],
        [PASS, SYNTAX],
    ),
    "dns-txt": (
        lambda: stands(relaxed(extra="q=dns/txt; ")),
        PASS,
    ),
    "x-is-behind-t": (
        lambda: [stands(relaxed(extra=f"t=1700000000; x={at}; ")) for at in (1_700_000_001, 1_700_000_000)],
        [PASS, SYNTAX],
    ),
    "key-unknown-tags": (
        lambda: with_key("p=", "zz=1; p="),
        PASS,
    ),
    "key-version": (
        lambda: [with_key("v=DKIM1; ", ""), with_key("v=DKIM1", "v=1")],
        [PASS, ("permerror", "key-syntax")],
    ),
    "key-version-is-first": (
        lambda: with_key("v=DKIM1; k=rsa", "k=rsa; v=DKIM1"),
        ("permerror", "key-syntax"),
    ),
    "key-other-versions": (
        lambda: with_key("v=DKIM1", "v=DKIM2"),
        ("permerror", "key-syntax"),
    ),
    "key-unknown-hashes": (
        lambda: with_key("p=", "h=sha3:sha256; p="),
        PASS,
    ),
    "key-rsa": (
        lambda: [with_key("k=rsa; ", ""), OWN.algorithm.value],
        [PASS, "rsa-sha256"],
    ),
    "key-unknown-types": (
        lambda: with_key("k=rsa", "k=ecdsa"),
        ("permerror", "key-mismatch"),
    ),
    "key-not-for-mail": (
        lambda: [with_key("p=", f"s={services}; p=") for services in ("tlsrpt", "email", "*")],
        [("permerror", "key-mismatch"), PASS, PASS],
    ),
    "key-unknown-services": (
        lambda: with_key("p=", "s=new:email; p="),
        PASS,
    ),
    "key-unknown-flags": (
        lambda: with_key("p=", "t=new; p="),
        PASS,
    ),
    "a-tester-is-like-unsigned": (
        lambda: reasons(signed(MESSAGE, OWN) + b"footer\r\n", {NAME: by_a_tester()}) == reasons(MESSAGE, {}),
        True,
    ),
    "key-for-the-domain-alone": (
        lambda: [
            (str(check.result), str(check.reason))
            for check in (
                first(relaxed(extra=f"i={identity}; "), OWN.record.replace("p=", "t=s; p=").encode())
                for identity in ("id@a.example", "id@mail.a.example")
            )
        ],
        [PASS, ("permerror", "domain-mismatch")],
    ),
    "txt-binding": (
        lambda: stands(relaxed()),
        PASS,
    ),
    "body-up-to-l": (
        lambda: stands(by_dkimpy(length=True), now=4e9),
        PASS,
    ),
    "h-names-no-own-field": (
        lambda: [str(check.result) for check in verified(signed_over_another(), Zones(zone(OWN)))],
        ["pass", "pass"],
    ),
    "hash-before-dots-are-stuffed": (
        lambda: stands(signed(MESSAGE + b".leading dot\r\n", OWN)),
        PASS,
    ),
    "i-and-the-key": (
        lambda: [
            stands(relaxed(extra="i=x@mail.a.example; ")),
            with_key("p=", "t=s; p=", relaxed(extra="i=x@mail.a.example; ")),
        ],
        [PASS, ("permerror", "domain-mismatch")],
    ),
    "d-is-told": (
        lambda: verified(signed(MESSAGE, OWN), Zones(zone(OWN)))[0].domain,
        DOMAIN,
    ),
    "order-means-nothing": (
        lambda: [
            sorted(str(check.result) for check in verified(message, Zones(zone(OWN))))
            for message in (broken() + signed(MESSAGE, OWN), signed(broken() + MESSAGE, OWN))
        ],
        [["neutral", "pass"], ["neutral", "pass"]],
    ),
    "a-bad-signature-ends-there": (
        lambda: asked_for(changed_message(b"v=1;", b"v=2;")),
        0,
    ),
    "values-are-validated": (
        lambda: [
            changed(old, new)
            for old, new in (
                (b"t=1700000000", b"t=now"),
                (b"bh=", b"bh=%"),
                (b"a=rsa-sha256", b"a=rsa"),
                (b"d=a.example;", b"d=a.example; nonsense;"),
                (b"d=a.example;", b"d=a.example; l=-1;"),
            )
        ],
        [SYNTAX] * 5,
    ),
    "other-versions-fail": (
        lambda: changed(b"v=1;", b"v=2;"),
        SYNTAX,
    ),
    "required-tags": (
        lambda: {tag: changed(tag, b"x" + tag) for tag in (b"v=", b"a=", b"b=", b"bh=", b"d=", b"h=", b"s=")},
        dict.fromkeys((b"v=", b"a=", b"b=", b"bh=", b"d=", b"h=", b"s="), SYNTAX),
    ),
    "i-defaults-to-d": (
        lambda: with_key("p=", "t=s; p="),
        PASS,
    ),
    "i-outside-d": (
        lambda: [
            stands(relaxed(extra=f"i={identity}; ")) for identity in ("@example", "@b.a.example", "@a.example.org")
        ],
        [("permerror", "domain-mismatch"), PASS, ("permerror", "domain-mismatch")],
    ),
    "from-is-signed": (
        lambda: changed(b"h=from:from:", b"h="),
        ("permerror", "from-not-signed"),
    ),
    "malformed-keys-are-ignored": (
        lambda: [
            (str(check.result), str(check.reason))
            for check in verified(
                relaxed(), Zones({NAME: {"TXT": [b"v=DKIM1; p=***", b"garbage", OWN.record.encode()]}})
            )
        ],
        [PASS],
    ),
    "no-key": (
        lambda: [(str(check.result), str(check.reason)) for check in verified(relaxed(), Zones({}))],
        [("permerror", "no-key")],
    ),
    "key-syntax": (
        lambda: with_key("k=rsa; p=", "hello"),
        ("permerror", "key-syntax"),
    ),
    "key-unknown-version": (
        lambda: with_key("v=DKIM1", "v=DKIM3"),
        ("permerror", "key-syntax"),
    ),
    "key-other-hash": (
        lambda: with_key("p=", "h=sha1; p="),
        ("permerror", "key-mismatch"),
    ),
    "key-revoked": (
        lambda: [str(first(relaxed(), b"v=DKIM1; p=").reason), str(first(relaxed(), b"v=DKIM1; k=rsa; p=;").result)],
        ["revoked", "permerror"],
    ),
    "key-other-algorithm": (
        lambda: [
            changed(b"a=rsa-sha256", b"a=ed25519-sha256"),
            with_key("k=rsa", "k=ed25519"),
            str(
                first(relaxed(), key(DOMAIN, "s", Algorithm.ED25519).record.replace("k=ed25519; ", "").encode()).reason
            ),
        ],
        [("permerror", "key-mismatch"), ("permerror", "key-mismatch"), "key-syntax"],
    ),
    "names-match-in-any-case": (
        lambda: stands(relaxed().replace(b"\r\nFrom:", b"\r\nFROM:")),
        PASS,
    ),
    "no-4xx-for-a-bad-signature": (
        lambda: reasons(signed(MESSAGE, OWN) + b"footer\r\n", zone(OWN), reply=True)[:1] != "4",
        True,
    ),
    "results-are-conveyed": (
        lambda: reasons(signed(MESSAGE, OWN), zone(OWN), fields=True).count("dkim=pass"),
        1,
    ),
    "hostile-keys": (
        lambda: {
            str(first(relaxed(), record).result)
            for record in (b"", b";;;", b"\xff\xfe", b"v=DKIM1", b"v=DKIM1; p=" + b"A" * 9000, b"p=p=p=", b"\0" * 100)
        },
        {"permerror"},
    ),
    "hostile-fields": (
        lambda: {
            str(verified(b"DKIM-Signature:" + value + b"\r\n" + MESSAGE, Zones({}))[0].result)
            for value in (b"", b" ;", b" v=1", b"\xff", b" b=" + b"A" * 70_000, b" v=1;" * 200)
        },
        {"neutral"},
    ),
    "g-is-ignored": (
        lambda: with_key("p=", "g=somebody-else; p="),
        PASS,
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_6376_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words
