"""A first mail with Korean subject, body and attachment name goes out by curl and is read by curl as the same bytes."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.lib.daemon import PASSWORDS, TEST_CO_KR, TEST_NET, Running, Site

ABOUT = "Korean mail by curl through 587 and 465, read back by curl over IMAPS as the same bytes; nobody is another"

NET, CO_KR = "테스트.net", "테스트.co.kr"
MAIL = Path(__file__).resolve().parent.parent / "data" / "mail" / "first-mail.eml"


def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """curl with its verbose talk on stderr."""
    return subprocess.run(["curl", "-sv", "--max-time", "60", *arguments], capture_output=True, check=False)


class Client:
    """curl against one daemon."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.host = ["--cacert", str(site.ca), "--ssl-reqd"]

    def send(
        self, message: Path, sender: str, recipients: list[str], *, user: str | None = None, port: str = "submission"
    ) -> subprocess.CompletedProcess[bytes]:
        """Sends a message; with a user after login."""
        scheme = "smtps" if port == "submissions" else "smtp"
        login = ["--user", f"{user}@{NET}:{PASSWORDS[user]}"] if user else []
        to = [word for each in recipients for word in ("--mail-rcpt", each)]
        encrypted = self.host if user else self.host[:2]
        url = f"{scheme}://localhost:{self.site.ports[port]}"
        return curl(*encrypted, url, *login, "--mail-from", sender, *to, "--upload-file", str(message))

    def inbox(self, user: str, uid: int, domain: str = NET) -> bytes:
        """A message of a user's INBOX."""
        url = f"imaps://localhost:{self.site.ports['imaps']}/INBOX/;UID={uid}"
        done = curl(*self.host, url, "--user", f"{user}@{domain}:{PASSWORDS[user]}")
        assert done.returncode == 0, done.stderr[-1000:]
        return done.stdout

    def fetched_by_pop3(self, user: str, number: int) -> bytes:
        """A message by POP3."""
        login = f"{quote(f'{user}@{NET}', safe='')}:{quote(PASSWORDS[user], safe='')}"
        done = curl(*self.host, f"pop3s://{login}@localhost:{self.site.ports['pop3s']}/{number}")
        assert done.returncode == 0, done.stderr[-1000:]
        return done.stdout


def written(folder: Path, name: str, author: str) -> Path:
    """The Korean message as from an author."""
    file = folder / name
    file.write_bytes(MAIL.read_bytes().replace(b"AUTHOR", author.encode()))
    return file


def body_of(stored: bytes, sent: bytes) -> None:
    """What was sent stands unchanged at the end of what is stored."""
    assert stored.endswith(sent), (stored[-300:], sent[-300:])


def run(size: str) -> dict[str, object]:
    """The promise."""
    cases = 0
    with tempfile.TemporaryDirectory(prefix="mailhost-first-mail-") as name:
        folder = Path(name)
        site = Site(folder)
        site.write()
        site.seed()
        with Running(site):
            client = Client(site)
            cases += users_write(client, folder)
            cases += strangers_write(client, folder)
            cases += nobody_is_another(client, folder)
    return {"cases": cases, "engine": "sqlite", "size": size}


def users_write(client: Client, folder: Path) -> int:
    """id and 주문 write to each other and to the alias domain; the bytes are the same."""
    for port in ("submission", "submissions"):
        uid = 1 if port == "submission" else 3
        message = written(folder, "id.eml", f"id@{NET}")
        done = client.send(message, f"id@{NET}", [f"주문@{NET}"], user="id", port=port)
        assert done.returncode == 0, done.stderr[-1500:]
        body_of(client.inbox("주문", (uid + 1) // 2), message.read_bytes())
        answer = written(folder, "order.eml", f"주문@{NET}")
        for number, recipient in enumerate((f"id@{NET}", f"id@{CO_KR}")):
            done = client.send(answer, f"주문@{NET}", [recipient], user="주문", port=port)
            assert done.returncode == 0, done.stderr[-1500:]
            body_of(client.inbox("id", uid + number), answer.read_bytes())
    body_of(client.fetched_by_pop3("id", 1), written(folder, "order.eml", f"주문@{NET}").read_bytes())
    return 7


def strangers_write(client: Client, folder: Path) -> int:
    """A stranger on 25 reaches both without login and nothing outside; 25 offers no AUTH."""
    message = written(folder, "stranger.eml", "stranger@example.org")
    for recipient in (f"id@{NET}", f"주문@{NET}", f"id@{CO_KR}"):
        done = client.send(message, "stranger@example.org", [recipient], port="smtp")
        assert done.returncode == 0, done.stderr[-1500:]
        assert b"AUTH" not in done.stderr
    outside = client.send(message, "stranger@example.org", ["someone@example.com"], port="smtp")
    assert outside.returncode != 0
    assert b"550 5.7.1" in outside.stderr
    encrypted = client.send(message, "stranger@example.org", [f"id@{TEST_CO_KR}"], port="smtp")
    assert encrypted.returncode == 0
    with_login = client.send(message, f"id@{NET}", [f"주문@{NET}"], user="id", port="smtp")
    assert b"AUTH" not in with_login.stderr.replace(b"AUTH=", b"")
    assert with_login.returncode != 0
    return 6


def nobody_is_another(client: Client, folder: Path) -> int:
    """A user is refused as anyone else: in the envelope, in the header, with a wrong password."""
    as_order = written(folder, "as-order.eml", f"주문@{NET}")
    own = written(folder, "own.eml", f"id@{NET}")
    for message, sender in (
        (own, f"주문@{NET}"),
        (as_order, f"id@{NET}"),
        (own, "id@example.org"),
        (own, f"id@{CO_KR}x"),
    ):
        done = client.send(message, sender, [f"주문@{NET}"], user="id")
        assert done.returncode != 0, (message, sender)
        assert b"5.7.1" in done.stderr
    url = f"smtp://localhost:{client.site.ports['submission']}"
    wrong = curl(
        *client.host, url, "--user", f"id@{TEST_NET}:wrong", "--mail-from", f"id@{NET}", "--mail-rcpt", f"id@{NET}"
    )
    assert wrong.returncode == 67
    return 5
