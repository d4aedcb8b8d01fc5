"""Xtext and original recipients: what is made fits every server's grammar and reads back as the address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import xtext
from maild.mail.address import Address
from maild.smtp import grammar

LOCALS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("id@테스트.net", "rfc822;id@xn--9t4b11yi5a.net"),
        ("id+a=b@example.com", "rfc822;id+2Ba+3Db@example.com"),
        ('"a b"@example.com', 'rfc822;"a+20b"@example.com'),
        ("주문+a=b@테스트.net", "utf-8;\\x{C8FC}\\x{BB38}\\x{2B}a\\x{3D}b@xn--9t4b11yi5a.net"),
    ],
)
def test_original_recipient_is_written_so_that_any_server_takes_it(address: str, written: str) -> None:
    original = xtext.original_recipient(Address.parse(address))
    assert original == written
    assert xtext.address_of(original) == str(Address.parse(address))


@given(LOCALS)
def test_every_original_recipient_passes_the_grammar_and_reads_back(local: str) -> None:
    address = Address(local, "xn--9t4b11yi5a.net")
    original = xtext.original_recipient(address)
    taken = grammar.rcpt_to(f"TO:<a@example.com> ORCPT={original}", smtputf8=False)
    assert taken.original == original
    assert xtext.address_of(original) == str(address)
    assert xtext.sendable(original) == original


@given(ASCII)
def test_xtext_is_undone_whole(text: str) -> None:
    assert xtext.decode(xtext.encode(text)) == text


def test_what_a_client_wrote_in_utf8_is_sent_on_in_ascii() -> None:
    assert xtext.sendable("utf-8;주문@a.net") == "utf-8;\\x{C8FC}\\x{BB38}@a.net"
    assert xtext.sendable("rfc822;a+2Bb@a.net") == "rfc822;a+2Bb@a.net"


def test_a_report_names_the_original_recipient_without_xtext() -> None:
    assert xtext.generic("rfc822;id+2Ba@a.net") == "rfc822;id+a@a.net"
    assert xtext.generic("utf-8;\\x{C8FC}@a.net") == "utf-8;\\x{C8FC}@a.net"
    assert xtext.generic("") == ""


def test_a_plus_sign_with_nothing_to_decode_stays() -> None:
    assert xtext.decode("a+b+FF+2B") == "a+b+FF+"
