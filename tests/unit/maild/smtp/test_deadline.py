"""A client is answered in time however slow the store is, with a temporary refusal."""

from __future__ import annotations

import asyncio

import pytest

from maild.smtp import deadline
from maild.smtp.deadline import Deadline
from tests.lib.scripted import MAIL, MESSAGE, House, codes


async def never(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(("asked", "code"), [("resolve", "451"), ("accept", "451")])
def test_a_store_that_does_not_answer_is_a_temporary_refusal(
    asked: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.05)
    house = House()
    if asked == "resolve":
        # MAIL asks for the sender's domain; the null sender has none.
        envelope = MAIL.replace(MAIL[MAIL.index(b"<") : MAIL.index(b">") + 1], b"<>", 1)
        monkeypatch.setattr(house.memory, asked, never)
        assert codes(b"EHLO c\r\n", envelope, house=house)[3] == code
    else:
        monkeypatch.setattr(house.memory, asked, never)
        assert codes(b"EHLO c\r\n", MAIL, MESSAGE, house=house)[-1] == code


def test_several_questions_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ANSWER_SECONDS", 0.05)

    async def body() -> None:
        one = Deadline()
        assert await one.of(asyncio.sleep(0, "answer")) == "answer"
        await asyncio.sleep(0.06)
        with pytest.raises(deadline.StoreUnavailable):
            await one.of(asyncio.sleep(60))

    asyncio.run(body())


def test_a_timeout_of_the_work_itself_stays_what_it_is() -> None:
    async def late() -> None:
        raise TimeoutError

    async def body() -> None:
        with pytest.raises(TimeoutError):
            await Deadline().of(late())

    asyncio.run(body())
