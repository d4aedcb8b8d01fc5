from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from maild.backup import BackupError, Created, Places, copy, create, join, prune, restore, verify
from maild.backup.packs import Pack, Pool
from maild.backup.restoring import PACKS_AT_ONCE
from maild.store import (
    AliasDomain,
    BodyChunk,
    DKIMKey,
    FlagAction,
    Incoming,
    QueueEntry,
    QueueRecipient,
    Store,
    new_id,
    open_store,
)
from maild.store.transfer import SQLTransfer
from tests.lib.daemon import TEST_NET, Site
from tests.lib.programs import ROOT
from tests.lib.stores import ALIAS_DOMAIN, DOMAIN, Scene, letter, new_account, scene

KEY = pyrage.x25519.Identity.generate()
IDENTITY, RECIPIENT = f"# created by a test\n{KEY}\n", str(KEY.to_public())


def places(folder: Path) -> Places:
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


def test_a_server_is_rebuilt_from_the_file_alone(on: Scene, tmp_path: Path) -> None:
    old, new = furnish(tmp_path / "old"), places(tmp_path / "new")

    async def take(store: Store) -> tuple[Path, dict[str, object]]:
        await fill(store)
        made = await create(store, old, tmp_path / "backups", RECIPIENT, "smtp.테스트.net", whole=True)
        alone = made.file.rename(tmp_path / "alone.age")
        shutil.rmtree(tmp_path / "backups")
        return alone, await picture(store)

    file, before = on.run(take)
    shutil.rmtree(tmp_path / "old")
    target = scene(on.engine, _folder(tmp_path / "target"))

    async def bring(store: Store) -> dict[str, object]:
        asked = await restore(store, new, file, IDENTITY, apply=False)
        assert asked.changed
        assert await store.directory.domains() == []
        assert not new.wrap_key.exists()
        done = await restore(store, new, file, IDENTITY)
        assert done.changed
        assert done.manifest.messages == 60
        again = await restore(store, new, file, IDENTITY)
        assert not again.changed
        [item] = await store.queue.items()
        assert item.held
        assert await store.maintenance.check(bodies=True) == []
        return await picture(store)

    assert target.run(bring) == before
    assert new.wrap_key.read_text() == "wrap"
    assert (new.certificates / "smtp.테스트.net-key.pem").read_text() == "key"
    assert (new.acme / "account" / "key.json").read_text() == "account"
    assert (new.data / "settings-from-backup.toml").read_text() == "hostname"
    assert not new.settings_file.exists()


def test_mail_that_comes_while_a_backup_is_made_does_not_spoil_it(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> Path:
        account = await new_account(store)
        stop = asyncio.Event()

        async def traffic() -> None:
            while not stop.is_set():
                await store.accept(letter(account.inbox_id, body=os.urandom(3000)))
                view = await store.messages.view(account.inbox_id)
                await store.messages.remove(account.inbox_id, list(view.uids)[:-20])
                await store.maintenance.sweep()

        task = asyncio.create_task(traffic())
        await asyncio.sleep(0.2)
        made = await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "smtp.example.com")
        stop.set()
        await task
        return made.file

    file = on.run(body)
    target = scene("sqlite", _folder(tmp_path / "target"))

    async def bring(store: Store) -> None:
        await restore(store, places(tmp_path / "new"), file, IDENTITY)
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


def test_a_server_that_holds_something_is_refused_and_left_alone(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await fill(store)
        file = (await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "a.example")).file
        before = await picture(store)
        with pytest.raises(BackupError, match="empty"):
            await restore(store, places(tmp_path / "new"), file, IDENTITY)
        assert await picture(store) == before

    on.run(body)


def test_a_restore_that_was_cut_off_begins_anew(on: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def take(store: Store) -> Path:
        await fill(store)
        return (await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "a.example")).file

    file = on.run(take)
    target = scene(on.engine, _folder(tmp_path / "target"))

    async def bring(store: Store) -> None:
        with monkeypatch.context() as cut:
            cut.setattr("maild.backup.restoring.put", _fail)
            with pytest.raises(OSError, match="cut"):
                await restore(store, places(tmp_path / "new"), file, IDENTITY)
        assert (await restore(store, places(tmp_path / "new"), file, IDENTITY)).changed
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


