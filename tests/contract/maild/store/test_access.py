from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from maild.store import (
    Ban,
    Charge,
    Credential,
    CredentialKind,
    Direction,
    IPRange,
    LoginFailure,
    NotFound,
    Sent,
    Store,
)
from maild.store.sql import sent
from tests.lib.stores import Scene, new_account

NOW = time.time_ns() // 1000
MINUTE = 60_000_000


def test_a_new_password_replaces_the_old_one_and_leaves_app_passwords(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.credentials.set_password(account.id, "$argon2id$first")
        app = await store.credentials.add(
            Credential(account_id=account.id, kind=CredentialKind.APP, hash="$argon2id$app", scope="imap", label="전화")
        )
        await store.credentials.add(
            Credential(account_id=account.id, kind=CredentialKind.SCRAM_SHA_256, hash="SCRAM-SHA-256$4096:...")
        )
        await store.credentials.set_password(account.id, "$argon2id$second")
        rows = await store.credentials.of(account.id)
        assert [(row.kind, row.hash) for row in rows] == [
            (CredentialKind.APP, "$argon2id$app"),
            (CredentialKind.PASSWORD, "$argon2id$second"),
        ]
        assert rows[0] == app

    on.run(body)


def test_every_change_of_a_credential_raises_the_generation(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)

        async def generation() -> int:
            found = await store.directory.account(account.id)
            assert found is not None
            return found.generation

        before = await generation()
        await store.credentials.set_password(account.id, "a")
        assert await generation() > before
        before = await generation()
        [row] = await store.credentials.of(account.id)
        assert await store.credentials.upgrade(row.id, "a", "b")
        assert not await store.credentials.upgrade(row.id, "a", "c")
        assert await generation() == before
        await store.credentials.remove(row.id)
        assert await generation() > before
        assert await store.credentials.of(account.id) == []

    on.run(body)


def test_the_last_use_is_kept_to_the_minute(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.credentials.set_password(account.id, "a")
        [row] = await store.credentials.of(account.id)
        for at in (NOW, NOW + 1, NOW + 2 * MINUTE):
            await store.credentials.used(row.id, at)
        [row] = await store.credentials.of(account.id)
        assert row.last_used_at == NOW + 2 * MINUTE
        await store.credentials.used(row.id, NOW + 2 * MINUTE + 5)
        [row] = await store.credentials.of(account.id)
        assert row.last_used_at == NOW + 2 * MINUTE

    on.run(body)


def test_ranges_come_highest_priority_first_and_expire(on: Scene) -> None:
    async def body(store: Store) -> None:
        internet = IPRange(
            name="Internet",
            low=ip_address("0.0.0.0"),
            high=ip_address("255.255.255.255"),
            priority=10,
            allow=frozenset(Direction),
            require_auth=frozenset({Direction.EXTERNAL_TO_EXTERNAL}),
        )
        mine = IPRange(name="My computer", low=ip_address("::1"), high=ip_address("::1"), priority=15)
        past = IPRange(
            name="Past", low=ip_address("10.0.0.1"), high=ip_address("10.0.0.9"), priority=99, expires_at=NOW - 1
        )
        for range_ in (internet, mine, past):
            await store.access.save_range(range_)
        found = await store.access.ranges()
        assert [replace(range_, id=0) for range_ in found] == [mine, internet]
        await store.access.save_range(replace(mine, priority=5))
        assert [range_.name for range_ in await store.access.ranges()] == ["Internet", "My computer"]
        await store.access.remove_range("Internet")
        with pytest.raises(NotFound):
            await store.access.remove_range("Internet")

    on.run(body)


def test_a_ban_holds_until_it_ends_or_is_lifted(on: Scene) -> None:
    async def body(store: Store) -> None:
        network = ip_network("2001:db8:1:2::/64")
        await store.access.add_ban(Ban(network=network, reason="guessing", expires_at=NOW + 10 * MINUTE))
        await store.access.add_ban(Ban(network=network, reason="still", expires_at=NOW + 20 * MINUTE))
        await store.access.add_ban(Ban(network=ip_network("192.0.2.1/32"), reason="over", expires_at=NOW - 1))
        [ban] = await store.access.bans()
        assert (ban.network, ban.reason, ban.expires_at) == (network, "still", NOW + 20 * MINUTE)
        assert await store.access.remove_ban(network)
        assert not await store.access.remove_ban(network)
        assert await store.access.bans() == []

    on.run(body)


def test_a_network_whose_ban_was_lifted_has_all_its_tries_again(on: Scene) -> None:
    async def body(store: Store) -> None:
        banned, other = ip_network("192.0.2.1/32"), ip_network("192.0.2.2/32")
        failures = [LoginFailure(network=each, account="a@x", protocol="smtp", at=NOW) for each in (banned, other)]
        await store.access.record_failures(failures * 2, since=NOW - 30 * MINUTE, most=3)
        await store.access.add_ban(Ban(network=banned, reason="guessing", expires_at=NOW + 10 * MINUTE))
        await store.access.remove_ban(banned)
        assert await store.access.record_failures(failures, since=NOW - 30 * MINUTE, most=3) == [1, 3]

    on.run(body)


def test_a_success_clears_that_accounts_failures_from_that_network_only(on: Scene) -> None:
    async def body(store: Store) -> None:
        here, there = ip_network("192.0.2.1/32"), ip_network("192.0.2.2/32")

        async def fail(network: object, account: str, at: int = NOW) -> int:
            failure = LoginFailure(network=network, account=account, protocol="smtp", at=at)  # type: ignore[arg-type]
            (count,) = await store.access.record_failures([failure], since=NOW - 30 * MINUTE, most=3)
            return count

        assert await fail(here, "a@x") == 1
        assert await fail(here, "b@x") == 2
        assert await fail(there, "a@x") == 1
        assert await fail(here, "c@x", at=NOW - 40 * MINUTE) == 2
        many = [LoginFailure(network=ip_network("192.0.2.9/32"), account="d@x", protocol="imap", at=NOW)] * 5
        assert await store.access.record_failures(many, since=NOW - MINUTE, most=3) == [1, 2, 3, 3, 3]
        await store.access.record_success("a@x", here, NOW)
        left = [(failure.account, failure.network) for failure in await store.access.failures(NOW - 60 * MINUTE)]
        left = [each for each in left if each[0] != "d@x"]
        assert sorted(left, key=str) == sorted([("b@x", here), ("a@x", there), ("c@x", here)], key=str)
        assert await store.access.succeeded_since(NOW - MINUTE) == {("a@x", here)}
        assert await store.access.succeeded_since(NOW + 1) == set()

    on.run(body)


def test_a_verifier_is_the_one_of_the_password_that_holds_and_goes_with_it(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, credentials = await new_account(store), store.credentials

        async def kinds() -> list[tuple[CredentialKind, str]]:
            return [(row.kind, row.hash) for row in await credentials.of(account.id)]

        await credentials.set_password(account.id, "first", "SCRAM of first")
        assert await kinds() == [(CredentialKind.PASSWORD, "first"), (CredentialKind.SCRAM_SHA_256, "SCRAM of first")]
        first = (await credentials.of(account.id))[0]
        assert await credentials.set_verifier(first, "SCRAM with another salt")
        assert (await kinds())[1:] == [(CredentialKind.SCRAM_SHA_256, "SCRAM with another salt")]
        await credentials.set_password(account.id, "second")
        assert not await credentials.set_verifier(first, "SCRAM of first")
        assert await kinds() == [(CredentialKind.PASSWORD, "second")]

    on.run(body)


def test_a_bound_on_what_a_user_sends_holds_over_many_at_once(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, other = await new_account(store), await new_account(store, "other")

        def message(recipients: int, who: int = account.id) -> Charge:
            return Charge(account_id=who, recipients=recipients, messages_per_hour=5, recipients_per_day=8)

        answers = await asyncio.gather(*(store.access.charge([message(1)]) for _ in range(9)))
        assert sum(answer == [None] for answer in answers) == 5
        assert await store.access.sent(account.id) == Sent(messages=5, recipients=5)
        assert await store.access.charge([message(9, other.id), message(8, other.id), message(1, other.id)]) == [
            Sent(messages=0, recipients=0),
            None,
            Sent(messages=1, recipients=8),
        ]
        await store.directory.remove_account(other.id)
        assert await store.access.sent(other.id) == Sent(messages=0, recipients=0)

    on.run(body)


def test_what_a_user_sent_an_hour_ago_no_longer_counts(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent, "MINUTE_US", 1)
    monkeypatch.setattr(sent, "HOUR_US", 3_000_000)

    async def body(store: Store) -> None:
        account = await new_account(store)
        message = Charge(account_id=account.id, recipients=3, messages_per_hour=1, recipients_per_day=0)
        assert [len([each for each in await store.access.charge([message]) if each is None]) for _ in "12"] == [1, 0]
        await asyncio.sleep(3.1)
        assert await store.access.sent(account.id) == Sent(messages=0, recipients=3)
        assert await store.access.charge([message]) == [None]
        monkeypatch.setattr(sent, "DAY_US", 1)
        await store.maintenance.sweep()
        monkeypatch.undo()
        assert await store.access.sent(account.id) == Sent(messages=0, recipients=0)

    on.run(body)
