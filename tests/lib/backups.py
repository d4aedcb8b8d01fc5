"""What tests of backups share: the files of a host, mail worth keeping, and a picture of a store to compare."""

from __future__ import annotations

import hashlib
import os
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from maild.backup import Created, Places, create
from maild.store import AliasDomain, DKIMKey, FlagAction, Incoming, QueueEntry, QueueRecipient, Store, new_id
from tests.lib.stores import ALIAS_DOMAIN, DOMAIN, letter, new_account

KEY = pyrage.x25519.Identity.generate()
IDENTITY, RECIPIENT = f"# created by a test\n{KEY}\n", str(KEY.to_public())


def places(folder: Path) -> Places:
    """Where a host keeps its files, below this folder."""
    return Places(
        settings_file=folder / "maild.toml",
        wrap_key=folder / "etc" / "wrap.key",
        certificates=folder / "etc" / "tls",
        acme=folder / "etc" / "acme",
        data=folder / "data",
    )


def furnish(folder: Path) -> Places:
    """The files of a host that has been running."""
    found = places(folder)
    for file, text in (
        (found.settings_file, "hostname"),
        (found.wrap_key, "wrap"),
        (found.certificates / "smtp.테스트.net-chain.pem", "chain"),
        (found.certificates / "smtp.테스트.net-key.pem", "key"),
        (found.acme / "account" / "key.json", "account"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return found


async def fill(store: Store) -> None:
    """Mail, flags, keywords, expunged messages, a hand-made account, keys, queued mail."""
    account = await new_account(store, "주문")
    other = await new_account(store, "id", quota_bytes=10_000_000)
    await store.directory.save_alias_domain(AliasDomain(name=ALIAS_DOMAIN, domain=DOMAIN))
    await store.credentials.set_password(account.id, "$argon2id$...")
    for number in range(30):
        await store.accept(letter(account.inbox_id, other.inbox_id, body=f"편지 {number}\r\n".encode() * (number + 1)))
    await store.accept(letter(account.inbox_id, body=os.urandom(2_500_000)))
    await store.messages.store_flags(account.inbox_id, [3, 4, 5], FlagAction.ADD, ["\\Deleted", "긴급"])
    await store.messages.expunge(account.inbox_id, [4])
    await store.mailboxes.create(account.id, "업무/2026")
    await store.keys.save_dkim(
        DKIMKey(domain=DOMAIN, selector="dkim", algorithm="rsa-sha256", wrapped=b"\0w", public="p")
    )
    recipient = QueueRecipient(address="a@example.com")
    entry = QueueEntry(destination="mx:example.com", sender="", recipients=(recipient,), expires_at=1 << 60)
    await store.accept(Incoming(id=new_id(), body=b"queued", queue=(entry,)))


async def picture(store: Store) -> dict[str, object]:
    """Everything a person could miss after a restore."""
    seen: dict[str, object] = {"domains": await store.directory.domains(), "keys": await store.keys.dkim()}
    for account in await store.directory.accounts():
        seen[account.address] = (account, await store.credentials.of(account.id))
        seen[f"{account.address} keywords"] = (await store.mailboxes.keywords(account.id)).bits
        for box in await store.mailboxes.of(account.id):
            changes = await store.messages.changes(box.id, 0)
            bodies = {}
            for row in changes.messages:
                digest = hashlib.sha256()
                async for piece in store.messages.chunks(row.blob_id):
                    digest.update(piece)
                bodies[row.uid] = digest.hexdigest()
            seen[f"{account.address} {box.name}"] = (box, changes, bodies)
    return seen


def made_folder(path: Path) -> Path:
    """The folder, new."""
    path.mkdir()
    return path


async def mail(store: Store, inbox: int, count: int) -> None:
    """So many messages of 40 kB that do not compress."""
    for _ in range(count):
        await store.accept(letter(inbox, body=os.urandom(40_000)))


def packs(folder: Path) -> dict[str, int]:
    """Name and inode of each pack: one that was written again has another."""
    return {file.name: file.stat().st_ino for file in folder.glob("packs/*/*.pack")}


async def take(store: Store, tmp_path: Path, **more: bool) -> Created:
    """A backup of the store and the files of its host, under a name of its own."""
    made = await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "a.example", **more)
    # Names have seconds; tests are faster.
    named = made.file.with_name(f"{new_id().hex()}.maild.age")
    made.file.with_name(made.file.name + ".packs").rename(named.with_name(named.name + ".packs"))
    return replace(made, file=made.file.rename(named))


def monkey() -> AbstractContextManager[pytest.MonkeyPatch]:
    """A patch that ends with its block."""
    return pytest.MonkeyPatch.context()
