"""Answers to COMMIT that are lost on the way: each outcome is looked up before anybody is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maild.store import Account, Domain, Store, StoreUnavailable, open_store
from tests.lib.commitproxy import CommitProxy
from tests.lib.stores import DOMAIN, letter, scene, shared_server

ENGINES = [pytest.param("mariadb", marks=pytest.mark.mariadb), pytest.param("mysql", marks=pytest.mark.mysql)]


async def _account(store: Store) -> Account:
    await store.directory.save_domain(Domain(name=DOMAIN))
    return await store.directory.save_account(Account(domain=DOMAIN, local="id"))


@pytest.mark.parametrize("engine", ENGINES)
def test_messages_whose_commit_was_answered_to_nobody_are_accepted_once(engine: str, tmp_path: Path) -> None:
    scene(engine, tmp_path)
    server = shared_server(engine)

    async def body(proxy: CommitProxy) -> None:
        store = await open_store(server.settings("maild", port=proxy.port))
        try:
            await store.wait(20)
            account = await _account(store)
            for _ in range(5):
                proxy.arm()
                accepted = await asyncio.gather(*[store.accept(letter(account.inbox_id)) for _ in range(10)])
                assert len({place.uid for answer in accepted for place in answer.placed}) == 10
            assert proxy.cuts == 5
            assert len((await store.messages.view(account.inbox_id)).uids) == 50
            assert (await store.maintenance.health()).unknown_outcomes == 5
            assert await store.maintenance.check() == []
        finally:
            await store.close()

    with CommitProxy(server.port) as proxy:
        asyncio.run(body(proxy))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_commit_that_nobody_can_look_up_is_refused_for_now_and_there_at_most_once(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maild.store.committer.LOOK_SECONDS", 0.5)
    scene(engine, tmp_path)
    server = shared_server(engine)

    async def body(proxy: CommitProxy) -> None:
        store = await open_store(server.settings("maild", port=proxy.port))
        try:
            await store.wait(20)
            account = await _account(store)
            # Every connection there will be is open before the proxy takes no more.
            await store.accept(letter(account.inbox_id))
            proxy.arm()
            proxy.refusing = proxy.cuts_all = True
            message = letter(account.inbox_id)
            sending = asyncio.create_task(store.accept(message))
            async with asyncio.timeout(60):
                while not proxy.cuts:  # noqa: ASYNC110 - a thread counts them
                    await asyncio.sleep(0.01)
            with pytest.raises(StoreUnavailable):
                await sending
            proxy.refusing = False
            await store.wait(20)
            assert len((await store.messages.view(account.inbox_id)).uids) == 2
            again = await store.accept(message)
            assert [place.uid for place in again.placed] == [2]
        finally:
            await store.close()

    with CommitProxy(server.port) as proxy:
        asyncio.run(body(proxy))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_connection_that_breaks_before_commit_is_replaced_unseen(engine: str, tmp_path: Path) -> None:
    scene(engine, tmp_path)
    server = shared_server(engine)

    async def body(proxy: CommitProxy) -> None:
        store = await open_store(server.settings("maild", port=proxy.port))
        try:
            await store.wait(20)
            account = await _account(store)
            for number in range(1, 6):
                await store.accept(letter(account.inbox_id))
                proxy.drop()
                assert len((await store.messages.view(account.inbox_id)).uids) == number
                proxy.drop()
        finally:
            await store.close()

    with CommitProxy(server.port) as proxy:
        asyncio.run(body(proxy))
