"""Real clients read and write mail over the daemon's IMAP and POP3 ports."""

from __future__ import annotations

import imaplib
import poplib
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from imapclient import IMAPClient

from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site

USER, PASSWORD = f"id@{TEST_NET}", PASSWORDS["id"]
DATA = Path("tests/data/mail")
MESSAGES = [path.read_bytes() for path in sorted(DATA.glob("*.eml"))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("clients"))
    site.write()
    site.seed()
    with Running(site):
        yield site
        errors = [line for line in running_log(site).splitlines() if line.startswith('"ERROR"')]
        assert not errors, errors


def running_log(site: Site) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (site.folder / "logs").glob("maild_*.log"))


@dataclass
class Mail:
    site: Site

    @property
    def port(self) -> int:
        return self.site.ports["imaps"]

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.site.ca))

    def client(self) -> IMAPClient:
        client = IMAPClient("localhost", self.port, ssl_context=self.context())
        client.plain_login(USER, PASSWORD)
        return client

    def fill(self, mailbox: str = "INBOX") -> None:
        """Empties a mailbox and puts the messages of tests/data/mail into it."""
        with self.client() as client:
            client.select_folder(mailbox)
            if client.search():
                client.delete_messages(client.search())
                client.expunge()
            for message in MESSAGES:
                client.append(mailbox, message)


@pytest.fixture
def mail(site: Site) -> Mail:
    found = Mail(site)
    found.fill()
    return found


def curl(mail: Mail, *arguments: str) -> bytes:
    done = subprocess.run(
        ["curl", "-sS", "--cacert", str(mail.site.ca), "--user", f"id@테스트.net:{PASSWORD}", *arguments],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def test_curl_lists_and_reads(mail: Mail) -> None:
    base = f"imaps://localhost:{mail.port}"
    assert b'* LIST (\\HasNoChildren) "/" "INBOX"' in curl(mail, base + "/")
    uids = [int(uid) for uid in curl(mail, f"{base}/INBOX?ALL").split()[2:]]
    assert len(uids) == len(MESSAGES)
    (first, *_) = curl(mail, f"{base}/INBOX", "-X", "UID SEARCH ALL").split()[2:]
    assert curl(mail, f"{base}/INBOX;UID={int(first)}") == MESSAGES[0]
    section = curl(mail, f"{base}/INBOX;UID={int(first)};SECTION=HEADER.FIELDS%20(Subject)")
    assert section.startswith(b"Subject: ")


def test_curl_reads_by_pop3(mail: Mail) -> None:
    base = f"pop3s://localhost:{mail.site.ports['pop3s']}/"
    assert len(curl(mail, base).splitlines()) == len(MESSAGES)
    assert curl(mail, base + "2") == MESSAGES[1]


def test_imapclient_sees_structure_and_flags(mail: Mail) -> None:
    with mail.client() as client:
        client.select_folder("INBOX")
        found = client.fetch(
            client.search(), ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]"]
        )
        assert sorted(each[b"BODY[]"] for each in found.values()) == sorted(MESSAGES)
        assert all(each[b"ENVELOPE"].message_id for each in found.values())
        uid = next(iter(found))
        client.add_flags([uid], [b"\\Flagged", b"$Forwarded"])
        assert set(client.get_flags([uid])[uid]) == {b"\\Flagged", b"$Forwarded"}
        assert client.search(["SUBJECT", "상품"], charset="UTF-8")
        client.create_folder("보관함/2026")
        assert "보관함/2026" in [name for _, _, name in client.list_folders()]
        client.move([uid], "보관함/2026")
        assert client.folder_status("보관함/2026")[b"MESSAGES"] == 1
        assert client.thread("REFERENCES")
        assert client.sort("REVERSE DATE")
        client.delete_folder("보관함/2026")


def test_imapclient_idles_and_resynchronises(mail: Mail) -> None:
    with mail.client() as client, mail.client() as other:
        client.select_folder("INBOX")
        client.idle()
        other.append("INBOX", MESSAGES[0])
        told: list[object] = []
        while not told:
            told = client.idle_check(timeout=30)
        assert (len(MESSAGES) + 1, b"EXISTS") in told
        client.idle_done()
        client.unselect_folder()
        client.enable("CONDSTORE")
        client.select_folder("INBOX")
        status = client.folder_status("INBOX", ["HIGHESTMODSEQ"])
        other.select_folder("INBOX")
        other.add_flags(other.search()[:1], [b"\\Answered"])
        changed = client.fetch(client.search(), ["FLAGS"], [f"CHANGEDSINCE {status[b'HIGHESTMODSEQ']}"])
        assert [each[b"FLAGS"] for each in changed.values()] == [(b"\\Answered",)]