def _fail(*_: object) -> None:
    raise OSError("cut")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Path:
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def take(store: Store) -> Path:
        await fill(store)
        return (await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "a.example")).file

    return where.run(take)


def test_a_damaged_or_cut_off_file_is_noticed(made: Path) -> None:
    whole = made.read_bytes()
    verify(made, IDENTITY)
    for broken in (whole[:-1], whole[: len(whole) // 2], whole[:1000] + b"x" + whole[1001:], whole[:200], b""):
        made.write_bytes(broken)
        with pytest.raises(BackupError):
            verify(made, IDENTITY)


def test_only_the_operators_key_opens_it(made: Path) -> None:
    with pytest.raises(BackupError):
        verify(made, str(pyrage.x25519.Identity.generate()))
    with pytest.raises(BackupError, match="AGE-SECRET-KEY"):
        verify(made, "no key")


@pytest.fixture(name="left_open")
def _left_open(tmp_path: Path) -> Path:
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def take(store: Store) -> Path:
        await fill(store)
        return (await create(store, furnish(tmp_path), tmp_path / "backups", None, "a.example")).file

    return where.run(take)


def test_one_without_a_recipient_is_a_bare_tar_for_its_owner_alone(left_open: Path, tmp_path: Path) -> None:
    assert (left_open.suffix, left_open.stat().st_mode & 0o077) == (".tar", 0)
    listed = subprocess.run(["tar", "tf", left_open], capture_output=True, check=True).stdout.decode().split()
    assert listed[-1] == "manifest.json"
    assert verify(left_open, None).messages == 60
    target = scene("sqlite", _folder(tmp_path / "target"))

    async def bring(store: Store) -> None:
        assert (await restore(store, places(tmp_path / "new"), left_open, None)).changed
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


def test_an_encrypted_one_without_a_key_says_what_it_needs(made: Path) -> None:
    with pytest.raises(BackupError, match="name the age key file"):
        verify(made, None)


def test_a_damaged_or_cut_off_open_file_is_noticed(left_open: Path) -> None:
    whole = left_open.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:1000] + b"x" + whole[1001:], whole[:200], b""):
        left_open.write_bytes(broken)
        with pytest.raises(BackupError):
            verify(left_open, None)


