"""POP3 sessions without a network, over the real store."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from maild.log import Log, Record
from maild.net import Connection, Peer, address_of
from maild.policy.login import Answer, Outcome
from maild.pop3.commands import COMMANDS
from maild.pop3.session import Services, session
from maild.settings import Limits, Listener
from maild.store import Store
from tests.lib.imap import deliver, open_seeded
from tests.lib.scripted import TLS, FakeConnection

POP3 = Listener(name="pop3", protocol="pop3", port=110, tls="starttls-required")
ONE, TWO = b"Subject: one\r\n\r\n.dot\r\nline\r\n", b"Subject: two\r\n\r\nno line end"


@dataclass
class Passwords:
    store: Store
    outcome: Outcome = Outcome.WRONG
    mechanisms: tuple[str, ...] = ("PLAIN",)

    async def check(self, user: str, password: str, *_: object) -> Answer:
        account = await self.store.directory.account_named(user.partition("@")[0], "a.net")
        if account is not None and password == " 비밀 ":
            return Answer(Outcome.GOOD, account)
        return Answer(self.outcome)


@dataclass
class Talk:
    store: Store
    secure: bool = True
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.passwords = Passwords(self.store)
        services = Services(self.store, cast("Any", self.passwords), "smtp.a.net", Limits(), COMMANDS)
        self.connection = FakeConnection(Peer(address_of("192.0.2.7"), 4000), Log.to(self.records))
        self.connection.tls = TLS if self.secure else None
        self.stream = session(lambda: services, POP3)
        self.connection.on_tls = self.stream.secured

    async def ask(self, *lines: str, listing: bool = False) -> str:
        """Sends lines; the last answer, whole when it is a list."""
        self.connection.sent.clear()
        for line in lines:
            self.stream.received(line.encode() + b"\r\n")
        end = b"\r\n.\r\n" if listing else b"\r\n"
        async with asyncio.timeout(20):
            await self._answered(end, len(lines))
        text = bytes(self.connection.sent).decode()
        return text if listing else text.splitlines()[-1]

    async def _answered(self, end: bytes, lines: int) -> None:
        while not (self.connection.sent.endswith(end) and self.connection.sent.count(b"\r\n") >= lines):  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def login(self) -> None:
        assert (await self.ask("USER id@a.net", "PASS  비밀 ")).startswith("+OK")


Scenario = Callable[[Talk], Awaitable[None]]


def run(folder: Path, scenario: Scenario, *messages: bytes, **more: Any) -> Talk:
    async def whole() -> Talk:
        store = await open_seeded(folder)
        try:
            for message in messages:
                await deliver(store, message)
            talk = Talk(store, **more)
            talk.stream.opened(cast("Connection", cast("Any", talk.connection)))
            await asyncio.sleep(0)
            await scenario(talk)
            talk.stream.closed()
            assert talk.stream._task is not None
            await asyncio.wait({talk.stream._task}, timeout=10)
            assert not [record.text for record in talk.records if record.kind == "ERROR"]
            return talk
        finally:
            await store.close()

    return asyncio.run(whole())


def test_inbox_is_listed_and_read(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.login()
        assert await talk.ask("STAT") == f"+OK 2 {len(ONE) + len(TWO)}"
        assert await talk.ask("LIST", listing=True) == f"+OK 2 messages\r\n1 {len(ONE)}\r\n2 {len(TWO)}\r\n.\r\n"
        assert await talk.ask("LIST 2") == f"+OK 2 {len(TWO)}"
        assert (await talk.ask("RETR 1", listing=True)).endswith("octets\r\nSubject: one\r\n\r\n..dot\r\nline\r\n.\r\n")
        assert (await talk.ask("RETR 2", listing=True)).endswith("\r\n\r\nno line end\r\n.\r\n")
        assert (await talk.ask("TOP 1 1", listing=True)).endswith("\r\nSubject: one\r\n\r\n..dot\r\n.\r\n")
        assert (await talk.ask("TOP 1 0", listing=True)).endswith("\r\nSubject: one\r\n\r\n.\r\n")
        one, two = (await talk.ask("UIDL", listing=True)).splitlines()[1:3]
        assert (await talk.ask("UIDL 2")).split()[1:] == two.split()
        assert one.split()[1] != two.split()[1]

    run(tmp_path, scenario, ONE, TWO)


def test_deletion_is_committed_at_quit_and_only_there(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.login()
        await talk.ask("RETR 2", listing=True)
        assert (await talk.ask("DELE 1")).startswith("+OK")
        for command in ("RETR 1", "LIST 1", "DELE 1", "TOP 1 0"):
            assert await talk.ask(command) == "-ERR There is no such message"
        assert await talk.ask("STAT") == f"+OK 1 {len(TWO)}"
        assert (await talk.ask("RSET")).startswith("+OK")
        assert (await talk.ask("DELE 1")).startswith("+OK")
        account = await talk.store.directory.account_named("id", "a.net")
        assert account is not None
        inbox = account.inbox_id
        assert [each.uid for each in await talk.store.messages.range(inbox, 1, 9)] == [1, 2]
        assert (await talk.ask("QUIT")).startswith("+OK")
        assert [(each.uid, each.flags) for each in await talk.store.messages.range(inbox, 1, 9)] == [(2, 1)]

    run(tmp_path, scenario, ONE, TWO)


def test_message_that_another_session_removes_can_be_read_and_deleted_all_the_same(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.login()
        account = await talk.store.directory.account_named("id", "a.net")
        assert account is not None
        await talk.store.messages.remove(account.inbox_id, [1])
        await talk.store.maintenance.sweep()
        assert "Subject: one" in await talk.ask("RETR 1", listing=True)
        await talk.ask("DELE 1")
        assert (await talk.ask("QUIT")).startswith("+OK")

    run(tmp_path, scenario, ONE)


def test_capabilities_by_state(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        plain = (await talk.ask("CAPA", listing=True)).splitlines()
        assert "STLS" in plain
        assert "SASL PLAIN" not in plain
        assert (await talk.ask("USER id@a.net")).startswith("-ERR [SYS/PERM] Please use STLS")
        assert (await talk.ask("AUTH PLAIN")).startswith("-ERR [SYS/PERM] Please use STLS")
        assert (await talk.ask("STLS")).startswith("+OK")
        for _ in range(100):
            await asyncio.sleep(0)
        secure = (await talk.ask("CAPA", listing=True)).splitlines()
        assert {"SASL PLAIN", "UTF8 USER", "TOP", "UIDL", "PIPELINING", "RESP-CODES"} <= set(secure)
        await talk.login()
        assert (await talk.ask("STLS")).startswith("-ERR")

    run(tmp_path, scenario, secure=False)


@pytest.mark.parametrize("how", ["initial", "later"])
def test_sasl_plain(tmp_path: Path, how: str) -> None:
    async def scenario(talk: Talk) -> None:
        secret = base64.b64encode("\0id@a.net\0 비밀 ".encode()).decode()
        lines = (f"AUTH PLAIN {secret}",) if how == "initial" else ("AUTH PLAIN", secret)
        assert (await talk.ask(*lines)).startswith("+OK Welcome")

    talk = run(tmp_path, scenario)
    assert not [record for record in talk.records if "비밀" in record.text]


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [(Outcome.WRONG, "-ERR [AUTH]"), (Outcome.LATER, "-ERR [SYS/TEMP]"), (Outcome.BANNED, "-ERR [AUTH] Too many")],
)
def test_login_that_fails(tmp_path: Path, outcome: Outcome, answer: str) -> None:
    async def scenario(talk: Talk) -> None:
        talk.passwords.outcome = outcome
        assert (await talk.ask("USER id@a.net", "PASS wrong")).startswith(answer)

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    "command",
    ["RETR 1", "STAT", "NOTHING", "PASS x", "AUTH GSSAPI", "AUTH PLAIN !!", "AUTH PLAIN =", "USER", "QUIT now", "LIST"],
)
def test_command_out_of_place_is_refused(tmp_path: Path, command: str) -> None:
    async def scenario(talk: Talk) -> None:
        assert (await talk.ask(command)).startswith("-ERR")
        await talk.login()
        for wrong in ("RETR", "RETR x", "RETR 0", "RETR 9", "TOP 1", "TOP 1 x", "DELE -1", "USER x", "STAT 1"):
            assert (await talk.ask(wrong)).startswith("-ERR"), wrong

    run(tmp_path, scenario, ONE)


def test_pipelined_commands_are_answered_in_order(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.login()
        await talk.ask("NOOP", "STAT", "DELE 1", "STAT", "RSET", "LIST 1")
        answers = bytes(talk.connection.sent).decode().splitlines()
        assert answers == [
            "+OK Done", f"+OK 1 {len(ONE)}", "+OK It goes at QUIT", "+OK 0 0", "+OK Nothing is deleted",
            f"+OK 1 {len(ONE)}",
        ]  # fmt: skip

    run(tmp_path, scenario, ONE)


def test_what_is_no_pop3_and_silence_and_a_stop_end_the_session(tmp_path: Path) -> None:
    async def noise(talk: Talk) -> None:
        assert await talk.ask(*["GET / HTTP/1.0"] * 10) in {"-ERR That is not POP3", "-ERR There is no such command"}
        assert talk.stream._task is not None
        await asyncio.wait({talk.stream._task}, timeout=10)
        assert not talk.connection.alive

    async def silence(talk: Talk) -> None:
        talk.stream.timed_out()
        assert talk.stream._task is not None
        await asyncio.wait({talk.stream._task}, timeout=10)
        assert b"-ERR [SYS/TEMP] Nothing was heard" in talk.connection.sent

    async def stop(talk: Talk) -> None:
        talk.stream.stopping()
        assert talk.stream._task is not None
        await asyncio.wait({talk.stream._task}, timeout=10)
        assert b"-ERR [SYS/TEMP] The server is going down" in talk.connection.sent

    for number, scenario in enumerate((noise, silence, stop)):
        (tmp_path / str(number)).mkdir()
        run(tmp_path / str(number), scenario)