def test_imaplib_speaks_utf8(mail: Mail) -> None:
    with imaplib.IMAP4_SSL("localhost", mail.port, ssl_context=mail.context()) as client:
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        assert client.append("INBOX", "\\Seen", None, "Subject: 가\r\n\r\n나\r\n".encode())[0] == "OK"
        client.enable("UTF8=ACCEPT")
        assert client.create('"받은 것"')[0] == "OK"
        assert any('"받은 것"'.encode() in line for line in client.list()[1] if isinstance(line, bytes))
        client.select("INBOX")
        assert client.copy("*", '"받은 것"')[0] == "OK"
        assert client.select('"받은 것"')[1] == [b"1"]
        assert client.fetch("1", "(BODY[])")[1][0][1] == "Subject: 가\r\n\r\n나\r\n".encode()  # type: ignore[index]
        client.select("INBOX")
        assert client.delete('"받은 것"')[0] == "OK"


def test_mbsync_copies_both_ways(mail: Mail, tmp_path: Path) -> None:
    maildir = tmp_path / "mail"
    maildir.mkdir()
    (tmp_path / "mbsyncrc").write_text(
        f"""IMAPAccount a
Host localhost
Port {mail.port}
User {USER}
Pass "{PASSWORD}"
SSLType IMAPS
CertificateFile {mail.site.ca}
AuthMechs PLAIN

IMAPStore far
Account a

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns INBOX Archive
Create Both
Expunge Both
SyncState *
""",
        encoding="utf-8",
    )
    run = ["mbsync", "-c", str(tmp_path / "mbsyncrc"), "c"]
    subprocess.run(run, check=True, capture_output=True, timeout=120)
    there = sorted(
        path.read_bytes().replace(b"\r\n", b"\n") for path in (maildir / "INBOX").glob("*/*") if path.is_file()
    )
    without = [re.sub(rb"X-TUID: [^\n]*\n", b"", each) for each in there]
    assert sorted(without) == sorted(message.replace(b"\r\n", b"\n") for message in MESSAGES)
    one = next(path for path in (maildir / "INBOX" / "new").iterdir())
    shutil.move(str(one), str(maildir / "INBOX" / "cur" / f"{one.name.partition(':')[0]}:2,S"))
    (maildir / "Archive" / "cur" / "9.test:2,F").write_bytes(b"Subject: from here\n\nup\n")
    subprocess.run(run, check=True, capture_output=True, timeout=120)
    with mail.client() as client:
        client.select_folder("INBOX", readonly=True)
        assert len(client.search("SEEN")) == 1
        client.select_folder("Archive", readonly=True)
        assert len(client.search(["SUBJECT", "from here", "FLAGGED"])) == 1


def test_mutt_reads_and_deletes(mail: Mail, tmp_path: Path) -> None:
    (tmp_path / "muttrc").write_text(
        f"""set folder="imaps://localhost:{mail.port}/"
set spoolfile="+INBOX"
set imap_user="{USER}"
set imap_pass="{PASSWORD}"
set ssl_ca_certificates_file="{mail.site.ca}"
set ssl_usesystemcerts=no
set ssl_starttls=yes
set delete=yes
set quit=yes
set sort=date
push "<delete-pattern>~s report<enter><sync-mailbox><quit>"
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["script", "-qec", f"mutt -n -F {tmp_path / 'muttrc'}", "/dev/null"],
        env={"TERM": "xterm", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=False,
    )  # fmt: skip
    with mail.client() as client:
        client.select_folder("INBOX", readonly=True)
        assert client.search(["SUBJECT", "report"]) == [], done.stdout[-2000:]
        assert len(client.search()) == len(MESSAGES) - 1


def test_poplib_reads_deletes_and_keeps_what_was_not_committed(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poplib.POP3_SSL, "encoding", "UTF-8")

    def opened() -> poplib.POP3_SSL:
        client = poplib.POP3_SSL("localhost", mail.site.ports["pop3s"], context=mail.context(), timeout=60)
        client.user(USER)
        client.pass_(PASSWORD)
        return client

    client = opened()
    assert client.stat() == (len(MESSAGES), sum(map(len, MESSAGES)))
    unique = client.uidl()[1]
    assert len(set(unique)) == len(MESSAGES)
    assert b"\r\n".join(client.retr(1)[1]) + b"\r\n" == MESSAGES[0]
    assert client.top(2, 0)[1][-1] == b""
    client.dele(1)
    client.close()
    client = opened()
    assert client.uidl()[1] == unique
    client.dele(1)
    client.quit()
    client = opened()
    assert [each.split()[1] for each in client.uidl()[1]] == [each.split()[1] for each in unique[1:]]
    client.quit()
