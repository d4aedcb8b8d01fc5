from __future__ import annotations

import os
from dataclasses import replace

import pytest

from maild.store import (
    Delivery,
    DKIMKey,
    Greylisted,
    Incoming,
    NotFound,
    Report,
    Store,
    STSPolicy,
)
from tests.lib.stores import DOMAIN, Scene, letter, new_account


def test_small_values_are_kept_by_name(on: Scene) -> None:
    async def body(store: Store) -> None:
        await store.state.put("rotation:a", "하나")
        await store.state.put("rotation:a", "둘")
        await store.state.put("rotation:b", "x" * 100_000)
        await store.state.put("rotations", "other")
        assert await store.state.get("rotation:a") == "둘"
        assert set(await store.state.names("rotation:")) == {"rotation:a", "rotation:b"}
        await store.state.delete("rotation:a")
        await store.state.delete("rotation:a")
        assert await store.state.get("rotation:a") is None

    on.run(body)


def test_keys_are_kept_by_domain_and_selector(on: Scene) -> None:
    async def body(store: Store) -> None:
        key = DKIMKey(domain=DOMAIN, selector="dkim", algorithm="rsa-sha256", wrapped=os.urandom(1300), public="MIIB")
        saved = await store.keys.save_dkim(key)
        assert replace(saved, id=0, created_at=0) == key
        await store.keys.save_dkim(replace(key, state="retired"))
        assert [found.state for found in await store.keys.dkim(DOMAIN)] == ["retired"]
        assert await store.keys.dkim("example.com") == []
        await store.keys.remove_dkim(DOMAIN, "dkim")
        with pytest.raises(NotFound):
            await store.keys.remove_dkim(DOMAIN, "dkim")
        first, second = await store.keys.add_srs(b"1"), await store.keys.add_srs(b"2")
        assert [found.id for found in await store.keys.srs()] == [second.id, first.id]
        await store.keys.remove_srs(first.id)
        assert [found.wrapped for found in await store.keys.srs()] == [b"2"]

    on.run(body)


def test_policies_and_triplets_are_remembered(on: Scene) -> None:
    async def body(store: Store) -> None:
        policy = STSPolicy(
            domain="example.com", policy_id="1", mode="enforce", mx=("mx.example.com",), fetched_at=1, expires_at=2
        )
        await store.state.save_sts_policy(policy)
        await store.state.save_sts_policy(replace(policy, policy_id="2"))
        found = await store.state.sts_policy("example.com")
        assert found == replace(policy, policy_id="2")
        assert await store.state.sts_policy("example.net") is None
        triplet = ("192.0.2.0/24", "a@example.com", "b@example.net")
        assert await store.state.greylist(*triplet, 100) == Greylisted(first_at=100, last_at=100, passes=0)
        assert await store.state.greylist(*triplet, 200) == Greylisted(first_at=100, last_at=100, passes=1)
        assert await store.state.greylist(*triplet, 300) == Greylisted(first_at=100, last_at=200, passes=2)
        anew = await store.state.greylist(*triplet, 900, lambda known: known.last_at == 300)
        assert anew == Greylisted(first_at=900, last_at=900, passes=0)
        assert await store.state.greylist(*triplet, 950) == Greylisted(first_at=900, last_at=900, passes=1)

    on.run(body)


def test_something_happens_once_a_period(on: Scene) -> None:
    async def body(store: Store) -> None:
        assert await store.state.once("reply", "a to b", until=1000, now=500)
        assert not await store.state.once("reply", "a to b", until=1400, now=900)
        assert await store.state.once("reply", "a to c", until=1400, now=900)
        assert await store.state.once("reply", "a to b", until=2000, now=1000)
        assert not await store.state.once("reply", "a to b", until=2500, now=1500)

    on.run(body)


def test_a_report_replaces_the_same_one(on: Scene) -> None:
    async def body(store: Store) -> None:
        report = Report(kind="dmarc-in", domain=DOMAIN, source="google.com", begin_at=10, end_at=20, data=b"1")
        await store.state.add_report(report)
        id_ = await store.state.add_report(replace(report, data=b"2"))
        await store.state.add_report(replace(report, domain="example.com", begin_at=5))
        assert [found.data for found in await store.state.reports("dmarc-in", domain=DOMAIN)] == [b"2"]
        assert [found.begin_at for found in await store.state.reports("dmarc-in")] == [5, 10]
        assert [found.begin_at for found in await store.state.reports("dmarc-in", since=6)] == [10]
        await store.state.remove_report(id_)
        assert len(await store.state.reports("dmarc-in")) == 1

    on.run(body)


def test_a_body_goes_when_nothing_refers_to_it_and_not_before(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maild.store.maintenance.BODY_GRACE_SECONDS", -1)

    async def body(store: Store) -> None:
        account = await new_account(store)
        trash = await store.mailboxes.with_use(account.id, "\\Trash")
        assert trash is not None
        kept = await store.accept(letter(account.inbox_id, trash.id))
        gone = await store.accept(letter(account.inbox_id))
        await store.messages.remove(account.inbox_id, [1, 2])
        await store.maintenance.sweep()
        assert await store.messages.read(kept.id)
        with pytest.raises(NotFound):
            await store.messages.read(gone.id)
        await store.messages.remove(trash.id, [1])
        await store.maintenance.sweep()
        with pytest.raises(NotFound):
            await store.messages.read(kept.id)
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_a_fresh_removal_leaves_the_body_readable(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        accepted = await store.accept(letter(account.inbox_id))
        await store.messages.remove(account.inbox_id, [1])
        await store.maintenance.sweep()
        assert await store.messages.read(accepted.id)

    on.run(body)


def test_a_staged_body_of_a_dead_session_is_swept(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maild.store.maintenance.STAGED_SECONDS", -1)

    async def body(store: Store) -> None:
        account = await new_account(store)
        staged = store.stage()
        await staged.write(os.urandom(2_200_000))
        assert await store.maintenance.sweep() >= 1
        delivery = Delivery(mailbox_id=account.inbox_id)
        with pytest.raises(Exception, match="no longer there"):
            await store.accept(Incoming(id=staged.id, body=staged, deliveries=(delivery,)))
        assert await store.maintenance.check(bodies=True) == []

    on.run(body)


def test_retention_removes_old_mail_from_its_mailboxes_only(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        junk = await store.mailboxes.with_use(account.id, "\\Junk")
        assert junk is not None
        for _ in range(250):
            await store.accept(letter(junk.id))
        await store.accept(letter(account.inbox_id))
        until = await store.queue.now()
        await store.accept(letter(junk.id))
        assert await store.maintenance.retain("\\Junk", until) == 250
        assert list((await store.messages.view(junk.id)).uids) == [251]
        assert list((await store.messages.view(account.inbox_id)).uids) == [1]
        assert await store.maintenance.check() == []

    on.run(body)
