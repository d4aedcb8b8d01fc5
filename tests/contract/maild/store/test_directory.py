from __future__ import annotations

from dataclasses import replace

import pytest

from maild.store import (
    Account,
    Alias,
    AliasDomain,
    AlreadyExists,
    AutoReply,
    Domain,
    Forward,
    InUse,
    ListMode,
    MailingList,
    NotAnAddress,
    NotEmpty,
    NotFound,
    Route,
    Store,
    TLSMode,
)
from tests.lib.stores import ALIAS_DOMAIN, DOMAIN, Scene, letter, new_account


def test_a_new_account_has_the_standard_mailboxes_and_an_inbox(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        boxes = await store.mailboxes.of(account.id)
        uses = {box.name: box.special_use for box in boxes}
        assert uses == {
            "INBOX": "",
            "Sent": "\\Sent",
            "Drafts": "\\Drafts",
            "Junk": "\\Junk",
            "Trash": "\\Trash",
            "Archive": "\\Archive",
        }
        assert all(box.subscribed for box in boxes)
        assert {box.id for box in boxes if box.name == "INBOX"} == {account.inbox_id}
        assert len({box.uidvalidity for box in boxes}) == len(boxes)

    on.run(body)


def test_an_account_is_found_whatever_the_spelling_of_its_local_part(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store, "Straße")
        decomposed = await new_account(store, "가나")
        for spelling in ("STRASSE", "straße", "Strasse"):
            resolved = await store.directory.resolve(spelling, DOMAIN.upper())
            assert resolved.account == account
        nfd = "\u1100\u1161\u1102\u1161"
        assert (await store.directory.resolve(nfd, DOMAIN)).account == decomposed

    on.run(body)


def test_a_text_that_is_no_address_is_refused_wherever_mail_would_be_sent_to_it(on: Scene) -> None:
    async def body(store: Store) -> None:
        account, wrong = await new_account(store), ("no address",)
        for saving in (
            store.directory.save_alias(Alias(domain=DOMAIN, local="team", targets=wrong)),
            store.directory.save_list(MailingList(domain=DOMAIN, local="all", members=wrong)),
            store.directory.save_account(replace(account, forward=Forward(targets=wrong, keep=True))),
            store.directory.save_domain(Domain(name=DOMAIN, catch_all="no address")),
            store.directory.save_route(Route(pattern="example.org", host="h", recipients=wrong)),
        ):
            with pytest.raises(NotAnAddress):
                await saving
        assert not await store.directory.aliases()

    on.run(body)


def test_everything_an_account_can_hold_comes_back(on: Scene) -> None:
    async def body(store: Store) -> None:
        await store.directory.save_domain(Domain(name=DOMAIN))
        account = Account(
            domain=DOMAIN,
            local="주문",
            quota_bytes=1 << 40,
            language="ko",
            display_name="주문 담당",
            admin="domain",
            allowed_senders=("info@example.com",),
            any_sender=True,
            forward=Forward(targets=("a@example.com", "b@example.com"), keep=False),
            reply=AutoReply(subject="부재중", text="다녀오겠습니다", starts_at=1, ends_at=2, period_seconds=60),
        )
        saved = await store.directory.save_account(account)
        assert replace(saved, id=0, inbox_id=0, generation=0) == account
        changed = await store.directory.save_account(replace(account, active=False, reply=None))
        assert changed.id == saved.id
        assert changed.inbox_id == saved.inbox_id
        assert await store.directory.account(saved.id) == changed
        assert not changed.active

    on.run(body)


def test_an_alias_domain_leads_to_the_same_account(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.directory.save_alias_domain(AliasDomain(name=ALIAS_DOMAIN, domain=DOMAIN))
        resolved = await store.directory.resolve("주문", ALIAS_DOMAIN)
        assert resolved.account == account
        assert resolved.alias_domain == ALIAS_DOMAIN
        assert await store.directory.account_named("주문", ALIAS_DOMAIN) == account
        with pytest.raises(AlreadyExists):
            await store.directory.save_domain(Domain(name=ALIAS_DOMAIN))
        with pytest.raises(NotFound):
            await store.directory.save_alias_domain(AliasDomain(name="x.example", domain="y.example"))

    on.run(body)


def test_plus_addressing_finds_the_base_unless_the_exact_address_exists(on: Scene) -> None:
    async def body(store: Store) -> None:
        base = await new_account(store, "id")
        exact = await new_account(store, "id+shop")
        assert (await store.directory.resolve("id+news", DOMAIN)).account == base
        assert (await store.directory.resolve("id+news", DOMAIN)).detail == "news"
        assert (await store.directory.resolve("id+shop", DOMAIN)).account == exact
        assert (await store.directory.resolve("id+shop", DOMAIN)).detail is None
        await store.directory.save_domain(Domain(name=DOMAIN, plus_addressing=False))
        assert not (await store.directory.resolve("id+news", DOMAIN)).found

    on.run(body)


def test_one_local_part_is_one_thing(on: Scene) -> None:
    async def body(store: Store) -> None:
        await new_account(store, "id")
        await store.directory.save_alias(Alias(domain=DOMAIN, local="sales", targets=("id@" + DOMAIN,)))
        with pytest.raises(AlreadyExists):
            await store.directory.save_alias(Alias(domain=DOMAIN, local="id", targets=("x@example.com",)))
        with pytest.raises(AlreadyExists):
            await store.directory.save_list(MailingList(domain=DOMAIN, local="sales"))
        with pytest.raises(AlreadyExists):
            await new_account(store, "SALES")

    on.run(body)


def test_own_addresses_are_itself_its_aliases_in_all_alias_domains_and_what_is_allowed(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store, "id", allowed_senders=("boss@example.com",))
        await new_account(store, "other")
        directory = store.directory
        await directory.save_alias_domain(AliasDomain(name=ALIAS_DOMAIN, domain=DOMAIN))
        await directory.save_alias(Alias(domain=DOMAIN, local="sales", targets=(f"id@{DOMAIN}",)))
        await directory.save_alias(Alias(domain=DOMAIN, local="shop", targets=(f"sales@{DOMAIN}",)))
        await directory.save_alias(Alias(domain=DOMAIN, local="all", targets=(f"id@{DOMAIN}", f"other@{DOMAIN}")))
        await directory.save_alias(Alias(domain=DOMAIN, local="off", targets=(f"id@{DOMAIN}",), active=False))
        own = await directory.addresses_of(account.id)
        locals_ = ("id", "sales", "shop")
        assert sorted(own) == sorted(
            [f"{local}@{domain}" for local in locals_ for domain in (DOMAIN, ALIAS_DOMAIN)] + ["boss@example.com"]
        )

    on.run(body)


def test_aliases_that_lead_in_a_circle_end(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store, "id")
        await store.directory.save_alias(Alias(domain=DOMAIN, local="a", targets=(f"b@{DOMAIN}",)))
        await store.directory.save_alias(Alias(domain=DOMAIN, local="b", targets=(f"a@{DOMAIN}",)))
        assert await store.directory.addresses_of(account.id) == [f"id@{DOMAIN}"]

    on.run(body)


def test_lists_and_routes_come_back_as_saved(on: Scene) -> None:
    async def body(store: Store) -> None:
        await store.directory.save_domain(Domain(name=DOMAIN))
        saved = MailingList(
            domain=DOMAIN,
            local="소식",
            members=tuple(f"{number}@example.com" for number in range(500)),
            mode=ListMode.ANNOUNCEMENTS,
            announcers=("boss@example.com",),
            require_auth=True,
            title="새 소식",
        )
        await store.directory.save_list(saved)
        [found] = await store.directory.lists(DOMAIN)
        assert replace(found, id=0) == saved
        assert (await store.directory.resolve("소식", DOMAIN)).mailing_list == found
        route = Route(pattern="*.example", host="relay.example.com", port=587, tls=TLSMode.REQUIRED, secret=b"\0\xff")
        await store.directory.save_route(route)
        await store.directory.save_route(Route(pattern="mail.example", host="other.example.com"))
        matching = (await store.directory.resolve("x", "sub.example")).route
        assert matching is not None
        assert replace(matching, id=0) == route
        named = (await store.directory.resolve("x", "mail.example")).route
        assert named is not None
        assert named.host == "other.example.com"
        assert (await store.directory.resolve("x", "example")).route is None
        await store.directory.remove_route("*.example")
        assert (await store.directory.resolve("x", "sub.example")).route is None

    on.run(body)


def test_a_domain_with_people_in_it_stays(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        with pytest.raises(InUse):
            await store.directory.remove_domain(DOMAIN)
        await store.directory.remove_account(account.id)
        await store.directory.remove_domain(DOMAIN)
        assert await store.directory.domains() == []
        with pytest.raises(NotFound):
            await store.directory.remove_domain(DOMAIN)

    on.run(body)


def test_an_account_with_mail_is_only_removed_with_purge(on: Scene) -> None:
    async def body(store: Store) -> None:
        account = await new_account(store)
        for _ in range(3):
            await store.accept(letter(account.inbox_id))
        with pytest.raises(NotEmpty):
            await store.directory.remove_account(account.id)
        assert (await store.directory.account(account.id)) == account
        await store.directory.remove_account(account.id, purge=True)
        assert await store.directory.accounts() == []
        assert await store.mailboxes.of(account.id) == []
        assert await store.maintenance.check() == []

    on.run(body)