def test_the_file_can_be_looked_into_with_age_and_tar(made: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(IDENTITY)
    plain = subprocess.run(["age", "-d", "-i", tmp_path / "key", made], capture_output=True, check=True).stdout
    listed = subprocess.run(["tar", "t"], input=plain, capture_output=True, check=True).stdout.decode().split()
    assert listed[-1] == "manifest.json"
    assert "files/wrap.key" in listed
    assert b"AGE-SECRET-KEY" not in made.read_bytes()


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    where = scene("sqlite", tmp_path)

    async def body(store: Store) -> None:
        await fill(store)
        with pytest.raises(BackupError, match="age1"):
            await create(store, furnish(tmp_path), tmp_path / "backups", "age1nonsense", "a.example")

    where.run(body)
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_newest_and_the_young_are_kept(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    for day in range(10):
        file = tmp_path / f"host-{20260101 + 9 - day}T000000Z.maild.age"
        file.write_bytes(b"")
        os.utime(file, (now - day * 86400, now - day * 86400))
    (tmp_path / "other.txt").write_bytes(b"")
    gone = prune(tmp_path, count=3, days=5, now=now)
    assert len(gone) == 4
    assert len(list(tmp_path.glob("*.maild.age"))) == 6
    assert (tmp_path / "other.txt").exists()


async def mail(store: Store, inbox: int, count: int) -> None:
    for _ in range(count):
        await store.accept(letter(inbox, body=os.urandom(40_000)))


def packs(folder: Path) -> dict[str, int]:
    """Name and inode of each pack: one that was written again has another."""
    return {file.name: file.stat().st_ino for file in folder.glob("packs/*/*.pack")}


async def take(store: Store, tmp_path: Path, **more: bool) -> Created:
    places_ = furnish(tmp_path)
    made = await create(store, places_, tmp_path / "backups", RECIPIENT, "a.example", **more)
    # Names have seconds; tests are faster.
    named = made.file.with_name(f"{new_id().hex()}.maild.age")
    made.file.with_name(made.file.name + ".packs").rename(named.with_name(named.name + ".packs"))
    return replace(made, file=made.file.rename(named))


def test_a_second_backup_of_an_unchanged_store_writes_no_pack(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await fill(store)
        first = await take(store, tmp_path)
        assert first.packs == 1
        before = packs(tmp_path / "backups")
        second = await take(store, tmp_path)
        assert second.packs == 0
        assert second.size < 100_000
        assert packs(tmp_path / "backups") == before
        inbox = (await store.directory.accounts())[0].inbox_id
        await mail(store, inbox, 3)
        third = await take(store, tmp_path)
        assert third.packs == 1
        assert third.size < 300_000
        for made in (first, second, third):
            assert verify(made.file, IDENTITY).messages == made.manifest.messages

    on.run(body)


def test_every_backup_of_a_folder_is_restored_as_of_its_moment(on: Scene, tmp_path: Path) -> None:
    async def grow(store: Store) -> list[tuple[Path, dict[str, object]]]:
        await fill(store)
        inbox = (await store.directory.accounts())[0].inbox_id
        kept = []
        for _ in range(3):
            await mail(store, inbox, 5)
            view = await store.messages.view(inbox)
            await store.messages.remove(inbox, list(view.uids)[:4])
            with monkey() as patch:
                patch.setattr("maild.store.maintenance.BODY_GRACE_SECONDS", -1)
                await store.maintenance.sweep()
            kept.append(((await take(store, tmp_path)).file, await picture(store)))
        return kept

    for number, (file, before) in enumerate(on.run(grow)):
        target = scene(on.engine, _folder(tmp_path / f"target{number}"))

        async def bring(store: Store, file: Path = file) -> dict[str, object]:
            await restore(store, places(tmp_path / "new"), file, IDENTITY)
            assert await store.maintenance.check(bodies=True) == []
            return await picture(store)

        assert target.run(bring) == before


def monkey() -> AbstractContextManager[pytest.MonkeyPatch]:
    return pytest.MonkeyPatch.context()


def test_a_backup_that_was_cut_off_is_taken_up_again(
    on: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maild.backup.taking.PACK_BYTES", 100_000)

    async def body(store: Store) -> None:
        account = await new_account(store)
        await mail(store, account.inbox_id, 20)
        written = 0
        put = Pool.put

        def cut(self: Pool, chunks: Sequence[BodyChunk]) -> Pack:
            nonlocal written
            if written == 3:
                raise BackupError("cut")
            written += 1
            return put(self, chunks)

        with monkeypatch.context() as hindered:
            hindered.setattr(Pool, "put", cut)
            with pytest.raises(BackupError, match="cut"):
                await take(store, tmp_path)
        left = packs(tmp_path / "backups")
        assert len(left) == 3
        assert not list((tmp_path / "backups").glob("*.age"))
        made = await take(store, tmp_path)
        assert made.packs == 7 - 3
        assert left.items() <= packs(tmp_path / "backups").items()
        assert verify(made.file, IDENTITY).messages == 20

    on.run(body)


@pytest.fixture(name="taken")
def _taken(tmp_path: Path) -> Path:
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def body(store: Store) -> Path:
        await fill(store)
        return (await take(store, tmp_path)).file

    return where.run(body)


@pytest.mark.parametrize("place", [0, 300, -1])
def test_a_flipped_byte_in_a_pack_is_found(taken: Path, place: int) -> None:
    [pack] = taken.parent.glob("packs/*/*.pack")
    data = bytearray(pack.read_bytes())
    data[place] ^= 1
    pack.write_bytes(data)
    with pytest.raises(BackupError, match="is damaged"):
        verify(taken, IDENTITY)


def test_a_pack_that_is_gone_is_named(taken: Path) -> None:
    [pack] = taken.parent.glob("packs/*/*.pack")
    pack.unlink()
    with pytest.raises(BackupError, match=pack.name):
        verify(taken, IDENTITY)


def test_a_pack_of_another_backup_in_its_place_is_found(taken: Path) -> None:
    [pack] = taken.parent.glob("packs/*/*.pack")
    pack.write_bytes(pyrage.encrypt(b"\x90", [KEY.to_public()]))
    with pytest.raises(BackupError, match="is damaged"):
        verify(taken, IDENTITY)


@pytest.mark.parametrize("harm", ["rotten", "cut off", "not noted", "wrongly noted"])
def test_a_pack_that_is_no_longer_good_is_written_anew_by_the_next_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr("maild.backup.taking.READ_AGAIN", 1)
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def body(store: Store) -> None:
        await fill(store)
        await take(store, tmp_path)
        [pack] = (tmp_path / "backups").glob("packs/*/*.pack")
        noted = pack.with_suffix(".ids")
        if harm == "rotten":
            pack.write_bytes(pack.read_bytes()[:-1] + b"x")
        elif harm == "cut off":
            pack.write_bytes(pack.read_bytes()[:-1])
        elif harm == "not noted":
            noted.unlink()
        else:
            noted.write_bytes(b"x" + noted.read_bytes()[1:])
        made = await take(store, tmp_path)
        assert made.packs == 1
        assert made.damaged == ((f"packs/{pack.parent.name}/{pack.name}",) if harm == "rotten" else ())
        verify(made.file, IDENTITY)

    where.run(body)


def test_packs_go_with_the_last_backup_that_needs_them(tmp_path: Path) -> None:
    where = scene("sqlite", _folder(tmp_path / "database"))
    folder = tmp_path / "backups"
    day = 24 * 3600

    async def body(store: Store) -> None:
        account = await new_account(store)
        await mail(store, account.inbox_id, 10)
        first = await take(store, tmp_path)
        early = set(packs(folder))
        await store.messages.remove(account.inbox_id, list(range(1, 11)))
        with monkey() as patch:
            patch.setattr("maild.store.maintenance.BODY_GRACE_SECONDS", -1)
            await store.maintenance.sweep()
        await mail(store, account.inbox_id, 2)
        second = await take(store, tmp_path)
        now = time.time()
        os.utime(first.file, (now - 40 * day, now - 40 * day))
        assert prune(folder, count=2, days=30, now=now) == []
        gone = prune(folder, count=1, days=30, now=now)
        assert gone == [first.file]
        # They are young: a backup that is being made might rely on them.
        assert set(packs(folder)) > early
        assert {file.name for file in prune(folder, count=1, days=30, now=now + 2 * day)} == early
        assert not early & set(packs(folder))
        assert not [file for file in folder.rglob("*.ids") if not file.with_suffix(".pack").exists()]
        verify(second.file, IDENTITY)

    where.run(body)


def test_a_pack_that_is_mostly_of_removed_mail_is_not_carried_on(tmp_path: Path) -> None:
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def body(store: Store) -> None:
        account = await new_account(store)
        await mail(store, account.inbox_id, 10)
        first = await take(store, tmp_path)
        await store.messages.remove(account.inbox_id, list(range(1, 7)))
        with monkey() as patch:
            patch.setattr("maild.store.maintenance.BODY_GRACE_SECONDS", -1)
            await store.maintenance.sweep()
        second = await take(store, tmp_path)
        assert second.packs == 1
        assert not set(first.manifest.packs) & set(second.manifest.packs)
        verify(second.file, IDENTITY)

    where.run(body)


def test_another_key_shares_no_pack(tmp_path: Path) -> None:
    where = scene("sqlite", _folder(tmp_path / "database"))
    other = pyrage.x25519.Identity.generate()

    async def body(store: Store) -> None:
        await fill(store)
        first = await take(store, tmp_path)
        made = await create(store, places(tmp_path), tmp_path / "backups", str(other.to_public()), "b.example")
        assert made.packs == 1
        assert not set(first.manifest.packs) & set(made.manifest.packs)
        verify(made.file, str(other))

    where.run(body)


def test_an_open_backup_leaves_nothing_open_but_its_file(tmp_path: Path) -> None:
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def body(store: Store) -> None:
        await fill(store)
        made = await create(store, furnish(tmp_path), tmp_path / "backups", None, "a.example", whole=True)
        assert verify(made.file, None).messages == 60
        assert packs(tmp_path / "backups") == {}

    where.run(body)


def test_a_copy_elsewhere_gets_only_new_packs_and_is_restored_from_there(tmp_path: Path) -> None:
    where = scene("sqlite", _folder(tmp_path / "database"))
    away = tmp_path / "away"

    async def body(store: Store) -> Path:
        account = await new_account(store)
        await mail(store, account.inbox_id, 3)
        copy((await take(store, tmp_path)).file, away)
        before = packs(away)
        await mail(store, account.inbox_id, 3)
        copied = copy((await take(store, tmp_path)).file, away)
        assert before.items() < packs(away).items()
        return copied

    copied = where.run(body)
    shutil.rmtree(tmp_path / "backups")
    target = scene("sqlite", _folder(tmp_path / "target"))

    async def bring(store: Store) -> None:
        assert (await restore(store, places(tmp_path / "new"), copied, IDENTITY)).manifest.messages == 6
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


@pytest.mark.parametrize("whole", [False, True])
def test_packs_are_restored_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, whole: bool) -> None:
    monkeypatch.setattr("maild.backup.taking.PACK_BYTES", 100_000)
    where = scene("sqlite", _folder(tmp_path / "database"))

    async def body(store: Store) -> Path:
        account = await new_account(store)
        await mail(store, account.inbox_id, 30)
        return (await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "a.example", whole=whole)).file

    file = where.run(body)
    target = scene("sqlite", _folder(tmp_path / "target"))
    running = most = 0
    load = SQLTransfer.load_bodies

    async def watched(self: SQLTransfer, chunks: Sequence[BodyChunk]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        await load(self, chunks)
        running -= 1

    monkeypatch.setattr(SQLTransfer, "load_bodies", watched)

    async def bring(store: Store) -> None:
        await restore(store, places(tmp_path / "new"), file, IDENTITY)
        assert most == PACKS_AT_ONCE
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


@pytest.mark.parametrize("by", ["export", "tar"])
def test_a_backup_and_its_packs_joined_in_one_file_are_enough(taken: Path, tmp_path: Path, by: str) -> None:
    alone = tmp_path / "alone.tar"
    if by == "export":
        join(taken, alone)
    else:
        subprocess.run(["tar", "cf", alone, "-C", taken.parent, *os.listdir(taken.parent)], check=True)
    shutil.rmtree(taken.parent)
    target = scene("sqlite", _folder(tmp_path / "target"))

    async def bring(store: Store) -> None:
        with pytest.raises(BackupError, match="encrypted"):
            verify(alone, None)
        assert (await restore(store, places(tmp_path / "new"), alone, IDENTITY)).manifest.messages == 60
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


def test_a_backup_killed_half_way_is_taken_up_by_the_next_command(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write()
    site.seed()

    async def fill_up() -> None:
        store = await open_store(site.database_settings())
        account = await store.directory.account_named("id", TEST_NET)
        assert account is not None
        for _ in range(28):
            await store.accept(letter(account.inbox_id, body=os.urandom(2_000_000)))
        await store.close()

    asyncio.run(fill_up())
    command = [sys.executable, "-m", "maild.cli", "backup", "create", "--settings", str(site.settings)]
    command += ["--to", str(tmp_path / "backups"), "--recipient", RECIPIENT, "--json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])}
    with subprocess.Popen(command, env=environment) as process:
        deadline = time.monotonic() + 60
        while len(packs(tmp_path / "backups")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
    left = packs(tmp_path / "backups")
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    answer = json.loads(done.stdout)
    assert left.items() <= packs(tmp_path / "backups").items()
    assert answer["packs"] == len(packs(tmp_path / "backups")) - len(left)
    assert verify(Path(answer["file"]), IDENTITY).messages == 28
