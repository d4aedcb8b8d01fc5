"""Two real daemons exchange mail: submission, queue, MX, STARTTLS, arrival, bounces, forwards, lists."""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace
from pathlib import Path

from maild.mail import dsn, header
from maild.store import Forward, ListMode, MailingList, Store, open_store
from tests.lib.daemon import TEST_NET, Site
from tests.lib.exchange import OTHER, exchange

KOREAN = (
    f"From: 아이디 <id@{TEST_NET}>\r\nTo: 친구 <friend@{OTHER}>\r\nSubject: 첫 메일입니다\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    "\r\n안녕하세요.\r\n.점으로 시작하는 줄\r\n"
).encode()


def body_of(message: bytes) -> bytes:
    return message[header.body_start(message) :]


def test_korean_mail_reaches_the_other_server_over_tls_with_the_same_body(tmp_path: Path) -> None:
    with exchange(tmp_path) as both:
        both.submit(KOREAN, f"friend@{OTHER}")
        (received,) = both.inbox(both.theirs, "friend", OTHER)
        assert body_of(received) == body_of(KOREAN)
        assert header.value(received, "Return-Path") == f"<id@{TEST_NET}>".encode()
        assert b"ESMTPS" in (header.value(received, "Received") or b"")
        assert "TLS/SSL handshake completed" in both.ours.log()
        assert both.queued(both.ours) == 0


def test_internationalised_recipient_is_reached_by_smtputf8(tmp_path: Path) -> None:
    with exchange(tmp_path) as both:
        both.submit(KOREAN, f"주문@{OTHER}")
        assert len(both.inbox(both.theirs, "주문", OTHER)) == 1


def test_copies_here_and_there_each_say_once_who_sent_them(tmp_path: Path) -> None:
    with exchange(tmp_path) as both:
        both.submit(KOREAN, f"friend@{OTHER}", f"other@{TEST_NET}")
        (theirs,) = both.inbox(both.theirs, "friend", OTHER)
        (ours,) = both.inbox(both.ours, "other", TEST_NET)
        assert header.values(theirs, "Return-Path") == [f"<id@{TEST_NET}>".encode()]
        assert header.values(ours, "Return-Path") == [f"<id@{TEST_NET}>".encode()]


def test_unknown_recipient_there_comes_back_as_a_bounce(tmp_path: Path) -> None:
    with exchange(tmp_path) as both:
        both.submit(KOREAN, f"nobody@{OTHER}", f"friend@{OTHER}")
        (bounce,) = both.inbox(both.ours, "id", TEST_NET)
        (said,) = dsn.read(bounce)
        assert (said.recipient, said.action, said.status) == (f"nobody@{OTHER}", "failed", "5.1.1")
        assert header.value(bounce, "Return-Path") == b"<>"
        assert len(both.inbox(both.theirs, "friend", OTHER)) == 1


def test_line_beyond_what_smtp_allows_arrives_encoded_and_whole(tmp_path: Path) -> None:
    head, _, body = KOREAN.partition(b"\r\n\r\n")
    text = b"<p>" + b"0123456789" * 300 + b"</p>\r\n" + body
    with exchange(tmp_path) as both:
        both.submit(head + b"\r\n\r\n" + text, f"friend@{OTHER}")
        (received,) = both.inbox(both.theirs, "friend", OTHER)
        assert max(map(len, received.split(b"\r\n"))) <= 998
        assert email.message_from_bytes(received).get_payload(decode=True) == text


async def _change(site: Site, work: object) -> None:
    store = await open_store(site.database_settings())
    try:
        await work(store)  # type: ignore[operator]
    finally:
        await store.close()


def test_forward_leaves_with_a_rewritten_sender_whose_bounce_finds_its_way_back(tmp_path: Path) -> None:
    async def forward(store: Store) -> None:
        account = await store.directory.account_named("other", TEST_NET)
        assert account is not None
        await store.directory.save_account(replace(account, forward=Forward(targets=(f"nobody@{OTHER}",), keep=False)))

    with exchange(tmp_path) as both:
        asyncio.run(_change(both.ours.site, forward))
        both.submit(KOREAN, f"other@{TEST_NET}")
        (bounce,) = both.inbox(both.ours, "id", TEST_NET)
        assert dsn.read(bounce)[0].recipient == f"nobody@{OTHER}"


def test_forwards_of_addresses_that_a_parameter_cannot_hold_as_they_are_arrive(tmp_path: Path) -> None:
    async def forward(store: Store) -> None:
        for local in ("other", "주문"):
            account = await store.directory.account_named(local, TEST_NET)
            assert account is not None
            there = Forward(targets=(f"friend@{OTHER}",), keep=False)
            await store.directory.save_account(replace(account, forward=there))

    with exchange(tmp_path) as both:
        asyncio.run(_change(both.ours.site, forward))
        both.submit(KOREAN, f"other+소식=a@{TEST_NET}")
        both.submit(KOREAN, f"other+tag@{TEST_NET}")
        both.submit(KOREAN, f"주문@{TEST_NET}")
        received = both.inbox(both.theirs, "friend", OTHER, count=3)
        assert [body_of(each) for each in received] == [body_of(KOREAN)] * 3
        assert both.queued(both.ours) == 0


def test_list_reaches_members_on_both_servers_once(tmp_path: Path) -> None:
    async def found(store: Store) -> None:
        await store.directory.save_list(
            MailingList(
                domain=TEST_NET,
                local="news",
                members=(f"id@{TEST_NET}", f"friend@{OTHER}"),
                mode=ListMode.MEMBERS,
                title="소식",
            )
        )

    with exchange(tmp_path) as both:
        asyncio.run(_change(both.ours.site, found))
        both.submit(KOREAN, f"news@{TEST_NET}")
        (theirs,) = both.inbox(both.theirs, "friend", OTHER)
        (ours,) = both.inbox(both.ours, "id", TEST_NET)
        assert header.value(theirs, "Return-Path") == f"<news-bounces@{TEST_NET}>".encode()
        assert header.values(ours, "Return-Path") == [f"<news-bounces@{TEST_NET}>".encode()]
        assert header.value(theirs, "List-Id") == header.value(ours, "List-Id")
        assert body_of(theirs) == body_of(KOREAN)
