"""Logging in at a smart host or route: each mechanism against another server, and a daemon behind a smart host."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from maild.delivery.next_hop import Addressee, Capabilities, Endpoint, HopError, Login, Security, TLSRule, Transaction
from maild.log import Log, Record
from maild.smtp.client import Client
from maild.smtp.client_tls import Trust
from tests.lib.certificates import write_pair
from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site
from tests.lib.exchange import wait_for
from tests.lib.nameserver import SOA, NameServer
from tests.lib.ports import free_port
from tests.lib.wire import Wire

USER, SECRET = "우리@relay.example", "비밀-토큰-7391"
HOST = "relay.example"
PATIENCE = 60
"""Seconds for a start on a loaded machine; nothing is judged by it."""


@dataclass
class Relay:
    """An aiosmtpd that takes mail after a login alone, by PLAIN, LOGIN or XOAUTH2."""

    got: list[tuple[str, list[str]]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def check(self, server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:  # noqa: ARG002
        self.tried.append(mechanism)
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login.decode(), data.password.decode()) == (USER, SECRET), handled=False)

    async def auth_XOAUTH2(self, server, args: list[str]) -> AuthResult:  # type: ignore[no-untyped-def] # noqa: N802
        self.tried.append("XOAUTH2")
        said = base64.b64decode(args[1]).decode()
        if said == f"user={USER}\x01auth=Bearer {SECRET}\x01\x01":
            return AuthResult(success=True)
        await server.challenge_auth('{"status":"400"}')
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: object, session: object, envelope) -> str:  # type: ignore[no-untyped-def] # noqa: ARG002, N802
        self.got.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 2.0.0 kept"


@contextmanager
def relay(folder: Path, *, without: tuple[str, ...] = ()) -> Iterator[tuple[Relay, int]]:
    write_pair(folder, "relay", (HOST,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "relay-chain.pem", folder / "relay-key.pem")
    keeper = Relay()
    controller = Controller(
        keeper,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=keeper.check,
        auth_exclude_mechanism=without,
        ready_timeout=PATIENCE,
    )
    controller.start()
    try:
        yield keeper, controller.port
    finally:
        controller.stop()


async def body(_: Capabilities) -> bytes:
    return b"From: a@example.kr\r\n\r\nx\r\n"


def send(folder: Path, port: int, login: Login, records: list[Record]) -> str:
    rule = TLSRule(security=Security.VERIFIED, names=(HOST,))
    endpoint = Endpoint(host=HOST, address="127.0.0.1", port=port, rule=rule, login=login)
    transaction = Transaction(sender="a@example.kr", recipients=(Addressee(address="b@example.org"),), body=body)

    async def run() -> str:
        session = await Client("smtp.example.kr", Trust(folder / "relay-chain.pem"), Log.to(records))(endpoint)
        (reply,) = await session.send(transaction)
        await session.close()
        return str(reply)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("mechanism", "without", "used"),
    [("PLAIN", (), "PLAIN"), ("PLAIN", ("PLAIN",), "LOGIN"), ("XOAUTH2", (), "XOAUTH2")],
)
def test_login_is_by_what_the_route_says_and_the_host_offers(
    tmp_path: Path, mechanism: str, without: tuple[str, ...], used: str
) -> None:
    records: list[Record] = []
    with relay(tmp_path, without=without) as (keeper, port):
        assert send(tmp_path, port, Login(mechanism=mechanism, user=USER, secret=SECRET), records).startswith("250")
    assert keeper.tried == [used]
    assert keeper.got == [("a@example.kr", ["b@example.org"])]
    assert not secrets_in(records)


@pytest.mark.parametrize(("mechanism", "without"), [("PLAIN", ()), ("PLAIN", ("PLAIN",)), ("XOAUTH2", ())])
def test_refused_login_is_temporary_and_shows_no_secret(
    tmp_path: Path, mechanism: str, without: tuple[str, ...]
) -> None:
    records: list[Record] = []
    with relay(tmp_path, without=without) as (keeper, port), pytest.raises(HopError) as refused:
        send(tmp_path, port, Login(mechanism=mechanism, user=USER, secret=SECRET + "x"), records)
    assert refused.value.reply.code == 454
    assert "535" in str(refused.value)
    assert keeper.got == []
    assert not secrets_in(records)
    assert SECRET not in str(refused.value)


def secrets_in(records: list[Record]) -> list[str]:
    """Lines of the log that hold the secret in any form it is sent in."""
    forms = [
        SECRET,
        *(base64.b64encode(text.encode()).decode().rstrip("=") for text in (SECRET, f"\0{USER}\0{SECRET}")),
    ]
    return [record.text for record in records if any(form in record.text for form in forms)]


def test_daemon_hands_mail_to_its_smart_host_after_starttls_and_login(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n", encoding="utf-8")
    with relay(tmp_path) as (keeper, port), closing(NameServer()) as names:
        names.zone(HOST, SOA + "@ IN A 127.0.0.1\n")
        queue = (
            f'[queue]\nsmart_host = "{HOST}:{port}"\nsmart_host_user = "{USER}"\n'
            f'smart_host_password_file = "secret"\nca_file = "relay-chain.pem"\n[dns]\nservers = ["{names.server}"]\n'
        )
        site = Site(tmp_path, more=queue)
        site.write()
        site.seed()
        with Running(site), Wire(site.ports["submissions"], tls=True) as wire:
            wire.ask("EHLO c")
            wire.log_in(f"id@{TEST_NET}", PASSWORDS["id"])
            for line in (f"MAIL FROM:<id@{TEST_NET}>", "RCPT TO:<friend@example.org>", "DATA"):
                assert wire.ask(line)[0] in "23"
            assert wire.ask(f"From: id@{TEST_NET}\r\n\r\nx\r\n.").startswith("250")
            wait_for(lambda: keeper.got, bool)
    assert (keeper.tried, keeper.got) == (["PLAIN"], [(f"id@{TEST_NET}", ["friend@example.org"])])
