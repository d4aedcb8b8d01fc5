"""Fields that programs read in what this server writes, where the name beside them is Korean."""

from __future__ import annotations

import email
import email.policy

import pytest

from maild.delivery.lists import fields_for_members
from maild.delivery.replies import write_reply
from maild.mail import header, words
from maild.mail.address import Address
from maild.store import Account, AutoReply, ListMode, MailingList

MAIL = "From: 친구 <friend@example.org>\r\nSubject: a\r\nMessage-ID: <1@a>\r\n\r\n본문\r\n".encode()
NOW = 1_800_000_000_000_000


@pytest.mark.parametrize("name", ["홍길동", "Hong, Gildong", ""])
def test_automatic_answer_has_a_name_and_an_address_that_programs_read(name: str) -> None:
    account = Account(domain="example.kr", local="id", display_name=name)
    reply = AutoReply(subject="휴가 중입니다", text="다음 주에 돌아옵니다")
    written = write_reply(account, reply, Address.parse("friend@example.org"), MAIL, NOW, b"12345678")
    parsed = email.message_from_bytes(written, policy=email.policy.default)
    (sender,) = parsed["from"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "id@example.kr")
    assert parsed["subject"] == "휴가 중입니다"


@pytest.mark.parametrize("title", ["소식", "News", ""])
def test_list_identifier_stands_outside_the_words_of_its_title(title: str) -> None:
    fields = fields_for_members(MailingList(domain="example.kr", local="news", members=(), title=title))
    identifier = header.value(fields, "List-Id") or b""
    assert identifier.endswith(b"<news.example.kr>")
    assert words.decode(identifier) == f"{title} <news.example.kr>".strip()


def test_list_of_announcements_says_that_members_do_not_post() -> None:
    news = MailingList(domain="example.kr", local="news", members=(), mode=ListMode.ANNOUNCEMENTS)
    assert header.value(fields_for_members(news), "List-Post") == b"NO"
