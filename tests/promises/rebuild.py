"""A server rebuilt from one encrypted file: mail, flags, passwords, keys, certificates; the same again is no change."""

from __future__ import annotations

import hashlib
import imaplib
import re
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import Any

from cryptography import x509

from lab import lifecycle
from tests.lib.site import ID_PASSWORD, PEOPLE, Site, changes, letter, send, site

ABOUT = "backed up, the host deleted, rebuilt in another folder by another user from that file alone; nothing is lost"

HAND_MADE, HAND_PASSWORD = "손님@테스트.net", "손님-비밀-3317"
NEW_PASSWORD = "바뀐-비밀-9024"


def mailbox(where: Site, person: str, password: str) -> dict[str, Any]:
    """UIDVALIDITY, and of each message its UID, flags and hash."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4_SSL("127.0.0.1", where.port(993), ssl_context=context, timeout=60) as imap:
        imap.authenticate("PLAIN", lambda _: f"\0{person}\0{password}".encode())
        imap.select("INBOX", readonly=True)
        _, validity = imap.response("UIDVALIDITY")
        _, (found,) = imap.uid("SEARCH", "ALL")
        messages = {}
        for uid in found.decode().split():
            _, rows = imap.uid("FETCH", uid, "(FLAGS BODY.PEEK[])")
            head, body = next(row for row in rows if isinstance(row, tuple))
            flags = re.search(
                rb"FLAGS \(([^)]*)\)", b" ".join([head, *(row for row in rows if isinstance(row, bytes))])
            )
            messages[uid] = (sorted(flags[1].split()) if flags else [], hashlib.sha256(body).hexdigest())
    return {"uidvalidity": validity, "messages": messages}


def identity(where: Site) -> dict[str, Any]:
    """What the world knows the server by: the DKIM records in the summary, the serials of the certificates."""
    shown = where.maild("dns", "records", "--json")
    assert shown.status == 0, shown
    keys = sorted(set(re.findall(r"v=DKIM1;[^\"\\]*", shown.out)))
    selectors = sorted(set(re.findall(r"[\w-]+(?=\._domainkey\b)", shown.out)))
    tls = where.lab.drive / where.root / "etc" / "tls"
    serials = {
        path.name: x509.load_pem_x509_certificate(path.read_bytes()).serial_number for path in tls.glob("*-chain.pem")
    }
    assert len(keys) >= 2, shown.out
    assert len(selectors) >= 2, shown.out
    assert len(serials) == 2, serials
    return {"dkim": keys, "selectors": selectors, "serials": serials}


def flag(where: Site, person: str, password: str) -> None:
    """Reads the first message, stars the second, writes a keyword on the third."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4_SSL("127.0.0.1", where.port(993), ssl_context=context, timeout=60) as imap:
        imap.authenticate("PLAIN", lambda _: f"\0{person}\0{password}".encode())
        imap.select("INBOX")
        for number, name in (("1", r"\Seen"), ("2", r"\Flagged"), ("3", "$Important")):
            imap.store(number, "+FLAGS", f"({name})")


def lived_in(where: Site, messages: int) -> None:
    """Mail, flags, a changed password, an account made by hand."""
    for number in range(messages):
        send(where, "주문@테스트.net", "id@테스트.net", letter("주문@테스트.net", "id@테스트.net", number))
    made = where.maild("account", "add", HAND_MADE, "--stdin", given=HAND_PASSWORD + "\n")
    assert made.status == 0, made
    send(where, "id@테스트.net", HAND_MADE, letter("id@테스트.net", HAND_MADE))
    flag(where, "id@테스트.net", ID_PASSWORD)
    changed = where.maild("account", "password", "id@테스트.net", "--stdin", given=NEW_PASSWORD + "\n")
    assert changed.status == 0, changed


def everything(where: Site) -> dict[str, Any]:
    passwords = PEOPLE | {"id@테스트.net": NEW_PASSWORD, HAND_MADE: HAND_PASSWORD}
    return {person: mailbox(where, person, password) for person, password in passwords.items()} | identity(where)


def pulled(where: Site, folder: Path) -> Path:
    """A backup taken and kept outside."""
    before = set(where.checkout.glob("backups/*.age"))
    where.deployed("operate/backup.py")
    (made,) = set(where.checkout.glob("backups/*.age")) - before
    return Path(shutil.move(made, folder))


def round_trip(folder: Path, database: str, messages: int) -> dict[str, object]:
    outside = folder / "outside"
    outside.mkdir()
    key = outside / "key.txt"
    variables = {"MAILHOST_LAB_DATABASE": database, "MAILHOST_LAB_BACKUP_KEY": str(key)}
    with site(folder / "first") as where:
        where.environment |= variables
        where.deployed()
        lived_in(where, messages)
        before = everything(where)
        backup = pulled(where, outside)
        send(where, "주문@테스트.net", "id@테스트.net", letter("주문@테스트.net", "id@테스트.net", 999))
        later = pulled(where, outside)
        first_user = where.lab.call("system.get", name="user")
        lifecycle.stop(where.lab.folder)
        shutil.rmtree(where.lab.folder)
    with site(folder / "second", kind="korean", root="C:/Rebuilt") as where:
        # what the environment would give new mailboxes must not be what the old ones have
        where.environment |= variables | {f"MAILHOST_LAB_{name}_PASSWORD": "another" for name in ("ID", "ORDER")}
        assert where.lab.call("system.get", name="user") != first_user
        given = ("--data", f"restore_from={backup}", "--data", f"restore_identity={key}")
        where.deployed("operate/restore.py", *given)
        assert not (where.lab.drive / "Mailhost").exists()
        after = everything(where)
        assert after == before, (before, after)
        again = where.deployed("operate/restore.py", *given)
        assert changes(again) == 0, again.text[-3000:]
        refused = where.deploy(
            "operate/restore.py", "--data", f"restore_from={later}", "--data", f"restore_identity={key}"
        )
        assert refused.status == 1, refused.text[-2000:]
        assert "empty" in refused.text, refused.text[-2000:]
        assert everything(where) == before
    count = sum(len(before[person]["messages"]) for person in (*PEOPLE, HAND_MADE))
    return {
        "messages": count,
        "accounts": len(PEOPLE) + 1,
        "dkim_keys": len(before["dkim"]),
        "dkim_selectors": before["selectors"],
        "backup_bytes": backup.stat().st_size,
    }


def run(size: str) -> dict[str, object]:
    """SQLite and few messages in CI; MariaDB too and many at full size."""
    cases = [("sqlite", 3)] if size == "small" else [("sqlite", 200), ("mysql", 200)]
    found: dict[str, object] = {}
    for database, messages in cases:
        with tempfile.TemporaryDirectory(prefix="mailhost-rebuild-") as name:
            found[database] = round_trip(Path(name), database, messages)
    return found
