"""DKIM by sections of its RFCs: the appendices byte for byte, every MUST a verifier has, and what our signer writes."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import dkim as dkimpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.verify.dkim import Algorithm, Check, Result
from maild.verify.dkim.canon import BodyHash, Canon, squeezed
from maild.verify.dkim.canon import header as canonical
from maild.verify.dkim.signature import Reason
from maild.verify.message import Headers
from tests.lib.dkim import NOW, key, pair, signed, verified, zone
from tests.lib.zones import Zones

DATA = Path(__file__).parents[3] / "data" / "dkim"
KEYS = dict(line.split(" ", 1) for line in (DATA / "keys.txt").read_text().splitlines())
APPENDICES = Zones({name: {"TXT": [value.encode()]} for name, value in KEYS.items()})
MESSAGE = (
    "From: =?UTF-8?B?7ZmN6ri464+Z?= <id@xn--9t4b11yi5a.net>\r\nTo: a@example.org\r\nSubject: =?EUC-KR?B?wMe4rg==?=\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@xn--9t4b11yi5a.net>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "안녕하세요.  \r\n\r\n주문\t 확인 부탁드립니다. \r\n\r\n\r\n"
).encode()
DOMAIN = "테스트.net"


def only(message: bytes, resolver: Zones, now: float = NOW) -> Check:
    checks = verified(message, resolver, now)
    assert len(checks) == 1, checks
    return checks[0]


@pytest.mark.parametrize("step", [0, 1, 7, 64])
def test_rfc_6376_appendix_a_verifies(step: int) -> None:
    checks = verified((DATA / "rfc6376-a.eml").read_bytes(), APPENDICES, step=step)
    assert [(check.result, check.domain, check.identity) for check in checks] == [
        (Result.PASS, "example.com", "joe@football.example.com")
    ]


def test_rfc_6376_appendix_a_as_typeset_is_not_what_was_signed() -> None:
    """The RFC prints two spaces behind the full stop and folds of five; its bh= and b= are of one space and of six."""
    data = (DATA / "rfc6376-a.eml").read_bytes()
    for printed in (data.replace(b"game. Are", b"game.  Are"), data.replace(b"\r\n      ", b"\r\n     ")):
        assert {check.result for check in verified(printed, APPENDICES)} == {Result.FAIL}


@pytest.mark.parametrize(
    ("canon", "header", "body"),
    [
        ("relaxed", b"a:X\r\nb:Y Z\r\n", b" C\r\nD E\r\n"),
        ("simple", b"A: X\r\nB : Y\t\r\n\tZ  \r\n", b" C \r\nD \t E\r\n"),
    ],
)
def test_rfc_6376_3_4_5_the_canonicalization_examples(canon: Canon, header: bytes, body: bytes) -> None:
    message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"
    assert b"".join(canonical(field, canon) for field in Headers.of(message).fields) == header
    running = BodyHash(canon)
    running.update(message.partition(b"\r\n\r\n")[2])
    assert running.digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("canon", "digest"),
    [
        ("simple", "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="),
        ("relaxed", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ],
)
def test_rfc_6376_3_4_the_hash_of_an_empty_body(canon: Canon, digest: str) -> None:
    assert base64.b64encode(BodyHash(canon).digest()).decode() == digest


def test_rfc_8463_appendix_a_verifies_both_ways() -> None:
    checks = verified((DATA / "rfc8463-a.eml").read_bytes(), APPENDICES)
    assert [(check.result, check.algorithm) for check in checks] == [
        (Result.PASS, "ed25519-sha256"),
        (Result.PASS, "rsa-sha256"),
    ]


@pytest.mark.parametrize("appendix", ["rfc6376-a.eml", "rfc8463-a.eml"])
def test_a_changed_appendix_fails(appendix: str) -> None:
    data = (DATA / appendix).read_bytes()
    for changed in (data.replace(b"hungry", b"angry"), data.replace(b"dinner", b"lunch")):
        assert {check.result for check in verified(changed, APPENDICES)} == {Result.FAIL}


def test_both_of_our_signatures_pass_here_and_with_dkimpy() -> None:
    keys = pair(DOMAIN)
    message = signed(MESSAGE, *keys, lifetime=None)
    assert [check.result for check in verified(message, Zones(zone(*keys)))] == [Result.PASS, Result.PASS]
    published = {f"{name}.".encode(): types["TXT"][0] for name, types in zone(*keys).items()}
    for number in range(2):
        assert dkimpy.DKIM(message).verify(idx=number, dnsfunc=lambda name, **_: published[name])


def test_what_dkimpy_signs_passes() -> None:
    own = key("a.example", "s")
    for canon in [(a, b) for a in (b"simple", b"relaxed") for b in (b"simple", b"relaxed")]:
        field = dkimpy.sign(MESSAGE, b"s", b"a.example", own.pem(), canonicalize=canon)
        assert only(field + MESSAGE, Zones(zone(own)), now=4e9).result is Result.PASS


def test_5_4_a_field_added_to_mislead_breaks_the_signature() -> None:
    keys = pair(DOMAIN)
    message, resolver = signed(MESSAGE, *keys), Zones(zone(*keys))
    for added in (b"From: bank@example.com", b"Subject: pay", b"Reply-To: x@example.com", b"Cc: y@example.com"):
        changed = message.replace(b"To: a@example.org", added + b"\r\nTo: a@example.org")
        assert {check.result for check in verified(changed, resolver)} == {Result.FAIL}, added


def test_5_4_2_fields_of_one_name_are_taken_from_the_bottom_up() -> None:
    keys = pair(DOMAIN)
    resolver = Zones(zone(*keys))
    twice = signed(b"Resent-To: a@a.example\r\nResent-To: b@b.example\r\n" + MESSAGE, *keys)
    assert {check.result for check in verified(twice, resolver)} == {Result.PASS}
    once = b"Resent-To: a@a.example\r\n" + signed(b"Resent-To: b@b.example\r\n" + MESSAGE, *keys)
    assert {check.result for check in verified(once, resolver)} == {Result.PASS}


def tampered(old: bytes, new: bytes) -> tuple[bytes, Zones]:
    own = key("a.example", "s")
    message = signed(MESSAGE, own)
    assert old in message
    return message.replace(old, new, 1), Zones(zone(own))


@pytest.mark.parametrize(
    ("old", "new", "result", "reason"),
    [
        (b"v=1;", b"v=2;", Result.NEUTRAL, Reason.SYNTAX),
        (b"v=1;", b"", Result.NEUTRAL, Reason.SYNTAX),
        (b"a=rsa-sha256;", b"a=rsa-sha1;", Result.POLICY, Reason.HISTORIC),
        (b"a=rsa-sha256;", b"a=rsa-md5;", Result.NEUTRAL, Reason.SYNTAX),
        (b"a=rsa-sha256;", b"a=ed25519-sha256;", Result.PERMERROR, Reason.KEY_MISMATCH),
        (b"c=relaxed/relaxed;", b"c=odd/relaxed;", Result.NEUTRAL, Reason.SYNTAX),
        (b"h=from:from:", b"h=fram:fram:", Result.PERMERROR, Reason.FROM_UNSIGNED),
        (b"d=a.example;", b"d=a.example; d=b.example;", Result.NEUTRAL, Reason.SYNTAX),
        (b"d=a.example;", b"d=a.example; i=@b.example;", Result.PERMERROR, Reason.DOMAIN),
        (b"d=a.example;", b"d=a.example; q=dns/a;", Result.NEUTRAL, Reason.SYNTAX),
        (b"d=a.example;", b"d=a.example; l=x;", Result.NEUTRAL, Reason.SYNTAX),
        (b"d=a.example;", b"d=a.example; l=99999;", Result.PERMERROR, Reason.BODY),
        (b"s=s;", b"s=t;", Result.PERMERROR, Reason.NO_KEY),
        (b"bh=", b"bh=!", Result.NEUTRAL, Reason.SYNTAX),
        (b"t=1700000000;", b"t=1700009999;", Result.FAIL, Reason.FUTURE),
        (b"t=1700000000;", b"t=1900000000;", Result.NEUTRAL, Reason.SYNTAX),
        (b"t=1700000000;", b"t=1700000001;", Result.FAIL, Reason.SIGNATURE),
        (b"a@example.org", b"b@example.org", Result.FAIL, Reason.SIGNATURE),
        ("주문".encode(), "취소".encode(), Result.FAIL, Reason.BODY),
    ],
)
def test_6_1_1_a_signature_that_cannot_count(old: bytes, new: bytes, result: Result, reason: Reason) -> None:
    message, resolver = tampered(old, new)
    check = only(message, resolver)
    assert (check.result, check.reason) == (result, reason), check.detail


def test_3_5_an_expired_signature_fails() -> None:
    own = key("a.example", "s")
    message = signed(MESSAGE, own, lifetime=3600)
    assert only(message, Zones(zone(own)), NOW + 3000).result is Result.PASS
    assert only(message, Zones(zone(own)), NOW + 9000).reason is Reason.EXPIRED


@pytest.mark.parametrize(
    ("record", "result", "reason"),
    [
        (b"v=DKIM1; k=rsa; p=", Result.PERMERROR, Reason.REVOKED),
        (b"v=DKIM1; k=rsa", Result.PERMERROR, Reason.KEY_SYNTAX),
        (b"v=DKIM2; k=rsa; p=AAAA", Result.PERMERROR, Reason.KEY_SYNTAX),
        (b"k=rsa; v=DKIM1; p=AAAA", Result.PERMERROR, Reason.KEY_SYNTAX),
        (b"v=DKIM1; k=rsa; p=AAAA", Result.PERMERROR, Reason.KEY_SYNTAX),
        (b"\xff\xfe", Result.PERMERROR, Reason.KEY_SYNTAX),
        (b"v=DKIM1; p=" + b"A" * 9000, Result.PERMERROR, Reason.KEY_SYNTAX),
    ],
)
def test_3_6_1_a_key_record_that_cannot_be_used(record: bytes, result: Result, reason: Reason) -> None:
    message = signed(MESSAGE, key("a.example", "s"))
    check = only(message, Zones({"s._domainkey.a.example": {"TXT": [record]}}))
    assert (check.result, check.reason) == (result, reason)


@pytest.mark.parametrize(
    ("extra", "result"),
    [
        ("s=email; ", Result.PASS),
        ("s=tlsrpt; ", Result.PERMERROR),
        ("h=sha1; ", Result.PERMERROR),
        ("h=sha1:sha256; ", Result.PASS),
        ("t=y; ", Result.PASS),
        ("n=words for people; zz=unknown; ", Result.PASS),
    ],
)
def test_3_6_1_the_tags_of_a_key_record_count(extra: str, result: Result) -> None:
    own = key("a.example", "s")
    record = own.record.replace("k=rsa; ", f"k=rsa; {extra}").encode()
    check = only(signed(MESSAGE, own), Zones({"s._domainkey.a.example": {"TXT": [record]}}))
    assert check.result is result
    assert check.testing is ("t=y" in extra)


def test_rfc_8301_a_weak_key_is_a_matter_of_policy() -> None:
    own = key("a.example", "s", bits=1024)
    assert only(signed(MESSAGE, own), Zones(zone(own))).result is Result.PASS
    record = (
        b"v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/PlzfV+Py92VaC"
        b"ak19F4WrbVTK5Gg5tW220MCAwEAAQ=="
    )
    check = only(signed(MESSAGE, own), Zones({"s._domainkey.a.example": {"TXT": [record]}}))
    assert (check.result, check.reason) == (Result.POLICY, Reason.WEAK_KEY)


@pytest.mark.parametrize("fault", ["TIMEOUT", "SERVFAIL"])
def test_dns_trouble_is_a_temporary_error(fault: str) -> None:
    message = signed(MESSAGE, key("a.example", "s"))
    assert only(message, Zones({"s._domainkey.a.example": fault})).result is Result.TEMPERROR


def test_8_2_a_body_signed_in_part_is_distrusted_and_one_signed_whole_is_not() -> None:
    own = key("a.example", "s")
    field = dkimpy.sign(MESSAGE, b"s", b"a.example", own.pem(), length=True)
    assert only(field + MESSAGE, Zones(zone(own)), now=4e9).result is Result.PASS
    check = only(field + MESSAGE + b"<h1>pay here</h1>\r\n", Zones(zone(own)), now=4e9)
    assert (check.result, check.reason) == (Result.POLICY, Reason.PARTIAL_BODY)


def test_rfc_8616_an_internationalised_signing_domain_is_looked_up_by_its_a_labels() -> None:
    own = key(DOMAIN, "s")
    message = signed(MESSAGE, own).replace(
        b"d=xn--9t4b11yi5a.net;", b"d=xn--9t4b11yi5a.net; i=@" + DOMAIN.encode() + b";"
    )
    check = only(message, Zones(zone(own)))
    assert (check.reason, check.domain) == (Reason.SIGNATURE, "xn--9t4b11yi5a.net")


def test_a_heap_of_signatures_hides_neither_ours_nor_costs_more() -> None:
    own = key(DOMAIN, "dkim")
    junk = b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AA==; b=AA==\r\n" * 100
    resolver = Zones(zone(own))
    checks = verified(junk + signed(MESSAGE, own), resolver)
    assert checks[0].result is Result.PASS
    assert checks[-1].reason is Reason.TOO_MANY
    assert sum(resolver.asked.values()) <= 8


def test_an_unsigned_message_has_no_result() -> None:
    assert only(MESSAGE, Zones({})).result is Result.NONE


BODIES = st.lists(
    st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"\n", b"a", b"bc  d", b"\r\n\r\n", "가".encode()]), max_size=40
)


@given(BODIES, st.integers(1, 7))
def test_3_4_the_streamed_body_hash_is_that_of_the_plain_rules(parts: list[bytes], step: int) -> None:
    body = b"".join(parts)
    for canon in ("simple", "relaxed"):
        streamed = BodyHash(canon)  # type: ignore[arg-type]
        for i in range(0, len(body), step):
            streamed.update(body[i : i + step])
        assert streamed.digest() == hashlib.sha256(_plain(body, canon)).digest()


def _plain(body: bytes, canon: str) -> bytes:
    lines = body.split(b"\r\n")
    if canon == "relaxed":
        lines = [_one_space(line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    whole = b"\r\n".join(lines)
    return whole + b"\r\n" if whole or canon == "simple" else b""


def _one_space(line: bytes) -> bytes:
    flat = line.replace(b"\t", b" ")
    return b" ".join(part for i, part in enumerate(flat.split(b" ")) if part or i == 0 or i == flat.count(b" "))


@given(st.binary(max_size=200))
def test_a_squeezed_value_has_no_runs_of_space(value: bytes) -> None:
    flat = squeezed(value)
    assert b"  " not in flat
    assert b"\t" not in flat
    assert squeezed(flat) == flat


@given(st.binary(max_size=400))
def test_any_signature_field_gets_a_result(value: bytes) -> None:
    message = b"DKIM-Signature: " + value.replace(b"\n", b"") + b"\r\n" + MESSAGE
    assert all(check.result in Result for check in verified(message, Zones({})))


@given(st.binary(max_size=3000), st.sampled_from(list(Algorithm)), st.integers(1, 3000))
def test_whatever_we_sign_verifies(body: bytes, algorithm: Algorithm, step: int) -> None:
    own = key("a.example", "s", algorithm)
    message = signed(b"From: a@a.example\r\n\r\n" + body, own)
    assert verified(message, Zones(zone(own)), step=step)[0].result is Result.PASS
