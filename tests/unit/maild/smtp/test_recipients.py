"""Whom mail reaches in a scripted SMTP session: spellings of an address, roles, full mailboxes."""

from __future__ import annotations

import dataclasses

import pytest

from maild.net import address_of
from maild.store import Alias, Forward
from tests.lib.scripted import (
    DOMAIN,
    MESSAGE,
    House,
    codes,
)


@pytest.mark.parametrize(
    "recipient", ["id@테스트.co.kr", "ID@테스트.net", "id+tag@테스트.net", f"id@{DOMAIN}", '"id"@테스트.net']
)
def test_every_spelling_reaches_one_mailbox(recipient: str) -> None:
    house = House()
    envelope = f"EHLO c\r\nMAIL FROM:<a@example.org> SMTPUTF8\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
    house.talk(envelope, MESSAGE)
    assert len(house.memory.bodies_of(house.id)) == 1


def test_the_same_recipient_twice_is_one_copy() -> None:
    house = House()
    house.talk(
        b"EHLO c\r\nMAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<id@xn--9t4b11yi5a.net>\r\n" * 2 + b"DATA\r\n", MESSAGE
    )
    assert len(house.memory.bodies_of(house.id)) == 1


@pytest.mark.parametrize("recipient", ["postmaster", f"postmaster@{DOMAIN}", "abuse@xn--9t4b11yi5a.co.kr"])
def test_the_role_addresses_always_reach_a_mailbox(recipient: str) -> None:
    house = House()
    house.talk(f"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode(), MESSAGE)
    assert len(house.memory.accepted) == 1
    assert house.memory.accepted[0][0].deliveries


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ("postmaster@[192.0.2.25]", "250"),
        ("Postmaster@[198.51.100.7]", "250"),
        ("postmaster@[IPv6:2001:DB8:0::7]", "250"),
        ("postmaster@[192.0.2.26]", "550"),
        ("id@[192.0.2.25]", "550"),
    ],
)
def test_the_postmaster_is_reached_at_each_address_of_this_server_and_nobody_else_is(recipient: str, code: str) -> None:
    house = House(addresses=frozenset(map(address_of, ("198.51.100.7", "2001:db8::7"))))
    assert said_to(house, "a@b.c", recipient)[0] == code
    assert len(house.memory.bodies_of(house.id)) == (code == "250")


def test_a_full_mailbox_is_refused_at_rcpt_and_others_get_their_copy() -> None:
    house = House()
    index = house.memory.account_rows.index(house.order)
    house.memory.account_rows[index] = dataclasses.replace(house.order, quota_bytes=1)
    envelope = "EHLO c\r\nMAIL FROM:<a@b.c> SMTPUTF8 SIZE=100\r\nRCPT TO:<주문@테스트.net>\r\n"
    envelope += f"RCPT TO:<id@{DOMAIN}>\r\nDATA\r\n"
    assert codes(envelope.encode(), MESSAGE, house=house)[-4:] == ["552", "250", "354", "250"]


@pytest.mark.parametrize(("keep", "code"), [(True, "552"), (False, "250")])
def test_a_full_mailbox_that_only_passes_mail_on_takes_it(code: str, *, keep: bool) -> None:
    house = House()
    forward = Forward(targets=("me@example.com",), keep=keep)
    index = house.memory.account_rows.index(house.order)
    house.memory.account_rows[index] = dataclasses.replace(house.order, quota_bytes=1, forward=forward)
    assert said_to(house, "a@b.c", "주문@테스트.net")[0] == code


def full_house() -> House:
    """Everybody's mailbox is full; 주문 is postmaster, whom abuse and 대표 lead to as well."""
    house = House()
    rows = house.memory.account_rows
    rows[:] = [dataclasses.replace(each, quota_bytes=1) for each in rows]
    house.memory.alias_rows += [
        Alias(domain=DOMAIN, local=local, targets=(f"주문@{DOMAIN}",)) for local in ("postmaster", "abuse", "대표")
    ]
    return house


