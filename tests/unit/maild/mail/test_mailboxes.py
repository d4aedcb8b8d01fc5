from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail.address import Address
from maild.mail.mailboxes import MAX_ENTRIES, Group, Mailbox, addresses, flat, parse, write


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (b"id@a.com", [Mailbox(b"", b"id", b"a.com")]),
        (b"Kim <id@a.com>, b@c.com", [Mailbox(b"Kim", b"id", b"a.com"), Mailbox(b"", b"b", b"c.com")]),
        (b'"Kim, \\"K\\"" <id@a.com>', [Mailbox(b'Kim, "K"', b"id", b"a.com")]),
        (b"id@a.com (Kim (the) first)", [Mailbox(b"Kim (the) first", b"id", b"a.com")]),
        (b"J. R. Kim <id@a.com>", [Mailbox(b"J. R. Kim", b"id", b"a.com")]),
        (b'"a b"@a.com', [Mailbox(b"", b"a b", b"a.com")]),
        (b"<@x.com,@y.com:id@a.com>", [Mailbox(b"", b"id", b"a.com", b"@x.com,@y.com")]),
        (b"id@[192.0.2.1]", [Mailbox(b"", b"id", b"[192.0.2.1]")]),
        (b"undisclosed-recipients:;", [Group(b"undisclosed-recipients", ())]),
        (b"A B: id@a.com, <b@c.com>; c@d.com",
         [Group(b"A B", (Mailbox(b"", b"id", b"a.com"), Mailbox(b"", b"b", b"c.com"))), Mailbox(b"", b"c", b"d.com")]),
        (b"a . b @ c . com", [Mailbox(b"", b"a.b", b"c.com")]),
        (b"root", [Mailbox(b"", b"root", b"")]),
        (b"<>", [Mailbox(b"", b"", b"")]),
        (b", ,id@a.com,,", [Mailbox(b"", b"id", b"a.com")]),
        (b"", []),
        (b'"open <id@a.com>', [Mailbox(b"", b"open <id@a.com>", b"")]),
        (b"=?utf-8?b?7ZmN?= <id@a.com>", [Mailbox(b"=?utf-8?b?7ZmN?=", b"id", b"a.com")]),
        (b"<a@b.com> <c@d.com>", [Mailbox(b"", b"a", b"b.com"), Mailbox(b"", b"c", b"d.com")]),
        (b'"a@b" <c@d.com>', [Mailbox(b"a@b", b"c", b"d.com")]),
        (b'"@"@d.com', [Mailbox(b"", b"@", b"d.com")]),
    ],
)  # fmt: skip
def test_list_is_read(value: bytes, entries: list[Mailbox | Group]) -> None:
    assert list(parse(value)) == entries


def test_what_only_looks_like_an_address_is_none() -> None:
    assert addresses([b"a b@c.com, id@a.com (x), root, a@b@c.com, @c.com"]) == [
        Address("a b", "c.com"), Address("id", "a.com"), None, Address("a@b", "c.com"), Address("", "c.com")
    ]  # fmt: skip


def test_address_in_either_form_of_a_domain_is_the_same() -> None:
    one, other = addresses(["주문@테스트.net, 주문@xn--9t4b11yi5a.net".encode()])
    assert one == other


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12),
    st.booleans(),
)
def test_written_mailbox_is_read_back(name: str, local: str, raw: bool) -> None:
    address = Address.of(local, "테스트.net")
    (entry,) = parse(write(name, address, raw=raw).encode())
    assert isinstance(entry, Mailbox)
    assert entry.address == address
    if "=?" not in name:
        assert entry.text == name


@given(st.binary(max_size=300))
def test_parse_never_fails(value: bytes) -> None:
    list(flat(parse(value)))
    for mailbox in flat(parse(value)):
        _ = mailbox.address, mailbox.text


@given(
    st.lists(
        st.sampled_from([b"<", b">", b"@", b",", b";", b":", b"(", b")", b'"', b"\\", b"[", b"]", b"a", b" ", b"."])
    )
)
def test_parse_of_specials_never_fails(pieces: list[bytes]) -> None:
    for mailbox in flat(parse(b"".join(pieces))):
        _ = mailbox.address


@pytest.mark.parametrize("piece", [b"@", b"a ", b"(", b"<", b'"', b"\\", b"a@", b":", b"<@a,", b"[", b"a,", b'"\\'])
def test_a_long_list_of_one_character_ends(piece: bytes) -> None:
    entries = parse(piece * 200_000)
    assert len(list(flat(entries))) <= MAX_ENTRIES + 1
