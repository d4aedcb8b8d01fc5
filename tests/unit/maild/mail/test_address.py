from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import address, domain
from maild.mail.address import Address, AddressError, parse_path


@pytest.mark.parametrize(
    ("text", "local", "host"),
    [
        ("id@example.com", "id", "example.com"),
        ("ID@EXAMPLE.com", "ID", "example.com"),
        ("id@테스트.net", "id", "xn--9t4b11yi5a.net"),
        ("주문@테스트.net", "주문", "xn--9t4b11yi5a.net"),
        ('"john smith"@example.com', "john smith", "example.com"),
        (r'"a\"b\\c"@example.com', r'a"b\c', "example.com"),
        ('"id"@example.com', "id", "example.com"),
        ('""@example.com', "", "example.com"),
        ('"a@b"@example.com', "a@b", "example.com"),
        ("id@[192.0.2.1]", "id", "[192.0.2.1]"),
        ("id@[IPv6:2001:DB8::1]", "id", "[IPv6:2001:db8::1]"),
        ("a.b+c=d@xn--i-7iq.ws", "a.b+c=d", "xn--i-7iq.ws"),
    ],
)
def test_valid_address_is_read(text: str, local: str, host: str) -> None:
    assert Address.parse(text) == Address(local, host)


@pytest.mark.parametrize(
    "text",
    [
        "", "id", "@example.com", "id@", "a b@example.com", ".id@example.com", "id.@example.com", "a..b@example.com",
        "id@example..com", "id@-example.com", "id@example-.com", "id@exa mple.com", "id@[300.0.0.1]", "id@[1.2.3]",
        "id@[IPv6:fe80::1%eth0]", "id@[x:y]", "id@[192.0.2.1", '"a\nb"@example.com', '"open@example.com', "id@b@c",
        "a" * 65 + "@example.com", "id@" + "a" * 64 + ".com", "id@" + ".".join(["a" * 60] * 5), "\x80@example.com",
        "id\u0000@example.com", "id@example.com.", "id@exa_mple.com", "가" * 22 + "@example.com", "id@\ud800.com",
    ],
)  # fmt: skip
def test_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(text)


def test_both_forms_of_an_international_domain_are_one_address() -> None:
    one, other = Address.parse("id@테스트.net"), Address.parse("id@XN--9T4B11YI5A.NET")
    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == "id@xn--9t4b11yi5a.net"
    assert one.unicode == "id@테스트.net"


def test_decomposed_hangul_is_the_same_key_as_composed() -> None:
    composed, decomposed = "\uc8fc\ubb38", "\u110c\u116e\u1106\u116e\u11ab"
    assert Address.parse(f"{composed}@테스트.net").key == Address.parse(f"{decomposed}@테스트.net").key


def test_key_ignores_case_and_quotes() -> None:
    assert Address.parse('"Id"@Example.com').key == Address.parse("iD@example.COM").key


def test_only_a_local_part_outside_ascii_needs_smtputf8() -> None:
    assert Address.parse("주문@테스트.net").needs_smtputf8
    assert not Address.parse("id@테스트.net").needs_smtputf8


@pytest.mark.parametrize(
    ("text", "base", "detail"),
    [
        ("id+list@a.com", "id@a.com", "list"),
        ("id@a.com", "id@a.com", None),
        ("id+@a.com", "id@a.com", ""),
        ("+x@a.com", "+x@a.com", None),
        ("id+a+b@a.com", "id@a.com", "a+b"),
    ],
)
def test_detail_is_split_at_the_first_plus(text: str, base: str, detail: str | None) -> None:
    assert Address.parse(text).split_detail() == (Address.parse(base), detail)


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("<>", None, ""),
        ("<> SIZE=1", None, " SIZE=1"),
        ("<id@a.com> SIZE=1", "id@a.com", " SIZE=1"),
        ("<@b.com,@c.com:id@a.com>", "id@a.com", ""),
        ('<"a>b"@a.com> X', '"a>b"@a.com', " X"),
        ("<id@[IPv6:::1]>", "id@[IPv6:::1]", ""),
    ],
)
def test_path_is_read_with_what_follows(text: str, address: str | None, rest: str) -> None:
    assert parse_path(text) == (Address.parse(address) if address else None, rest)


@pytest.mark.parametrize(
    "text", ["", "id@a.com", "<id@a.com", "<id>", "<<id@a.com>>", "< id@a.com>", "<@:id@a.com>", "<@b c:id@a.com>",
             "<" + "a" * 64 + "@" + ".".join(["b" * 60] * 4) + ">"]
)  # fmt: skip
def test_broken_path_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_path(text)


@given(st.text(max_size=80))
def test_parse_raises_nothing_but_its_own_error(text: str) -> None:
    for candidate in (text, f"{text}@example.com", f"id@{text}", f"<{text}>"):
        for read in (Address.parse, parse_path):
            try:
                read(candidate)
            except AddressError:
                continue


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=16))
def test_every_address_that_can_be_built_is_read_back(local: str) -> None:
    address = Address.of(local, "테스트.net")
    assert Address.parse(str(address)) == address
    assert Address.parse(address.unicode) == address
    assert parse_path(f"<{address}> X") == (address, " X")


@given(st.text(max_size=40))
def test_ascii_form_is_a_fixed_point(name: str) -> None:
    try:
        ascii_form = domain.to_ascii(name)
    except domain.DomainError:
        return
    assert domain.to_ascii(ascii_form) == ascii_form
    assert domain.same(name, ascii_form)


def test_names_of_idna_2003_are_kept() -> None:
    assert domain.to_ascii("xn--i-7iq.ws") == "xn--i-7iq.ws"
    assert domain.to_unicode("xn--i-7iq.ws") == "xn--i-7iq.ws"


def test_full_width_and_upper_case_letters_are_mapped() -> None:
    assert domain.to_ascii("Ｔ테스트.NET") == domain.to_ascii("t테스트.net")


def test_text_that_is_no_address_is_none_and_its_own_key() -> None:
    assert address.lenient("") is None
    assert address.lenient("no address") is None
    assert address.lenient("Id@테스트.net") == Address.parse("Id@xn--9t4b11yi5a.net")
    assert address.key_of("no address") == "no address"
    assert address.key_of("ID@테스트.net") == "id@xn--9t4b11yi5a.net"
