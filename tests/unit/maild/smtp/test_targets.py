"""Addresses of ours that are not open to everyone: lists, and senders that we rewrote."""

from __future__ import annotations

import dataclasses

import pytest

from maild.delivery.router import Router
from maild.delivery.routing import Found, Target
from maild.mail.address import Address
from maild.net import FairQueue
from maild.smtp.context import Context
from maild.store import ListMode, MailingList
from tests.lib.scripted import SUBMISSIONS, House, plain, replies

DOMAIN = "xn--9t4b11yi5a.net"
LOGIN = plain("id@테스트.net", "비밀번호1")


def house_with_list(mode: ListMode) -> House:
    house = House()
    house.memory.list_rows.append(
        MailingList(
            domain=DOMAIN,
            local="list",
            mode=mode,
            members=("member@example.org", f"id@{DOMAIN}"),
            announcers=(f"id@{DOMAIN}",),
        )
    )
    return house


@pytest.mark.parametrize(
    ("mode", "sender", "code"),
    [
        (ListMode.PUBLIC, "anyone@example.org", "250"),
        (ListMode.MEMBERS, "member@example.org", "250"),
        (ListMode.MEMBERS, "anyone@example.org", "550"),
        (ListMode.ANNOUNCEMENTS, "member@example.org", "550"),
        (ListMode.DOMAIN, "anyone@example.org", "550"),
        (ListMode.PUBLIC, "", "550"),
    ],
)
def test_a_stranger_writes_to_a_list_only_where_its_mode_says_so(mode: ListMode, sender: str, code: str) -> None:
    said = replies(
        house_with_list(mode).talk(f"EHLO c\r\nMAIL FROM:<{sender}>\r\nRCPT TO:<list@{DOMAIN}>\r\n".encode())
    )
    assert said[-1].startswith(code)


@pytest.mark.parametrize("mode", list(ListMode))
def test_a_user_who_is_member_and_announcer_writes_to_all(mode: ListMode) -> None:
    envelope = f"MAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<list@{DOMAIN}>\r\n".encode()
    said = replies(house_with_list(mode).talk(b"EHLO c\r\n", LOGIN, envelope, listener=SUBMISSIONS))
    assert said[-1].startswith("250")


@pytest.mark.parametrize("mode", list(ListMode))
@pytest.mark.parametrize(
    ("listed", "sender"), [(DOMAIN, "xn--9t4b11yi5a.co.kr"), ("xn--9t4b11yi5a.co.kr", DOMAIN)], ids=["alias", "own"]
)
def test_a_user_writes_to_lists_from_either_domain_whichever_the_list_names(
    mode: ListMode, listed: str, sender: str
) -> None:
    house = House()
    people = (f"id@{listed}",)
    house.memory.list_rows.append(
        MailingList(domain=DOMAIN, local="list", mode=mode, members=people, announcers=people)
    )
    envelope = f"MAIL FROM:<id@{sender}>\r\nRCPT TO:<list@{DOMAIN}>\r\n".encode()
    assert replies(house.talk(b"EHLO c\r\n", LOGIN, envelope, listener=SUBMISSIONS))[-1].startswith("250")


class Rewritten(Router):
    """A router for which one address is a rewritten sender."""

    async def classify(self, recipient: Address) -> Target:
        if recipient.local == "srs":
            return Target(recipient=recipient, found=Found.REWRITTEN, leads_to=Address("a", "example.org"))
        return await super().classify(recipient)


@pytest.mark.parametrize(("sender", "code"), [("", "250"), ("spammer@example.org", "550")])
def test_a_rewritten_sender_takes_bounces_alone(sender: str, code: str) -> None:
    house = House()
    original = house.context

    def context(hashing: FairQueue) -> Context:
        made = original(hashing)
        return dataclasses.replace(made, router=Rewritten(made.store.directory, made.store.mailboxes))

    house.context = context  # type: ignore[method-assign]
    said = replies(house.talk(f"EHLO c\r\nMAIL FROM:<{sender}>\r\nRCPT TO:<srs@{DOMAIN}>\r\n".encode()))
    assert said[-1].startswith(code)


@pytest.mark.parametrize(("recipient", "code"), [("id", "550"), ("postmaster", "250"), ("abuse", "250")])
def test_who_is_on_a_block_list_may_still_ask_the_postmaster_why(recipient: str, code: str) -> None:
    async def listed(**_: object) -> str:
        return "550 5.7.1 192.0.2.1 is listed by zen.example"

    house = House(screen=listed)
    said = replies(house.talk(f"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<{recipient}@{DOMAIN}>\r\n".encode()))
    assert said[-1].startswith(code)
