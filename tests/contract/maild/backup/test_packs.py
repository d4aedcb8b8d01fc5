"""The packs of bodies beside backups: written once, taken up after a cut, checked, pruned, copied, joined."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pyrage
import pytest

from maild.backup import BackupError, copy, create, join, prune, restore, verify
from maild.backup.packs import Pack, Pool
from maild.backup.restoring import PACKS_AT_ONCE
from maild.store import (
    BodyChunk,
    Store,
    open_store,
)
from maild.store.transfer import SQLTransfer
from tests.lib.backups import (
    IDENTITY,
    KEY,
    RECIPIENT,
    fill,
    furnish,
    made_folder,
    mail,
    monkey,
    packs,
    picture,
    places,
    take,
)
from tests.lib.daemon import TEST_NET, Site
from tests.lib.programs import ROOT
from tests.lib.stores import Scene, letter, new_account, scene


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
        target = scene(on.engine, made_folder(tmp_path / f"target{number}"))

        async def bring(store: Store, file: Path = file) -> dict[str, object]:
            await restore(store, places(tmp_path / "new"), file, IDENTITY)
            assert await store.maintenance.check(bodies=True) == []
            return await picture(store)

        assert target.run(bring) == before


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
    where = scene("sqlite", made_folder(tmp_path / "database"))

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
    where = scene("sqlite", made_folder(tmp_path / "database"))

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
    where = scene("sqlite", made_folder(tmp_path / "database"))
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
    where = scene("sqlite", made_folder(tmp_path / "database"))

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
    where = scene("sqlite", made_folder(tmp_path / "database"))
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
    where = scene("sqlite", made_folder(tmp_path / "database"))

    async def body(store: Store) -> None:
        await fill(store)
        made = await create(store, furnish(tmp_path), tmp_path / "backups", None, "a.example", whole=True)
        assert verify(made.file, None).messages == 60
        assert packs(tmp_path / "backups") == {}

    where.run(body)


def test_a_copy_elsewhere_gets_only_new_packs_and_is_restored_from_there(tmp_path: Path) -> None:
    where = scene("sqlite", made_folder(tmp_path / "database"))
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
    target = scene("sqlite", made_folder(tmp_path / "target"))

    async def bring(store: Store) -> None:
        assert (await restore(store, places(tmp_path / "new"), copied, IDENTITY)).manifest.messages == 6
        assert await store.maintenance.check(bodies=True) == []

    target.run(bring)


@pytest.mark.parametrize("whole", [False, True])
def test_packs_are_restored_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, whole: bool) -> None:
    monkeypatch.setattr("maild.backup.taking.PACK_BYTES", 100_000)
    where = scene("sqlite", made_folder(tmp_path / "database"))

    async def body(store: Store) -> Path:
        account = await new_account(store)
        await mail(store, account.inbox_id, 30)
        return (await create(store, furnish(tmp_path), tmp_path / "backups", RECIPIENT, "a.example", whole=whole)).file

    file = where.run(body)
    target = scene("sqlite", made_folder(tmp_path / "target"))
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
    target = scene("sqlite", made_folder(tmp_path / "target"))

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
