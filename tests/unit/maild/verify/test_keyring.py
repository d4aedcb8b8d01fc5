"""Keys as rows that several daemons share: each signs with the same ones, and with new ones soon after a switch."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from maild.settings import Database
from maild.store import open_store
from maild.verify import StoredKeys
from maild.verify.dkim.signing_key import Algorithm, DKIMKeyError, generate
from maild.verify.keyring import FRESH_SECONDS, bits_of, record_of

NET, ALIAS = "xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr"
KEY = bytes(range(32))


def test_daemons_with_one_key_file_share_the_keys_and_see_a_switch(tmp_path: Path) -> None:
    async def run() -> None:
        now = 0.0
        database = Database(file=tmp_path / "mail.db")
        stores = [await open_store(database), await open_store(database)]
        first, second = (StoredKeys(store.keys, KEY, clock=lambda: now) for store in stores)
        rows = await first.ensure(NET)
        assert await second.ensure(NET) == rows
        assert [key.record for key in await second.of(NET)] == [record_of(row) for row in rows]
        assert await second.of(ALIAS) == ()
        await first.ensure(ALIAS)
        assert {key.domain for key in await first.of(ALIAS)} == {ALIAS}
        new = await first.rows.save_dkim(first.row(generate(NET, "dkim-202611", Algorithm.RSA)))
        await first.rows.save_dkim(replace(rows[0], state="retired"))
        now += FRESH_SECONDS + 1
        for daemon in (first, second):
            assert {key.selector for key in await daemon.of(NET)} == {new.selector, rows[1].selector}
        for store in stores:
            await store.close()

    asyncio.run(run())


def test_another_key_file_opens_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        store = await open_store(Database(file=tmp_path / "mail.db"))
        try:
            await StoredKeys(store.keys, KEY).ensure(NET)
            with pytest.raises(DKIMKeyError, match="bring back the key file"):
                await StoredKeys(store.keys, bytes(32)).of(NET)
        finally:
            await store.close()

    asyncio.run(run())


def test_the_size_of_a_key_is_read_off_its_public_half() -> None:
    ring = StoredKeys(None, KEY)  # type: ignore[arg-type]
    row = ring.row(generate(NET, "dkim", Algorithm.RSA))
    assert bits_of(row) == 2048
    assert bits_of(ring.row(generate(NET, "dkim-ed", Algorithm.ED25519))) == 256
    assert bits_of(replace(row, public="")) == 0
