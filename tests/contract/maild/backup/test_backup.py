"""A backup as one file on every engine: what is restored from it, who can open it, what damage is noticed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pyrage
import pytest

from maild.backup import BackupError, create, prune, restore, verify
from maild.store import (
    Store,
)
from tests.lib.backups import (
    IDENTITY,
    RECIPIENT,
    fill,
    furnish,
    made_folder,
    picture,
    places,
)
from tests.lib.stores import Scene, letter, new_account, scene


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
    target = scene(on.engine, made_folder(tmp_path / "target"))

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
    target = scene("sqlite", made_folder(tmp_path / "target"))

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
    target = scene(on.engine, made_folder(tmp_path / "target"))

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


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Path:
    where = scene("sqlite", made_folder(tmp_path / "database"))

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
    where = scene("sqlite", made_folder(tmp_path / "database"))

    async def take(store: Store) -> Path:
        await fill(store)
        return (await create(store, furnish(tmp_path), tmp_path / "backups", None, "a.example")).file

    return where.run(take)


def test_one_without_a_recipient_is_a_bare_tar_for_its_owner_alone(left_open: Path, tmp_path: Path) -> None:
    assert (left_open.suffix, left_open.stat().st_mode & 0o077) == (".tar", 0)
    listed = subprocess.run(["tar", "tf", left_open], capture_output=True, check=True).stdout.decode().split()
    assert listed[-1] == "manifest.json"
    assert verify(left_open, None).messages == 60
    target = scene("sqlite", made_folder(tmp_path / "target"))

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
