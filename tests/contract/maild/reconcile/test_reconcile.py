from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from maild.policy.passwords import kept, verify
from maild.reconcile import Plan, ReconcileError, Tools, absent, from_nothing, read, reconcile
from maild.reconcile.certificates import Writer
from maild.reconcile.passwords import FirstPasswords
from maild.reconcile.traffic import Sealing
from maild.store import DKIMKey, Store
from tests.lib.stores import DOMAIN, Scene, letter

WHOLE: dict[str, Any] = {
    "domains": [{"name": "테스트.net", "catch_all": "id@테스트.net"}],
    "alias_domains": [{"name": "테스트.co.kr", "domain": "테스트.net"}],
    "accounts": [
        {"address": "id@테스트.net", "name": "홍길동", "quota_bytes": 1000, "language": "ko"},
        {"address": "주문@테스트.net", "password": "첫 비밀번호", "allowed_senders": ["info@xn--9t4b11yi5a.net"]},
    ],
    "aliases": [{"address": "sales@테스트.net", "targets": ["id@테스트.net", "b@example.com"]}],
    "lists": [{"address": "소식@테스트.net", "members": ["a@example.com"], "mode": "announcements"}],
    "routes": [{"pattern": "*.example", "host": "relay.example.com", "user": "u", "password": "geheim"}],
    "ip_ranges": [{"name": "Office", "network": "192.0.2.0/24", "priority": 40}],
    "dkim": [
        {"domain": "테스트.net", "selector": "dkim", "algorithm": "rsa-sha256"},
        {"domain": "테스트.net", "selector": "dkim-ed", "algorithm": "ed25519-sha256"},
    ],
}


def tools(first: Path | None = None, certificates: Path = Path("nowhere")) -> Tools:
    sealing = Sealing(
        wrap_key=bytes(32),
        route=lambda plain: b"!" + plain.encode(),
        opens=lambda sealed, plain: sealed == b"!" + plain.encode(),
    )
    return Tools(
        passwords=FirstPasswords(first, partial(kept, scram=False)), sealing=sealing, certificates=Writer(certificates)
    )


async def bring(store: Store, desired: dict[str, Any], first: Path | None = None, *, apply: bool = True) -> Plan:
    return await reconcile(store, read(json.dumps(desired).encode()), tools(first), apply=apply)


def shown(plan: Plan) -> list[tuple[object, ...]]:
    return [(change.object, change.name, change.field, change.current, change.wanted) for change in plan.changes]


