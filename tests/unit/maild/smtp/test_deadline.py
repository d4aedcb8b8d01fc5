"""A client is answered in time however slow the store is, with a temporary refusal."""

from __future__ import annotations

import asyncio

import pytest

from maild.smtp import deadline
from maild.smtp.deadline import Deadline
from maild.store import Alias, Resolved
from tests.lib.scripted import DOMAIN, MAIL, MESSAGE, House, codes


async def never(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


def test_a_recipient_that_the_store_does_not_find_in_time_is_refused_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.05)
    house = House()
    monkeypatch.setattr(house.memory, "resolve", never)
    # MAIL would ask for the sender's domain; the null sender has none.
    assert codes(b"EHLO c\r\n", MAIL.replace(b"<a@example.org>", b"<>"), house=house)[3] == "451"


def test_a_message_that_the_store_does_not_take_in_time_is_refused_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.05)
    house = House()
    monkeypatch.setattr(house.memory, "accept", never)
    assert codes(b"EHLO c\r\n", MAIL, MESSAGE, house=house)[-1] == "451"


def test_several_questions_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0)
        one = Deadline()
        monkeypatch.setattr(deadline, "ANSWER_SECONDS", 3600)
        for _ in range(2):
            with pytest.raises(deadline.StoreUnavailable):
                await one.of(asyncio.sleep(30))

    asyncio.run(body())


def test_a_timeout_of_the_work_itself_stays_what_it_is() -> None:
    async def late() -> None:
        raise TimeoutError

    async def body() -> None:
        with pytest.raises(TimeoutError):
            await Deadline().of(late())

    asyncio.run(body())


def test_what_stands_behind_an_alias_is_asked_within_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.05)
    house = House()
    house.memory.alias_rows.append(Alias(domain=DOMAIN, local="info", targets=(f"behind@{DOMAIN}",)))
    known = house.memory.resolve

    async def resolve(local: str, domain: str) -> Resolved:
        if local == "behind":
            await asyncio.Event().wait()
        return await known(local, domain)

    monkeypatch.setattr(house.memory, "resolve", resolve)
    envelope = f"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<info@{DOMAIN}>\r\n".encode()
    assert codes(envelope, house=house)[3] == "451"