def said_to(house: House, sender: str, *recipients: str) -> list[str]:
    envelope = f"EHLO c\r\nMAIL FROM:<{sender}> SMTPUTF8 SIZE=100\r\n"
    envelope += "".join(f"RCPT TO:<{each}>\r\n" for each in recipients)
    return codes(envelope.encode(), b"DATA\r\n", MESSAGE, house=house)[3:]


@pytest.mark.parametrize("recipient", ["postmaster", f"postmaster@{DOMAIN}", "ABUSE@테스트.co.kr"])
def test_a_full_mailbox_still_takes_mail_for_a_role(recipient: str) -> None:
    house = full_house()
    assert said_to(house, "a@b.c", recipient) == ["250", "354", "250"]
    assert len(house.memory.bodies_of(house.order)) == 1


def test_a_full_postmaster_with_a_mailbox_of_its_own_takes_mail() -> None:
    house = House()
    own = house.memory.add_account("postmaster", DOMAIN, quota_bytes=1)
    assert said_to(house, "a@b.c", f"Postmaster@{DOMAIN}") == ["250", "354", "250"]
    assert len(house.memory.bodies_of(own)) == 1


def test_a_full_mailbox_takes_a_bounce_and_nothing_else() -> None:
    house = full_house()
    assert said_to(house, "", f"id@{DOMAIN}") == ["250", "354", "250"]
    assert said_to(house, "", "대표@테스트.net") == ["250", "354", "250"]
    assert said_to(house, "a@b.c", f"id@{DOMAIN}")[0] == "552"
    assert said_to(house, "a@b.c", "대표@테스트.net") == ["250", "354", "552"]
    assert len(house.memory.accepted) == 2


def test_a_role_among_the_recipients_opens_no_full_mailbox_for_the_others() -> None:
    house = full_house()
    house.memory.alias_rows.append(Alias(domain=DOMAIN, local="info", targets=(f"id@{DOMAIN}",)))
    assert said_to(house, "a@b.c", f"abuse@{DOMAIN}", f"info@{DOMAIN}") == ["250", "250", "354", "552"]
    assert house.memory.accepted == []


@pytest.mark.parametrize("role", ["postmaster", "abuse"])
def test_a_role_of_a_domain_with_nobody_reaches_the_servers_postmaster(role: str) -> None:
    house = House()
    house.memory.add_domain("empty.kr")
    house.memory.add_account("gone", "empty.kr", active=False)
    house.memory.alias_rows.append(Alias(domain=DOMAIN, local="postmaster", targets=(f"주문@{DOMAIN}",)))
    assert said_to(house, "a@b.c", f"{role}@empty.kr") == ["250", "354", "250"]
    assert len(house.memory.bodies_of(house.order)) == 1
    assert said_to(house, "a@b.c", "gone@empty.kr")[0] == "550"


@pytest.mark.parametrize("target", ["gone@테스트.net", "abuse@테스트.net"])
def test_a_role_whose_alias_leads_to_nobody_reaches_who_looks_after_the_domain(target: str) -> None:
    house = House()
    house.memory.alias_rows += [
        Alias(domain=DOMAIN, local="abuse", targets=(target,)),
        Alias(domain=DOMAIN, local="info", targets=("gone@테스트.net",)),
    ]
    assert said_to(house, "a@b.c", f"abuse@{DOMAIN}") == ["250", "354", "250"]
    assert len(house.memory.bodies_of(house.id)) == 1
    assert said_to(house, "a@b.c", f"info@{DOMAIN}")[0] == "550"


def test_an_alias_to_nobody_is_refused_beside_recipients_who_get_their_mail() -> None:
    house = House()
    house.memory.alias_rows += [
        Alias(domain=DOMAIN, local="info", targets=("gone@테스트.net",)),
        Alias(domain=DOMAIN, local="circle", targets=("circle@테스트.net",)),
        Alias(domain=DOMAIN, local="team", targets=("gone@테스트.net", f"id@{DOMAIN}")),
    ]
    recipients = (f"info@{DOMAIN}", f"circle@{DOMAIN}", f"team@{DOMAIN}")
    assert said_to(house, "a@b.c", *recipients) == ["550", "550", "250", "354", "250"]
    assert len(house.memory.bodies_of(house.id)) == 1
