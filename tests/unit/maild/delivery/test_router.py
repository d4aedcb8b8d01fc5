"""What an address is, and all the places a message to it goes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from maild.delivery import srs
from maild.delivery.router import Router
from maild.delivery.routing import Arrival, End, Found, Plan, Refusal, Target
from maild.log import Log, Record
from maild.mail.address import Address
from maild.mail.envelope import Notify, Recipient
from maild.store import Alias, AutoReply, Domain, Forward, ListMode, MailingList, Route
from tests.lib.directory import MemoryDirectory, MemoryMailboxes, town

DOMAIN = Address.parse("x@테스트.net").domain
KEY, NOW = b"k" * 32, 1_800_000_000_000_000


class Rewriting:
    def rewrite(self, sender: Address, domain: str) -> Address:
        return srs.rewrite(sender, domain, KEY, NOW)

    def restore(self, address: Address) -> Address:
        return srs.restore(address, [KEY], NOW)


def router(directory: MemoryDirectory, **options: object) -> Router:
    return Router(directory, MemoryMailboxes(), **options)  # type: ignore[arg-type]


def classify(directory: MemoryDirectory, address: str, **options: object) -> Target:
    return asyncio.run(router(directory, **options).classify(Address.parse(address)))


def plan(directory: MemoryDirectory, *recipients: str, arrival: Arrival | None = None, **options: object) -> Plan:
    async def run() -> Plan:
        own = router(directory, **options)
        targets = [(Recipient(Address.parse(text)), await own.classify(Address.parse(text))) for text in recipients]
        return await own.plan(targets, arrival or Arrival(sender=Address.parse("writer@example.org")))

    return asyncio.run(run())


def reached(directory: MemoryDirectory, *requests: tuple[str, frozenset[Notify]]) -> tuple[list[tuple[str, End]], Plan]:
    """The ends that the sender is to be told of, and the whole plan."""

    async def run() -> Plan:
        own = router(directory)
        targets = [
            (Recipient(Address.parse(text), notify), await own.classify(Address.parse(text)))
            for text, notify in requests
        ]
        return await own.plan(targets, Arrival(sender=Address.parse("writer@example.org")))

    found = asyncio.run(run())
    return [(each.recipient.address.local, each.end) for each in found.reached], found


SUCCESS: frozenset[Notify] = frozenset({"SUCCESS", "FAILURE"})


def test_success_is_told_of_the_mailbox_behind_an_alias_of_one_address() -> None:
    people = town("a")
    people.aliases_.append(Alias(domain=DOMAIN, local="sales", targets=("a@테스트.net",)))
    told, found = reached(people, ("sales@테스트.net", SUCCESS))
    assert told == [("a", End.MAILBOX)]
    assert found.reached[0].recipient.original == f"rfc822;sales@{DOMAIN}"


def test_alias_of_several_addresses_is_told_of_once_and_they_keep_the_rest_of_the_request() -> None:
    people = town("a")
    people.aliases_.append(Alias(domain=DOMAIN, local="all", targets=("a@테스트.net", "b@example.org")))
    told, found = reached(people, ("all@테스트.net", SUCCESS))
    assert told == [("all", End.EXPANDED)]
    assert [each.notify for entry in found.queue for each in entry.recipients] == ["FAILURE"]
    _, found = reached(people, ("all@테스트.net", frozenset({"SUCCESS"})))
    assert [each.notify for entry in found.queue for each in entry.recipients] == ["NEVER"]


def test_success_at_a_list_is_told_of_the_list_alone() -> None:
    people = town("a")
    people.lists_.append(MailingList(domain=DOMAIN, local="news", members=("a@테스트.net",), mode=ListMode.PUBLIC))
    assert reached(people, ("news@테스트.net", SUCCESS))[0] == [("news", End.LIST)]


def test_forward_with_a_copy_kept_is_told_of_as_delivered_and_without_one_by_who_gets_it() -> None:
    for keep, told, notify in ((True, [("a", End.MAILBOX)], "FAILURE"), (False, [], "FAILURE,SUCCESS")):
        people = town("a")
        people.accounts_[0] = replace(people.accounts_[0], forward=Forward(targets=("b@example.org",), keep=keep))
        ends, found = reached(people, ("a@테스트.net", SUCCESS))
        assert ends == told
        assert [each.notify for entry in found.queue for each in entry.recipients] == [notify]


def test_recipient_that_was_reached_by_an_alias_too_is_still_told_of() -> None:
    people = town("a", "b")
    people.aliases_.append(Alias(domain=DOMAIN, local="all", targets=("a@테스트.net", "b@테스트.net")))
    told, _ = reached(people, ("all@테스트.net", frozenset()), ("a@테스트.net", SUCCESS), ("b@테스트.net", frozenset()))
    assert told == [("a", End.MAILBOX)]


def test_account_is_found_in_both_forms_of_its_domain() -> None:
    people = town("주문")
    assert classify(people, "주문@테스트.net").found is Found.ACCOUNT
    assert classify(people, f"주문@{DOMAIN}").found is Found.ACCOUNT


def test_address_of_an_alias_domain_is_the_same_mailbox() -> None:
    people = town("id")
    people.alias_domains_[Address.parse("x@테스트.co.kr").domain] = DOMAIN
    assert plan(people, "id@테스트.net", "id@테스트.co.kr").deliveries == plan(people, "id@테스트.net").deliveries


def test_unknown_local_address_is_refused() -> None:
    assert classify(town("id"), "nobody@테스트.net").refusal is Refusal.UNKNOWN


def test_inactive_domain_and_account_are_refused_with_reasons_of_their_own() -> None:
    people = town("id")
    people.accounts_ = [replace(people.accounts_[0], active=False)]
    assert classify(people, "id@테스트.net").refusal is Refusal.ACCOUNT_OFF
    people.domains_[DOMAIN] = Domain(id=1, name=DOMAIN, active=False)
    assert classify(people, "id@테스트.net").refusal is Refusal.DOMAIN_OFF


def test_foreign_address_is_remote_and_goes_to_its_domain() -> None:
    target = classify(town("id"), "someone@example.org")
    assert (target.found, str(target.hop), target.local) == (Found.REMOTE, "mx:example.org", False)


def test_smart_host_takes_everything_remote() -> None:
    assert str(classify(town("id"), "someone@example.org", smart_host=True).hop) == "smarthost:"


def test_route_takes_matching_domains_before_their_mx() -> None:
    people = town("id")
    people.routes_ = [Route(pattern="*.partner.kr", host="gate.partner.kr", recipients=("a@x.partner.kr",))]
    assert str(classify(people, "a@x.partner.kr").hop) == "route:*.partner.kr"
    assert classify(people, "b@x.partner.kr").refusal is Refusal.NOT_ON_ROUTE


def test_route_for_everything_takes_other_domains_and_leaves_ours_alone() -> None:
    people = town("id")
    people.routes_ = [Route(pattern="*", host="relay.example", local=True)]
    assert str(classify(people, "someone@example.org").hop) == "route:*"
    assert classify(people, "nobody@테스트.net").refusal is Refusal.UNKNOWN
    assert classify(people, "postmaster@테스트.net").found is Found.ROLE
    people.domains_[DOMAIN] = Domain(id=1, name=DOMAIN, catch_all="id@테스트.net")
    assert classify(people, "anything@테스트.net").found is Found.CATCH_ALL


def test_route_that_names_our_domain_takes_what_nobody_has_there() -> None:
    people = town("id")
    people.routes_ = [Route(pattern=DOMAIN, host="old.example")]
    assert str(classify(people, "nobody@테스트.net").hop) == f"route:{DOMAIN}"
    assert classify(people, "id@테스트.net").found is Found.ACCOUNT


def test_postmaster_without_a_mailbox_reaches_the_domains_first_account() -> None:
    found = plan(town("id", "주문"), "postmaster@테스트.net", "ABUSE@테스트.net")
    assert [delivery.mailbox_id for delivery in found.deliveries] == [101]


def test_postmaster_whose_mailbox_is_disabled_reaches_who_looks_after_the_domain() -> None:
    people = town("id", "postmaster")
    off = next(each for each in people.accounts_ if each.local == "postmaster")
    people.accounts_ = [each if each is not off else replace(off, active=False) for each in people.accounts_]
    found = plan(people, "postmaster@테스트.net")
    assert [delivery.mailbox_id for delivery in found.deliveries] == [101]


def test_catch_all_takes_what_nobody_has() -> None:
    people = town("id")
    people.domains_[DOMAIN] = Domain(id=1, name=DOMAIN, catch_all="id@테스트.net")
    assert [each.mailbox_id for each in plan(people, "anything@테스트.net").deliveries] == [101]


def test_alias_loop_ends_and_each_mailbox_gets_one_copy() -> None:
    people = town("id")
    people.aliases_ = [
        Alias(domain=DOMAIN, local="a", targets=("b@테스트.net", "id@테스트.net")),
        Alias(domain=DOMAIN, local="b", targets=("a@테스트.net", "id@테스트.net")),
    ]
    found = plan(people, "a@테스트.net", "b@테스트.net", "id@테스트.net")
    assert [each.mailbox_id for each in found.deliveries] == [101]
    assert found.lost == ()


def test_stored_target_that_is_no_address_is_lost_by_name_and_the_others_get_their_mail() -> None:
    people, records = town("id"), list[Record]()
    people.aliases_ = [Alias(domain=DOMAIN, local="team", targets=("no address", "id@테스트.net", "gone@테스트.net"))]
    found = plan(people, "team@테스트.net", log=Log.to(records))
    assert [each.mailbox_id for each in found.deliveries] == [101]
    assert {each.text for each in found.lost} == {"no address", f"gone@{DOMAIN}"}
    assert any("team@" in each.text and "'no address'" in each.text for each in records)


def test_forward_that_is_no_address_leaves_the_mail_in_the_mailbox() -> None:
    people = town("id")
    people.accounts_ = [replace(people.accounts_[0], forward=Forward(targets=("no address",), keep=False))]
    found = plan(people, "id@테스트.net")
    assert [each.mailbox_id for each in found.deliveries] == [101]
    assert [each.text for each in found.lost] == ["no address"]


def test_forward_without_keeping_leaves_with_a_rewritten_sender() -> None:
    people = town("id")
    people.accounts_ = [replace(people.accounts_[0], forward=Forward(targets=("me@example.com",), keep=False))]
    found = plan(people, "id@테스트.net", rewriting=Rewriting())
    assert found.deliveries == ()
    (entry,) = found.queue
    assert entry.destination == "mx:example.com"
    assert srs.restore(Address.parse(entry.sender), [KEY], NOW) == Address.parse("writer@example.org")
    assert entry.origin == "forward"


def test_alias_or_catch_all_that_leads_elsewhere_leaves_with_a_rewritten_sender_and_only_there() -> None:
    people = town("id")
    people.accounts_ = [replace(people.accounts_[0], reply=AutoReply(subject="", text="away"))]
    people.aliases_ = [Alias(domain=DOMAIN, local="team", targets=("id@테스트.net", "me@example.com"))]
    people.domains_[DOMAIN] = Domain(id=1, name=DOMAIN, catch_all="other@example.com")
    for address, to in (("team@테스트.net", "me@example.com"), ("anything@테스트.net", "other@example.com")):
        entries = {each.destination: each for each in plan(people, address, rewriting=Rewriting()).queue}
        away = entries.pop("mx:example.com")
        assert [each.address for each in away.recipients] == [to]
        assert srs.restore(Address.parse(away.sender), [KEY], NOW) == Address.parse("writer@example.org")
        assert [each.sender for each in entries.values()] == ["writer@example.org"] * len(entries)
        (plain,) = [each for each in plan(people, address).queue if each.destination == "mx:example.com"]
        assert plain.sender == "writer@example.org"


def test_junk_goes_to_junk_and_is_neither_forwarded_nor_answered() -> None:
    people = town("id")
    people.accounts_ = [
        replace(
            people.accounts_[0], forward=Forward(targets=("me@example.com",)), reply=AutoReply(subject="", text="x")
        )
    ]
    junk = Arrival(sender=Address.parse("writer@example.org"), junk=True)
    found = plan(people, "id@테스트.net", arrival=junk)
    assert [each.mailbox_id for each in found.deliveries] == [1001]
    assert found.queue == ()


def test_automatic_mail_and_bounces_get_no_automatic_answer() -> None:
    people = town("id")
    people.accounts_ = [replace(people.accounts_[0], reply=AutoReply(subject="", text="away"))]
    assert [each.destination for each in plan(people, "id@테스트.net").queue] == ["reply:1"]
    assert plan(people, "id@테스트.net", arrival=Arrival(sender=None)).queue == ()
    automatic = Arrival(sender=Address.parse("a@example.org"), automatic=True)
    assert plan(people, "id@테스트.net", arrival=automatic).queue == ()


def test_list_becomes_one_row_of_ours_and_its_service_addresses_are_known() -> None:
    people = town("id")
    people.lists_ = [MailingList(domain=DOMAIN, local="news", members=("a@example.org",), mode=ListMode.PUBLIC)]
    assert [each.destination for each in plan(people, "news@테스트.net").queue] == [f"list:news@{DOMAIN}"]
    assert classify(people, "news-bounces@테스트.net").found is Found.LIST_BOUNCES
    assert [each.mailbox_id for each in plan(people, "news-bounces@테스트.net").deliveries] == [101]
    assert [each.destination for each in plan(people, "news-unsubscribe@테스트.net").queue] == [f"leave:news@{DOMAIN}"]


def test_rewritten_sender_leads_back_and_a_forged_one_is_refused() -> None:
    people = town("id")
    good = srs.rewrite(Address.parse("writer@example.org"), DOMAIN, KEY, NOW)
    assert classify(people, str(good), rewriting=Rewriting()).found is Found.REWRITTEN
    back = plan(people, str(good), arrival=Arrival(sender=None), rewriting=Rewriting())
    assert back.queue[0].destination == "mx:example.org"
    forged = str(good).replace("writer", "victim")
    assert classify(people, forged, rewriting=Rewriting()).refusal is Refusal.NOT_OURS


def test_null_sender_stays_null_when_forwarded() -> None:
    people = town("id")
    people.accounts_ = [replace(people.accounts_[0], forward=Forward(targets=("me@example.com",)))]
    (entry,) = plan(people, "id@테스트.net", arrival=Arrival(sender=None), rewriting=Rewriting()).queue
    assert entry.sender == ""


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.lists(st.integers(0, 7), max_size=4)), max_size=6, unique_by=lambda x: x[0]
    )
)
def test_any_tangle_of_aliases_ends_with_each_mailbox_at_most_once(edges: list[tuple[int, list[int]]]) -> None:
    people = town("p6", "p7")
    people.aliases_ = [
        Alias(domain=DOMAIN, local=f"p{source}", targets=tuple(f"p{target}@테스트.net" for target in targets))
        for source, targets in edges
    ]
    found = plan(people, *(f"p{source}@테스트.net" for source, _ in edges))
    boxes = [each.mailbox_id for each in found.deliveries]
    assert len(boxes) == len(set(boxes))
