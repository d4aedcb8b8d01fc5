"""Who a user may be: own addresses in the envelope and in every author field, nothing else."""

from __future__ import annotations

import pytest

from maild.mail.address import Address
from maild.policy import Own, foreign_author

DOMAIN = "xn--9t4b11yi5a.net"
OWN = Own(frozenset(Address.parse(text).key for text in (f"id@{DOMAIN}", f"주문@{DOMAIN}")))


@pytest.mark.parametrize("text", [f"id@{DOMAIN}", "ID@테스트.net", "id+tag@테스트.net", "주문@테스트.net"])
def test_own_addresses_in_every_spelling(text: str) -> None:
    assert OWN.holds(Address.parse(text))


@pytest.mark.parametrize("text", ["boss@테스트.net", "id@테스트.com", "id@xn--9t4b11yi5a.net.evil.example"])
def test_others_are_not(text: str) -> None:
    assert not OWN.holds(Address.parse(text))


def test_any_sender_is_any_address_of_a_local_domain() -> None:
    own = Own(frozenset(), frozenset({DOMAIN}))
    assert own.holds(Address.parse("boss@테스트.net"))
    assert not own.holds(Address.parse("boss@example.org"))


@pytest.mark.parametrize(
    "header",
    [
        "From: id@테스트.net",
        "From: =?utf-8?b?7ZWc6riA?= <id@테스트.net>",
        "From: a <id@테스트.net>, b <주문@테스트.net>\r\nSender: id@테스트.net",
        "from: id@테스트.net\r\nResent-From: 주문@테스트.net",
    ],
)
def test_messages_of_the_user(header: str) -> None:
    assert foreign_author(f"{header}\r\n\r\nbody\r\n".encode(), OWN) is None


@pytest.mark.parametrize(
    "header",
    [
        "Subject: none",
        "From: boss@테스트.net",
        "From: id@테스트.net\r\nFrom: boss@테스트.net",
        "From: id@테스트.net, boss@테스트.net",
        "From: id@테스트.net\r\nSender: boss@테스트.net",
        "From: id@테스트.net\r\nResent-From: boss@테스트.net",
        "From: id@테스트.net\r\nResent-Sender: boss@테스트.net",
        "From:",
        "From: nobody",
        "From: friends:;",
        'From: "id@테스트.net" <boss@테스트.net>',
        "From: <@a.example:boss@테스트.net>",
        "From : boss@테스트.net",
        "From: g: id@테스트.net, boss@테스트.net;",
        "FROM: boss@테스트.net",
    ],
)
def test_messages_as_someone_else(header: str) -> None:
    assert foreign_author(f"{header}\r\n\r\nFrom: id@테스트.net\r\n".encode(), OWN) is not None
