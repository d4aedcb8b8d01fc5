"""ARC chains made by dkimpy: whole ones hold, each way to break one is told, trust begins at the last sealer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.verify.arc import Result
from tests.lib.arc import MESSAGE, SEALERS, chain, validated
from tests.lib.zones import Zones


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_whole_chain_holds(length: int) -> None:
    found = validated(chain(SEALERS[:length]))
    assert (found.result, found.sealers) == (Result.PASS, SEALERS[:length]), found.detail


def test_a_message_without_seals_has_no_chain() -> None:
    assert validated(MESSAGE).result is Result.NONE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello.", b"Hallo."),
        (b"Subject: x", b"Subject: y"),
        (b"cv=none", b"cv=pass"),
        (b"cv=pass", b"cv=fail"),
        (b"i=2", b"i=4"),
        (b"dmarc=pass", b"dmarc=none"),
        (b"ARC-Seal: i=1", b"ARC-Gone: i=1"),
        (b"s=arc", b"s=gone"),
    ],
)
def test_5_2_a_chain_that_was_touched_has_failed(old: bytes, new: bytes) -> None:
    message = chain()
    assert old in message
    found = validated(message.replace(old, new, 1))
    assert found.result is Result.FAIL
    assert found.detail


def test_a_field_that_comes_twice_fails() -> None:
    message = chain(SEALERS[:1])
    start = message.index(b"ARC-Seal")
    assert validated(message[start : message.index(b"ARC-Message", start)] + message).result is Result.FAIL


def test_dns_trouble_fails_the_chain_for_now() -> None:
    found = validated(chain(SEALERS[:1]), Zones({"arc._domainkey.one.example": "TIMEOUT"}))
    assert (found.result, "for now" in found.detail) == (Result.FAIL, True)


def test_only_trusted_sealers_without_a_gap_speak() -> None:
    found = validated(chain())
    assert found.vouched([]) is None
    assert found.vouched(["one.example", "two.example"]) is None
    witness = found.vouched(["three.example", "two.example"])
    assert witness is not None
    assert witness.server == "two.example"
    assert witness.of("dmarc")[0].result == "pass"


@given(
    st.lists(
        st.sampled_from(
            [b"i=1;", b"i=2;", b"i=x;", b"cv=none;", b"d=a.b;", b"s=s;", b"b=AA;", b"a=rsa-sha256;", b"\xff", b";;"]
        ),
        max_size=8,
    )
)
def test_any_fields_give_a_state(parts: list[bytes]) -> None:
    value = b"".join(parts)
    fields = b"".join(
        name + b": " + value + b"\r\n"
        for name in (b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results")
    )
    assert validated(fields + MESSAGE).result in Result
