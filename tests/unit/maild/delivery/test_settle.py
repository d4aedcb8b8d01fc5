"""What an attempt means for a queue row, and what its sender is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.delivery import notices
from maild.delivery.attempt import Said
from maild.delivery.next_hop import HopError, Reply
from maild.delivery.schedule import MINUTE, Schedule
from maild.delivery.settle import said_of_all, settle
from maild.locale import translator
from maild.mail import dsn, header, words
from maild.store import QueueItem, RecipientRow, RecipientState

NOW = 1_800_000_000_000_000
ORIGINAL = "From: id@테스트.net\r\nSubject: 안녕\r\nMessage-ID: <1@a>\r\n\r\n본문\r\n".encode()


def row(number: int, address: str = "a@example.org", notify: str = "") -> RecipientRow:
    return RecipientRow(id=number, address=address, original="", notify=notify, state=RecipientState.WAITING)


def item(*rows: RecipientRow, **changes: object) -> QueueItem:
    plain = QueueItem(
        id=7, blob_id=b"b" * 16, destination="mx:example.org", sender="id@xn--9t4b11yi5a.net", size=10, envelope_id="",
        dsn_return="", smtputf8=False, eight_bit=True, require_tls=False, origin="", created_at=NOW - MINUTE,
        expires_at=NOW + 10_000 * MINUTE, next_at=NOW, attempts=0, held=False, delay_notified=False,
            leased_by="", lease_until=0,
        recipients=rows or (row(1),),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def writer(language: str = "en") -> notices.Writer:
    return notices.Writer(
        hostname="smtp.example.kr", translate=translator(language), language=language, now=NOW, random=b"12345678"
    )


OK, LATER, NO = Reply(250, "2.0.0", "Ok"), Reply(451, "4.3.0", "busy"), Reply(550, "5.1.1", "unknown")


def test_each_recipient_has_its_own_fate() -> None:
    rows = (row(1), row(2), row(3))
    said = [Said(row=each, reply=reply) for each, reply in zip(rows, (OK, LATER, NO), strict=True)]
    settled = settle(item(*rows), said, Schedule(), NOW, 0.5)
    assert [each.state for each in settled.outcome.recipients] == ["delivered", "waiting", "failed"]
    assert settled.outcome.next_at == NOW + 5 * MINUTE
    assert [told.action for told in settled.told] == ["failed"]


def test_waiting_recipient_fails_when_the_lifetime_is_over() -> None:
    late = item(expires_at=NOW)
    settled = settle(late, said_of_all(late, HopError(LATER)), Schedule(), NOW, 0.5)
    assert settled.outcome.recipients[0].state is RecipientState.FAILED
    assert settled.outcome.next_at is None


def test_delay_is_told_once() -> None:
    old = item(created_at=NOW - Schedule().notice)
    said = said_of_all(old, HopError(LATER))
    first = settle(old, said, Schedule(), NOW, 0.5)
    assert (first.outcome.delay_notified, [told.action for told in first.told]) == (True, ["delayed"])
    again = settle(replace(old, delay_notified=True), said, Schedule(), NOW, 0.5)
    assert again.told == ()


def test_relayed_success_is_told_only_to_those_who_asked() -> None:
    rows = (row(1, notify="SUCCESS"), row(2))
    settled = settle(item(*rows), [Said(row=each, reply=OK, relayed=True) for each in rows], Schedule(), NOW, 0.5)
    body = notices.notice(item(*rows), settled.told, ORIGINAL, 0, writer())
    assert body is not None
    assert [(each.action, each.recipient) for each in dsn.read(body)] == [("relayed", "a@example.org")]


def test_never_means_never_and_the_null_sender_hears_nothing() -> None:
    silent = item(row(1, notify="NEVER"))
    settled = settle(silent, [Said(row=silent.recipients[0], reply=NO)], Schedule(), NOW, 0.5)
    assert notices.notice(silent, settled.told, ORIGINAL, 0, writer()) is None
    null = item(sender="")
    settled = settle(null, [Said(row=null.recipients[0], reply=NO)], Schedule(), NOW, 0.5)
    assert notices.notice(null, settled.told, ORIGINAL, 0, writer()) is None


@pytest.mark.parametrize("address", ["a@example.org", "주문@테스트.kr"])
def test_bounce_names_the_recipient_the_reply_and_the_subject(address: str) -> None:
    failed = item(row(1, address))
    settled = settle(failed, [Said(row=failed.recipients[0], reply=NO, remote="mx.example.org")], Schedule(), NOW, 0.5)
    body = notices.notice(failed, settled.told, ORIGINAL, 0, writer())
    assert body is not None
    assert body.startswith(b"From: ")
    assert b"Auto-Submitted: auto-replied" in body
    (read,) = dsn.read(body)
    assert (read.action, read.status) == ("failed", "5.1.1")
    assert "550 5.1.1 unknown" in read.diagnostic
    assert "안녕".encode() in body


def test_report_names_what_was_asked_for_without_xtext() -> None:
    asked = replace(row(1), original="rfc822;a+2Bb@example.org")
    failed = item(asked, envelope_id="QQ+2B1")
    body = notices.notice(
        failed, settle(failed, [Said(row=asked, reply=NO)], Schedule(), NOW, 0.5).told, b"", 0, writer()
    )
    assert body is not None
    assert b"Original-Recipient: rfc822;a+b@example.org\r\n" in body
    assert b"Original-Envelope-Id: QQ+1\r\n" in body


def test_only_a_delay_promises_further_attempts() -> None:
    until = NOW + 48 * 60 * MINUTE
    failed, late = item(row(1), expires_at=until), item(row(1), expires_at=until, created_at=NOW - Schedule().notice)
    for each, reply, promised in ((failed, NO, False), (late, LATER, True)):
        settled = settle(each, said_of_all(each, HopError(reply)), Schedule(), NOW, 0.5)
        body = notices.notice(each, settled.told, ORIGINAL, until, writer())
        assert body is not None
        assert (b"goes on trying until " in body) is promised
        assert (b"It will not be tried again" in body) is not promised


def test_recipients_stand_under_what_became_of_them() -> None:
    rows = (row(1, "late@example.org"), row(2, "gone@example.org"), row(3, "good@example.org", "SUCCESS"))
    mixed = item(*rows, created_at=NOW - Schedule().notice)
    said = [Said(row=each, reply=reply, relayed=True) for each, reply in zip(rows, (LATER, NO, OK), strict=True)]
    body = notices.notice(mixed, settle(mixed, said, Schedule(), NOW, 0.5).told, ORIGINAL, NOW + 60 * MINUTE, writer())
    assert body is not None
    text = body.partition(b"Content-Language")[2].decode()
    places = [
        text.index(each)
        for each in ("It will not be tried again", "gone@", "The server keeps trying", "late@", "handed over", "good@")
    ]
    assert places == sorted(places)
    assert text.count("This is the mail server.") == 1


def test_korean_sender_is_told_in_korean() -> None:
    failed = item()
    settled = settle(failed, [Said(row=failed.recipients[0], reply=NO, remote="mx.example.org")], Schedule(), NOW, 0.5)
    body = notices.notice(failed, settled.told, ORIGINAL, 0, writer("ko"))
    assert body is not None
    assert "메일을 배달하지 못했습니다" in words.decode(header.value(body, "Subject") or b"")
    text = body.decode()
    for part in ("다시 보내지 않습니다", "mx.example.org의 응답: 550 5.1.1 unknown", "제목: 안녕", "접수한 때: "):
        assert part in text
    assert "Content-Language: ko" in text


@given(st.integers(1, 500), st.floats(0, 1))
def test_waits_grow_to_their_bound_and_never_beyond(failures: int, chance: float) -> None:
    schedule = Schedule()
    wait = schedule.wait(failures, chance)
    assert schedule.first * 0.9 <= wait <= schedule.longest * 1.1
    assert schedule.wait(failures + 1, chance) >= wait


def test_dead_destination_is_tried_at_most_five_times_in_ten_minutes() -> None:
    at, tries = 0, 0
    while at <= 10 * MINUTE:
        tries += 1
        at += Schedule().wait(tries, 0.0)
    assert tries <= 5
