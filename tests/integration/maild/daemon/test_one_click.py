"""A member leaves a list with one click, as Gmail does it and as a person does, over the real HTTPS of the daemon."""

from __future__ import annotations

import asyncio
import email
import email.policy
import imaplib
import re
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from maild.store import ListMode, MailingList, open_store
from tests.lib.daemon import HOSTNAME, PASSWORDS, TEST_NET, Running, Site, seed
from tests.lib.ports import free_port

PATIENCE = 60
"""Seconds for a copy that must come; nothing is judged by how long it takes."""
MEMBERS = (f"other@{TEST_NET}", "주문@테스트.net")
LETTER = "From: <친구@테스트.net>\r\nTo: 소식\r\nSubject: 소식\r\n\r\n안녕하세요\r\n".encode()


@dataclass
class Scene:
    """A daemon with a list and its web port."""

    site: Site
    port: int

    def curl(self, url: str, *options: str) -> tuple[int, str]:
        """Status and page, the certificate checked."""
        known = ["--cacert", str(self.site.ca), "--resolve", f"{HOSTNAME}:{self.port}:127.0.0.1"]
        run = ["curl", "-sS", "--max-time", "60", *known, "-w", "\n%{http_code}", *options, url]
        done = subprocess.run(run, check=True, capture_output=True, text=True)
        page, _, status = done.stdout.rpartition("\n")
        return int(status), page

    def exchange(self, request: bytes) -> bytes:
        """What the port answers to bytes."""
        context = ssl.create_default_context(cafile=str(self.site.ca))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname=HOSTNAME) as secured,
        ):
            secured.sendall(request)
            answer = b""
            while piece := secured.recv(65536):
                answer += piece
        return answer

    def members(self) -> tuple[str, ...]:
        """Who is on the list."""

        async def read() -> tuple[str, ...]:
            store = await open_store(self.site.database_settings())
            try:
                found = (await store.directory.resolve("소식", TEST_NET)).mailing_list
            finally:
                await store.close()
            assert found is not None
            return found.members

        return asyncio.run(read())

    def copy(self, user: str) -> EmailMessage:
        """The member's copy of what was sent to the list."""
        context = ssl.create_default_context(cafile=str(self.site.ca))
        with imaplib.IMAP4_SSL("localhost", self.site.ports["imaps"], ssl_context=context) as inbox:
            inbox.authenticate("PLAIN", lambda _: f"\0{user}@테스트.net\0{PASSWORDS[user]}".encode())
            until = time.monotonic() + PATIENCE
            while not int((inbox.select()[1][0] or b"0").decode()):
                assert time.monotonic() < until, "no copy came"
                time.sleep(0.1)
            fetched = inbox.fetch("1", "(BODY.PEEK[])")[1][0]
        assert isinstance(fetched, tuple)
        return email.message_from_bytes(fetched[1], policy=email.policy.default)

    def link(self, user: str) -> str:
        """The link in the member's copy."""
        copy = self.copy(user)
        assert copy["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        found = re.match(r"<(https:[^>]*)>,\s*<mailto:", copy["List-Unsubscribe"])
        assert found, copy["List-Unsubscribe"]
        return found[1]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """For tests after which everybody is on the list still."""
    with running(tmp_path_factory.mktemp("unchanged")) as started:
        yield started


@contextmanager
def running(folder: Path) -> Iterator[Scene]:
    port = free_port()
    web = (
        f'[[listeners]]\nname = "https"\nprotocol = "http"\nport = {port}\nbind = "127.0.0.1"\n'
        'tls = "implicit"\nauth = "off"\n'
    )
    site = Site(folder, more=web)
    site.write()
    asyncio.run(prepared(site))
    with Running(site):
        with smtplib.SMTP("127.0.0.1", site.ports["smtp"], timeout=60) as stranger:
            stranger.ehlo()
            stranger.mail("friend@example.org", ["SMTPUTF8", "BODY=8BITMIME"])
            assert stranger.rcpt(f"소식@{TEST_NET}")[0] == 250
            assert stranger.data(LETTER.replace("친구@테스트.net".encode(), b"friend@example.org"))[0] == 250
        yield Scene(site, port)


async def prepared(site: Site) -> None:
    store = await open_store(site.database_settings())
    try:
        await seed(store)
        news = MailingList(domain=TEST_NET, local="소식", members=MEMBERS, mode=ListMode.PUBLIC)
        await store.directory.save_list(news)
    finally:
        await store.close()


def test_member_leaves_with_the_one_click_of_a_mail_program(scene: Scene) -> None:
    link = scene.link("other")
    assert scene.curl(link, "-d", "List-Unsubscribe=One-Click")[0] == 200
    assert scene.members() == MEMBERS[1:]
    assert scene.curl(link, "-F", "List-Unsubscribe=One-Click")[0] == 404, "who has left has no link any more"
    assert scene.curl(scene.link("주문"), "-F", "List-Unsubscribe=One-Click")[0] == 200, "the form in parts counts too"
    assert scene.members() == ()
    assert urlsplit(link).path.rpartition("/")[2] not in "".join(
        path.read_text(encoding="utf-8") for path in (scene.site.folder / "logs").iterdir()
    )


def test_following_the_link_asks_in_the_readers_language_and_changes_nothing(unchanged: Scene) -> None:
    link = unchanged.link("other")
    status, page = unchanged.curl(link, "-H", "Accept-Language: ko-KR,ko;q=0.9")
    assert (status, '<html lang="ko">' in page, "소식@테스트.net" in page) == (200, True, True)
    assert "<button>" in page
    assert "Leave the list" in unchanged.curl(link, "-H", "Accept-Language: en")[1]
    assert unchanged.curl(link, "-d", "something=else")[0] == 400
    assert unchanged.curl(link, "-I")[0] == 200
    assert unchanged.members() == MEMBERS


def test_link_that_was_not_given_out_takes_nobody_off(unchanged: Scene) -> None:
    link = unchanged.link("other")
    base, _, shown = link.rpartition("/")
    for wrong in (f"{base}/{shown[:-1]}a", f"{base}/", base, link.replace("/lists/", "/list/"), f"{link}/x"):
        if wrong != link:
            assert unchanged.curl(wrong, "-d", "List-Unsubscribe=One-Click")[0] == 404
    assert unchanged.members() == MEMBERS


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"\x16\x03\x01 nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000, b"431"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + b"a" * 20_000, b"413"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n", b"400"),
        (b"GET /%ff%00/\xc3\xa9/../lists/a/b/leave/\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"GET /lists/%00/%ff/leave/x HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
    ],
)
def test_every_request_is_answered(unchanged: Scene, request_bytes: bytes, status: bytes) -> None:
    answer = unchanged.exchange(request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert b"Connection: close" in answer
    assert "fault" not in "".join(
        path.read_text(encoding="utf-8") for path in (unchanged.site.folder / "logs").glob("ERROR*")
    )
