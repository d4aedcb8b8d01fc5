"""SASL's responses: what a client claims comes out as it was put in, and nobody acts for another."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.policy import sasl

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(NAMES, NAMES, st.booleans())
def test_a_claim_comes_out_as_it_was_put_in(user: str, password: str, named: bool) -> None:
    message = "\0".join([user if named else "", user, password]).encode()
    assert sasl.plain(sasl.decoded(base64.b64encode(message))) == sasl.Claim(user, password)


@pytest.mark.parametrize(
    "message", [b"", b"\0", b"a", b"\0a", b"\0a\0b\0c", b"\0\0secret", b"\0\xff\0b", "주문\0주문".encode()]
)
def test_what_is_not_plain_is_refused(message: bytes) -> None:
    with pytest.raises(sasl.SASLError):
        sasl.plain(message)


def test_acting_for_another_user_is_refused_by_name() -> None:
    with pytest.raises(sasl.ForeignIdentityError):
        sasl.plain(b"boss\0id\0secret")


@pytest.mark.parametrize("line", [b"a", b"*", b"AGEAYg", b"AGEA\r\nYg==", b"A=GEAYg="])
def test_what_is_not_base64_is_refused(line: bytes) -> None:
    with pytest.raises(sasl.SASLError):
        sasl.decoded(line)


def test_an_equals_sign_is_an_empty_answer() -> None:
    assert sasl.decoded(b"=") == b""