def test_from_nothing_to_the_declared_state_and_then_no_change(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        first = tmp_path / "first.txt"
        planned = await bring(store, WHOLE, first, apply=False)
        assert await store.directory.domains() == []
        assert not first.exists()
        assert shown(planned) == shown(from_nothing(read(json.dumps(WHOLE).encode()), tools()))
        done = await bring(store, WHOLE, first)
        assert shown(done) == shown(planned)
        again = await bring(store, WHOLE, first)
        assert shown(again) == []
        assert list(again.not_managed) == []
        keys = await store.keys.dkim()
        assert sorted(key.algorithm for key in keys) == ["ed25519-sha256", "rsa-sha256"]

    on.run(body)


def test_absent_takes_away_all_that_is_named_and_nothing_else(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        first = tmp_path / "first.txt"
        other = {"domains": [{"name": "other.example"}], "accounts": [{"address": "x@other.example"}]}
        await bring(store, WHOLE, first)
        await bring(store, other, first)
        gone = absent(read(json.dumps(WHOLE).encode()))
        planned = await reconcile(store, gone, tools(), apply=False)
        assert {change.object for change in planned.changes} >= {"domain", "account", "alias", "list", "route"}
        assert {change.wanted for change in planned.changes} == {"absent"}
        assert shown(await reconcile(store, gone, tools(), apply=True)) == shown(planned)
        assert shown(await reconcile(store, gone, tools(), apply=False)) == []
        assert [domain.name for domain in await store.directory.domains()] == ["other.example"]
        assert await store.keys.dkim() == []
        assert shown(await bring(store, other, first)) == []

    on.run(body)


def test_a_declared_password_is_the_first_one_only(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        first = tmp_path / "first.txt"
        await bring(store, WHOLE, first)
        [(name, made)] = [line.split("\t") for line in first.read_text(encoding="utf-8").splitlines()]
        assert name == "id@테스트.net"
        for local, password in (("id", made), ("주문", "첫 비밀번호")):
            account = await store.directory.account_named(local, DOMAIN)
            assert account is not None
            [row] = await store.credentials.of(account.id)
            assert verify(row.hash, password)
            await store.credentials.set_password(account.id, "changed")
        assert shown(await bring(store, WHOLE, first)) == []
        account = await store.directory.account_named("주문", DOMAIN)
        assert account is not None
        assert [row.hash for row in await store.credentials.of(account.id)] == ["changed"]

    on.run(body)


def test_a_run_killed_before_the_password_is_finished_by_the_next(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        first = tmp_path / "first.txt"
        first.write_text("id@테스트.net\tschon-da\n", encoding="utf-8")
        await bring(store, WHOLE, first)
        account = await store.directory.account_named("id", DOMAIN)
        assert account is not None
        [row] = await store.credentials.of(account.id)
        assert verify(row.hash, "schon-da")
        await store.credentials.remove(row.id)
        plan = await bring(store, WHOLE, first)
        assert shown(plan) == [("account", "id@테스트.net", "password", None, "(first)")]
        [row] = await store.credentials.of(account.id)
        assert verify(row.hash, "schon-da")

    on.run(body)


def test_only_declared_fields_of_declared_objects_are_owned(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await bring(store, WHOLE, tmp_path / "first.txt")
        plan = await bring(store, {"domains": [{"name": "테스트.net"}], "accounts": [{"address": "id@테스트.net"}]})
        assert shown(plan) == []
        assert {(found.object, found.name) for found in plan.not_managed} == {
            ("alias_domain", "테스트.co.kr"),
            ("account", "주문@테스트.net"),
            ("alias", "sales@테스트.net"),
            ("list", "소식@테스트.net"),
            ("route", "*.example"),
            ("ip_range", "Office"),
            ("dkim", "dkim._domainkey.테스트.net"),
            ("dkim", "dkim-ed._domainkey.테스트.net"),
        }
        account = await store.directory.account_named("id", DOMAIN)
        assert account is not None
        assert (account.quota_bytes, account.display_name) == (1000, "홍길동")

    on.run(body)


def test_a_difference_is_shown_by_field_and_removed(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await bring(store, WHOLE, tmp_path / "first.txt")
        wanted = json.loads(json.dumps(WHOLE))
        wanted["accounts"][0]["quota_bytes"] = 2000
        wanted["aliases"][0]["targets"] = ["id@테스트.net"]
        wanted["routes"][0] |= {"port": 587, "password": "anders"}
        wanted["ip_ranges"][0]["never_ban"] = True
        plan = await bring(store, wanted)
        assert shown(plan) == [
            ("account", "id@테스트.net", "quota_bytes", 1000, 2000),
            ("alias", "sales@테스트.net", "targets", "b@example.com, id@테스트.net", "id@테스트.net"),
            ("route", "*.example", "port", 25, 587),
            ("route", "*.example", "password", "(old)", "(new)"),
            ("ip_range", "Office", "never_ban", False, True),
        ]
        assert shown(await bring(store, wanted)) == []

    on.run(body)


def test_mail_is_only_removed_with_purge_and_nothing_else_changes_before(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await bring(store, WHOLE, tmp_path / "first.txt")
        account = await store.directory.account_named("id", DOMAIN)
        assert account is not None
        await store.accept(letter(account.inbox_id))
        gone = {"address": "id@테스트.net", "state": "absent"}
        other = {"address": "새@테스트.net", "password": "x"}
        with pytest.raises(ReconcileError, match="still has mail"):
            await bring(store, {"accounts": [gone, other]})
        assert await store.directory.account_named("새", DOMAIN) is None
        plan = await bring(store, {"accounts": [gone | {"purge": True}]})
        assert shown(plan) == [("account", "id@테스트.net", "state", "present", "absent")]
        assert await store.directory.account_named("id", DOMAIN) is None
        with pytest.raises(ReconcileError, match="removing all of it needs purge"):
            await bring(store, {"domains": [{"name": "테스트.net", "state": "absent"}]})
        await bring(store, {"domains": [{"name": "테스트.net", "state": "absent", "purge": True}]})
        assert await store.directory.domains() == []
        assert await store.maintenance.check() == []

    on.run(body)


def test_a_rotated_key_is_in_step(on: Scene, tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await bring(store, WHOLE, tmp_path / "first.txt")
        for key in await store.keys.dkim(DOMAIN):
            await store.keys.remove_dkim(DOMAIN, key.selector)
            later = DKIMKey(
                domain=DOMAIN, selector=f"{key.selector}-2", algorithm=key.algorithm, wrapped=b"x", public=""
            )
            await store.keys.save_dkim(later)
        assert shown(await bring(store, WHOLE)) == []

    on.run(body)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{", "the desired state"),
        (b'{"account": []}', "account"),
        (b'{"accounts": [{"adress": "x"}]}', "adress"),
        (b'{"domains": [{"name": "a..b"}]}', "a..b"),
        (
            b'{"domains": [{"name": "\xed\x85\x8c\xec\x8a\xa4\xed\x8a\xb8.net"}, {"name": "xn--9t4b11yi5a.net"}]}',
            "twice",
        ),
        (b'{"accounts": [{"address": "ID@a.net"}], "aliases": [{"address": "id@A.NET", "targets": ["x@y"]}]}', "twice"),
    ],
)
def test_a_desired_state_that_cannot_be_read_says_why(text: bytes, says: str) -> None:
    with pytest.raises(ReconcileError, match=says):
        read(text)
