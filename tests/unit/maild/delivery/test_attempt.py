"""Which hosts an item is offered to within one attempt, and what is said of it when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from maild.delivery.attempt import Courier, DroppedError, Said
from maild.delivery.next_hop import Capabilities, Endpoint, HopError, Reply, Session, Transaction
from maild.store import QueueItem
from tests.lib.next_hop import queue_item

TAKEN = Reply(250, "2.0.0", "kept")
BUSY = Reply(451, "4.3.0", "try later")
GONE = HopError(Reply(421, "4.4.2", "the server ended the connection"))
Answer = Callable[[str], Reply]


@dataclass
class Hosts:
    """Hosts by name: a refusal to open a session, or what each says of a recipient (an error ends the session)."""

    refusals: dict[str, Reply] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    offered: list[tuple[str, str]] = field(default_factory=list)

    async def connect(self, endpoint: Endpoint) -> Session:
        self.opened.append(endpoint.host)
        if endpoint.host in self.refusals:
            raise HopError(self.refusals[endpoint.host], host=endpoint.host)
        return Conversation(self, endpoint)


@dataclass
class Conversation:
    hosts: Hosts
    endpoint: Endpoint
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(smtputf8=True, recipients=2))

    async def send(self, transaction: Transaction) -> Sequence[Reply]:
        addresses = [each.address for each in transaction.recipients]
        self.hosts.offered += [(self.endpoint.host, address) for address in addresses]
        answer = self.hosts.answers.get(self.endpoint.host, lambda _: TAKEN)
        return [answer(address) for address in addresses]

    async def close(self) -> None:
        """Nothing to do."""


def carry(hosts: Hosts, names: str, *items: QueueItem) -> list[list[Said] | HopError]:
    """What became of each item, offered one after the other by one courier to hosts of these one-letter names."""

    async def body(_: QueueItem, __: Capabilities) -> bytes:
        return b""

    async def run() -> list[list[Said] | HopError]:
        endpoints = [Endpoint(host=name, address="192.0.2.1", port=25) for name in names]
        courier = Courier(endpoints, hosts.connect, body)
        found: list[list[Said] | HopError] = []
        for each in items:
            try:
                found.append(await courier.carry(each))
            except HopError as error:
                found.append(error)
        return found

    return asyncio.run(run())


def codes(found: list[Said] | HopError) -> list[int]:
    assert isinstance(found, list), found
    return [each.reply.code for each in found]


def ends(_: str) -> Reply:
    raise GONE


def poison(address: str) -> Reply:
    return ends(address) if address.startswith("poison") else TAKEN


@pytest.mark.parametrize("refusal", [Reply(421, "4.3.2", "busy"), Reply(554, "5.7.1", "no")])
def test_host_that_opens_no_session_leads_to_the_next_in_the_same_attempt(refusal: Reply) -> None:
    hosts = Hosts(refusals={"a": refusal})
    (said,) = carry(hosts, "ab", queue_item("x"))
    assert codes(said) == [250]
    assert hosts.opened == ["a", "b"]


def test_permanent_refusal_of_one_host_is_not_the_last_word_while_another_may_come_back() -> None:
    hosts = Hosts(refusals={"a": Reply(421, "4.4.1", "no answer"), "b": Reply(554, "5.7.1", "no")})
    (error,) = carry(hosts, "ab", queue_item("x"))
    assert isinstance(error, HopError)
    assert error.reply.code == 421


def test_recipient_put_off_by_one_host_is_offered_to_the_next_and_the_others_are_not() -> None:
    hosts = Hosts(answers={"a": lambda address: BUSY if address == "busy" else TAKEN})
    (said,) = carry(hosts, "abc", queue_item("x", "busy", "y"))
    assert codes(said) == [250, 250, 250]
    assert hosts.offered == [("a", "x"), ("a", "busy"), ("a", "y"), ("b", "busy")]


def test_recipient_put_off_everywhere_is_offered_to_two_hosts_and_keeps_the_last_answer() -> None:
    hosts = Hosts(answers=dict.fromkeys("abc", lambda _: BUSY))
    (said,) = carry(hosts, "abc", queue_item("x"))
    assert codes(said) == [451]
    assert hosts.opened == ["a", "b"]


def test_recipient_put_off_keeps_its_answer_when_the_next_host_cannot_be_reached() -> None:
    hosts = Hosts(answers={"a": lambda _: BUSY}, refusals={"b": Reply(421, "4.4.1", "no answer")})
    (said,) = carry(hosts, "ab", queue_item("x"))
    assert codes(said) == [451]


def test_refused_recipient_is_not_offered_again() -> None:
    hosts = Hosts(answers={"a": lambda _: Reply(550, "5.1.1", "unknown")})
    (said,) = carry(hosts, "ab", queue_item("x"))
    assert codes(said) == [550]
    assert hosts.opened == ["a"]


def test_message_after_one_that_was_put_off_begins_with_the_first_host_again() -> None:
    hosts = Hosts(answers={"a": lambda address: BUSY if address == "busy" else TAKEN})
    carry(hosts, "ab", queue_item("busy"), queue_item("x"))
    assert hosts.offered == [("a", "busy"), ("b", "busy"), ("a", "x")]


def test_message_that_ends_each_session_says_so_and_the_next_one_is_served() -> None:
    hosts = Hosts(answers=dict.fromkeys("abc", poison))
    dropped, said = carry(hosts, "abc", queue_item("poison"), queue_item("x"))
    assert isinstance(dropped, DroppedError)
    assert codes(said) == [250]
    assert [host for host, address in hosts.offered if address == "poison"] == ["a", "b"]


def test_the_only_host_is_asked_for_another_session_after_a_message_that_ended_one() -> None:
    hosts = Hosts(answers={"a": poison})
    before, dropped, said = carry(hosts, "a", queue_item("w"), queue_item("poison"), queue_item("x"))
    assert (codes(before), codes(said)) == ([250], [250])
    assert isinstance(dropped, DroppedError)
    assert [address for _, address in hosts.offered] == ["w", "poison", "poison", "x"]


def test_host_that_drops_a_message_which_another_takes_is_asked_last() -> None:
    hosts = Hosts(answers={"a": ends})
    found = carry(hosts, "ab", queue_item("x"), queue_item("y"))
    assert [codes(each) for each in found] == [[250], [250]]
    assert hosts.opened == ["a", "b"]


def test_host_that_no_longer_opens_a_session_is_no_fault_of_the_message() -> None:
    hosts = Hosts(answers={"a": lambda _: TAKEN}, refusals={"b": BUSY})
    (error,) = carry(hosts, "b", queue_item("x"))
    assert isinstance(error, HopError)
    assert not isinstance(error, DroppedError)
