"""How much a user may send, as a submission session says it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maild.locale import translator
from maild.net import FairQueue
from maild.smtp.context import Context
from maild.store import Sent
from tests.lib.memory_store import MemoryStore
from tests.lib.scripted import SUBMISSIONS, House, plain, replies

OWN = "id@xn--9t4b11yi5a.net"
OPEN = (b"EHLO c\r\n", plain(OWN, "비밀번호1"))
ENVELOPE = f"MAIL FROM:<{OWN}>\r\nRCPT TO:<{OWN}>\r\nDATA\r\n".encode()
LETTER = f"From: {OWN}\r\nSubject: x\r\n\r\nbody\r\n.\r\n".encode()
TITLE = b"sends unusually much mail"


def send(house: House, *chunks: bytes) -> list[str]:
    return replies(house.talk(*OPEN, *chunks, listener=SUBMISSIONS))


def notices(house: House) -> list[bytes]:
    return [body for body in house.memory.bodies_of(house.id) if TITLE in body]


def test_a_rate_is_refused_at_the_recipient_and_the_administrator_told_once() -> None:
    house = House(messages_per_hour=1)
    assert send(house, ENVELOPE, LETTER)[-1].startswith("250 2.0.0 Queued")
    for _ in range(2):
        assert "452 4.7.1 You may send 1 messages an hour; please try again later" in send(house, ENVELOPE)
    assert len(house.memory.charged) == 1
    assert [record.text for record in house.records if record.kind == "ERROR"] == [
        f"{OWN} has reached 1 messages an hour: is the password known to someone else?"
    ]
    (told,) = notices(house)
    assert b"Auto-Submitted: auto-generated" in told


def test_a_korean_administrator_is_told_of_the_bound_in_korean() -> None:
    house = House(messages_per_hour=1)
    original = house.context

    def context(hashing: FairQueue) -> Context:
        return replace(original(hashing), language="ko", translator=translator)

    house.context = context  # type: ignore[method-assign]
    for _ in range(2):
        send(house, ENVELOPE, LETTER)
    (told,) = [body for body in house.memory.bodies_of(house.id) if b"auto-generated" in body]
    assert f"{OWN} 계정이 한도(한 시간에 메일 1통)에 도달했습니다." in told.decode()
    assert "messages" not in told.decode()


def test_a_message_that_others_have_overtaken_is_refused_at_its_end() -> None:
    @dataclass
    class Behind(MemoryStore):
        """What is looked at is older than what is counted, as with many sessions at once."""

        async def sent(self, account_id: int) -> Sent:
            del account_id
            return Sent(messages=0, recipients=0)

        async def charge(self, charges: object) -> list[Sent | None]:
            del charges
            return [Sent(messages=1, recipients=1)]

    house = House(Behind(), messages_per_hour=1)
    assert send(house, ENVELOPE, LETTER)[-1].startswith("452 4.7.1 You may send 1 messages an hour")
    assert len(notices(house)) == 1
    assert [body for body in house.memory.bodies_of(house.id) if TITLE not in body] == []
