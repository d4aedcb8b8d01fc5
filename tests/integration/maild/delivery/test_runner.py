"""The queue runner over a real store: what is queued arrives, is retried, bounces, and is never worked on twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from maild.delivery.endpoints import Endpoints, Ways
from maild.delivery.expansion import OWN_COPIES, Expansion
from maild.delivery.hosts import Families
from maild.delivery.next_hop import Capabilities, Endpoint, HopError, Reply, Session, Transaction
from maild.delivery.router import Router
from maild.delivery.routing import Arrival
from maild.delivery.runner import Pace, Runner
from maild.delivery.schedule import MINUTE, Schedule
from maild.delivery.tell import Teller
from maild.dns import MX
from maild.log import Log
from maild.mail import dsn, header, return_path
from maild.mail.address import Address
from maild.mail.envelope import Recipient
from maild.mail.mailboxes import addresses
from maild.settings import Database
from maild.store import (
    Account,
    AliasDomain,
    AutoReply,
    Domain,
    Incoming,
    ListMode,
    MailingList,
    Outcome,
    QueueEntry,
    QueueItem,
    QueueRecipient,
    RecipientOutcome,
    RecipientState,
    Store,
    new_id,
)
from maild.store.open import open_store
from tests.lib.zones import Zones

DOMAIN = Address.parse("x@테스트.net").domain
PATIENCE_SECONDS = 60
"""How long a loaded machine may take; nothing is judged by it."""
MAIL = "From: id@테스트.net\r\nTo: {to}\r\nSubject: 안녕\r\nMessage-ID: <1@a>\r\n\r\n본문\r\n"


@dataclass
class World:
    """The other servers: what each host answers, and what they were sent."""

    answers: dict[str, Callable[[str], Reply]] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    sent: list[tuple[str, str, tuple[str, ...], bytes]] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    together: asyncio.Barrier | None = None
    """So many sessions are opened at one moment."""

    async def connect(self, endpoint: Endpoint) -> Session:
        self.connections.append(endpoint.host)
        if self.together is not None:
            await self.together.wait()
        if endpoint.host in self.unreachable:
            raise HopError(Reply(421, "4.4.1", "no answer"), host=endpoint.host)
        return Conversation(self, endpoint)


@dataclass
class Conversation:
    world: World
    endpoint: Endpoint
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(pipelining=True, eight_bit=True, smtputf8=True)
    )

    async def send(self, transaction: Transaction) -> Sequence[Reply]:
        body = await transaction.body(self.capabilities)
        addresses = tuple(each.address for each in transaction.recipients)
        self.world.sent.append((self.endpoint.host, transaction.sender, addresses, body))
        answer = self.world.answers.get(self.endpoint.host, lambda _: Reply(250, "2.0.0", "kept"))
        return [answer(address) for address in addresses]

    async def close(self) -> None:
        """Nothing to do."""


@dataclass
class Scene:
    store: Store
    router: Router
    world: World
    runner: Runner
    expansion: Expansion

    async def submit(
        self,
        *recipients: str,
        sender: str = "id@테스트.net",
        lifetime: int = 100 * MINUTE,
        origin: str = "",
        before: str = "",
    ) -> None:
        targets = [
            (Recipient(Address.parse(each)), await self.router.classify(Address.parse(each))) for each in recipients
        ]
        now = await self.store.queue.now()
        arrival = Arrival(sender=Address.parse(sender), expires_at=now + lifetime, origin=origin)
        plan = await self.router.plan(targets, arrival)
        text = (before + MAIL.format(to=", ".join(recipients))).encode()
        await self.store.accept(Incoming(id=new_id(), body=text, deliveries=plan.deliveries, queue=plan.queue))

    async def run_until(self, done: Callable[[], Coroutine[object, object, bool]]) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(self.runner.run(stop))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await done():  # noqa: ASYNC110 - the store tells nobody when a row has gone
                await asyncio.sleep(0.02)
        stop.set()
        await task

    async def empty(self) -> bool:
        return await self.store.queue.count() == 0

    async def inbox(self) -> list[bytes]:
        account = (await self.store.directory.accounts())[0]
        rows = await self.store.messages.range(account.inbox_id, 1, 1000)
        return [await self.store.messages.read(row.blob_id) for row in rows]


ZONES = {
    "example.org": {"MX": [MX(10, "mx.example.org")]},
    "mx.example.org": {"A": ["192.0.2.1"]},
    "dead.example": {"MX": [MX(10, "mx.dead.example")]},
    "mx.dead.example": {"A": ["192.0.2.2"]},
}


def scene(tmp_path: Path, story: Callable[[Scene], Coroutine[object, object, None]]) -> None:
    async def run() -> None:
        store = await open_store(Database(file=tmp_path / "mail.db"))
        await store.directory.save_domain(Domain(name=DOMAIN))
        await store.directory.save_account(Account(domain=DOMAIN, local="id"))
        router, world = Router(store.directory, store.mailboxes), World()

        async def nothing(_: str) -> bytes:
            raise OSError("no web here")

        async def body(item: QueueItem, _: Capabilities) -> bytes:
            return b"".join([piece async for piece in store.messages.chunks(item.blob_id)])

        expansion = Expansion(router, store.directory, store.messages, store.queue, store.state)
        runner = Runner(
            store.queue,
            Pace(owner="one"),
            Schedule(),
            endpoints=Endpoints(
                Ways(families=Families()), Zones(ZONES), store.directory, store.state, fetch=nothing,
                unwrap=lambda secret: secret.decode(),
            ),
            connect=world.connect,
            body=body,
            expansion=expansion,
            teller=Teller(
                router, store.directory, store.messages, store.queue, hostname="smtp.example.kr", language="en",
                lifetime=100 * MINUTE, translator=lambda _: str,
            ),
            log=Log.to([]),
            chance=lambda: 0.5,
        )  # fmt: skip
        try:
            await story(Scene(store, router, world, runner, expansion))
        finally:
            await store.close()

    asyncio.run(run())


def test_queued_mail_arrives_once_at_its_exchanger(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.submit("a@example.org", "주문@example.org")
        await scene.run_until(scene.empty)
        ((host, sender, recipients, body),) = scene.world.sent
        assert (host, sender) == ("mx.example.org", f"id@{DOMAIN}")
        assert recipients == ("a@example.org", "주문@example.org")
        assert "본문".encode() in body

    scene(tmp_path, story)


def test_refused_recipient_comes_back_to_its_sender_and_the_other_is_delivered(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.world.answers["mx.example.org"] = lambda address: (
            Reply(550, "5.1.1", "unknown") if address.startswith("nobody") else Reply(250, "2.0.0", "kept")
        )
        await scene.submit("a@example.org", "nobody@example.org")
        await scene.run_until(scene.empty)
        (bounce,) = await scene.inbox()
        assert [(each.recipient, each.action, each.status) for each in dsn.read(bounce)] == [
            ("nobody@example.org", "failed", "5.1.1")
        ]

    scene(tmp_path, story)


def test_original_that_is_just_too_large_to_return_comes_back_as_its_header(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        head = return_path.field(Address.parse("id@테스트.net"))
        body = (b"From: id@example.kr\r\n\r\n" + b"x" * 70 * 1024)[: dsn.MAX_RETURNED + 1]
        entry = QueueEntry(
            destination="mx:no-such.example",
            sender="id@테스트.net",
            recipients=(QueueRecipient(address="a@no-such.example"),),
            expires_at=await scene.store.queue.now() + 100 * MINUTE,
        )
        await scene.store.accept(Incoming(id=new_id(), prefix=head, body=body, queue=(entry,)))
        await scene.run_until(scene.empty)
        (bounce,) = await scene.inbox()
        assert b"Content-Type: text/rfc822-headers" in bounce
        assert header.values(bounce, "Return-Path") == [b"<>"]

    scene(tmp_path, story)


def test_unknown_domain_bounces_at_once(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.submit("a@no-such.example")
        await scene.run_until(scene.empty)
        (bounce,) = await scene.inbox()
        assert dsn.read(bounce)[0].status == "5.1.2"

    scene(tmp_path, story)


def test_sender_on_the_suppression_list_is_told_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.store.queue.suppress(f"id@{DOMAIN}", "by the administrator")
        await scene.submit("a@no-such.example")
        await scene.run_until(scene.empty)
        assert await scene.inbox() == []

    scene(tmp_path, story)


def test_dead_destination_costs_one_attempt_and_the_living_are_served(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.world.unreachable.add("mx.dead.example")
        for number in range(60):
            await scene.submit(f"p{number}@dead.example")
            await scene.submit(f"p{number}@example.org")

        async def living_served() -> bool:
            return await scene.store.queue.count() == 60

        await scene.run_until(living_served)
        assert scene.world.connections.count("mx.dead.example") == 1
        assert len(scene.world.sent) == 60
        (dead,) = [each for each in await scene.store.queue.destinations() if each.name == "mx:dead.example"]
        assert (dead.waiting, dead.reply) == (60, "421 4.4.1 no answer")

    scene(tmp_path, story)


def dropping(*locals_: str) -> Callable[[str], Reply]:
    """The end of the session for these recipients, 250 for others."""

    def answer(address: str) -> Reply:
        if address.partition("@")[0] in locals_:
            raise HopError(Reply(421, "4.4.2", "the server ended the connection"), host="mx.example.org")
        return Reply(250, "2.0.0", "kept")

    return answer


def test_message_that_ends_the_peers_sessions_waits_alone(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.world.answers["mx.example.org"] = dropping("poison")
        for local in ("a", "poison", "b", "c"):
            await scene.submit(f"{local}@example.org")

        async def others_served() -> bool:
            return await scene.store.queue.count() == 1

        await scene.run_until(others_served)
        (item,) = await scene.store.queue.items()
        assert (item.recipients[0].address, item.attempts) == ("poison@example.org", 1)
        assert item.recipients[0].reply == "421 4.4.2 the server ended the connection"
        (there,) = await scene.store.queue.destinations()
        assert there.failures == 0

        await scene.store.queue.retry([item.id])
        await scene.submit("d@example.org")
        await scene.run_until(others_served)
        (there,) = await scene.store.queue.destinations()
        assert there.failures == 0

    scene(tmp_path, story)


def test_destination_that_ends_its_session_at_every_message_backs_off(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        locals_ = [f"p{number}" for number in range(20)]
        scene.world.answers["mx.example.org"] = dropping(*locals_)
        for local in locals_:
            await scene.submit(f"{local}@example.org")

        async def backs_off() -> bool:
            return any(each.failures for each in await scene.store.queue.destinations())

        await scene.run_until(backs_off)
        assert await scene.store.queue.count() == 20
        assert scene.world.connections.count("mx.example.org") == 3

    scene(tmp_path, story)


def test_message_that_was_put_off_often_does_not_lengthen_the_wait_of_its_destination(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.submit("full@dead.example", lifetime=10_000 * MINUTE)
        for _ in range(8):
            (lease,) = await scene.store.queue.lease("one", limit=1, per_destination=1, seconds=60)
            row = lease.item.recipients[0]
            said = RecipientOutcome(recipient_id=row.id, state=RecipientState.WAITING, reply="452 4.2.2 full")
            await scene.store.queue.finish(lease, Outcome(recipients=(said,), next_at=await scene.store.queue.now()))
        scene.world.unreachable.add("mx.dead.example")

        async def backs_off() -> bool:
            return any(each.failures for each in await scene.store.queue.destinations())

        await scene.run_until(backs_off)
        (there,) = await scene.store.queue.destinations()
        assert there.due_at - await scene.store.queue.now() <= 5 * MINUTE

    scene(tmp_path, story)


def test_sessions_that_end_together_count_as_one_failure_of_their_destination(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.submit("a@example.org")
        await scene.run_until(scene.empty)
        scene.world.unreachable.add("mx.example.org")
        scene.world.together = asyncio.Barrier(2)
        for number in range(22):
            await scene.submit(f"p{number}@example.org")

        async def all_tried() -> bool:
            return all(item.attempts == 1 for item in await scene.store.queue.items())

        await scene.run_until(all_tried)
        (there,) = await scene.store.queue.destinations()
        assert there.failures == 1

    scene(tmp_path, story)


def test_message_past_its_lifetime_bounces_although_its_destination_backs_off(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        now = await scene.store.queue.now()
        await scene.submit("a@dead.example", lifetime=0)
        await scene.store.queue.destination_failed("mx:dead.example", "421 4.4.1 no answer", now + 1000 * MINUTE)
        await scene.run_until(scene.empty)
        (bounce,) = await scene.inbox()
        assert [(each.action, each.status) for each in dsn.read(bounce)] == [("failed", "5.4.7")]
        assert scene.world.connections == []

    scene(tmp_path, story)


def test_list_mail_goes_to_each_member_with_the_lists_own_sender(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        news = MailingList(
            domain=DOMAIN, local="news", members=("id@테스트.net", "a@example.org"), mode=ListMode.PUBLIC
        )
        await scene.store.directory.save_list(news)
        await scene.submit("news@테스트.net")
        await scene.run_until(scene.empty)
        ((_, sender, recipients, body),) = scene.world.sent
        assert (sender, recipients) == (f"news-bounces@{DOMAIN}", ("a@example.org",))
        assert b"List-Id:" in body
        assert len(await scene.inbox()) == 1

    scene(tmp_path, story)


async def members(scene: Scene) -> tuple[str, ...]:
    (news,) = await scene.store.directory.lists()
    return news.members


@pytest.mark.parametrize(("members", "copies", "links"), [(3, 3, 3), (OWN_COPIES + 1, 1, 0)])
def test_members_get_copies_with_their_own_links_up_to_a_number(
    tmp_path: Path, members: int, copies: int, links: int
) -> None:
    async def story(scene: Scene) -> None:
        on = tuple(f"member{number}@example.org" for number in range(members))
        news = MailingList(domain=DOMAIN, local="news", members=on, mode=ListMode.PUBLIC)
        await scene.store.directory.save_list(news)
        scene.expansion.configure(scene.router, language="en", web="https://smtp.example.kr")
        await scene.submit(f"news@{DOMAIN}")
        await scene.run_until(scene.empty)
        assert sum(len(recipients) for _, _, recipients, _ in scene.world.sent) == members
        bodies = {body for _, _, _, body in scene.world.sent}
        assert len(bodies) == copies
        assert sum(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in body for body in bodies) == links

    scene(tmp_path, story)


def test_a_claimed_sender_is_asked_back_once_and_only_its_answer_takes_it_off_the_list(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        everybody = ("id@테스트.net", "a@example.org", "b@example.org")
        await scene.store.directory.save_list(
            MailingList(domain=DOMAIN, local="소식", members=everybody, mode=ListMode.PUBLIC)
        )
        for _ in range(2):
            await scene.submit("소식-unsubscribe@테스트.net", sender="A@example.org")
        await scene.submit("소식-unsubscribe@테스트.net", sender="stranger@example.org")
        await scene.run_until(scene.empty)
        assert await members(scene) == everybody
        ((_, sender, recipients, letter),) = scene.world.sent
        assert (sender, recipients) == ("", ("a@example.org",))
        (answer_to,) = addresses(header.values(letter, "From"))
        assert answer_to is not None

        forged = answer_to.local[:-1] + ("b" if answer_to.local.endswith("a") else "a")
        await scene.submit(str(Address(forged, DOMAIN)), sender="a@example.org")
        await scene.submit(str(answer_to), sender="a@example.org", before="Auto-Submitted: auto-replied\r\n")
        await scene.run_until(scene.empty)
        assert await members(scene) == everybody

        await scene.submit(str(answer_to), sender="other-address@example.org")
        await scene.run_until(scene.empty)
        assert await members(scene) == ("id@테스트.net", "b@example.org")
        assert len(scene.world.sent) == 1

    scene(tmp_path, story)


def test_a_member_who_logged_in_leaves_a_list_at_once(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        other = Address.parse("x@테스트.co.kr").domain
        await scene.store.directory.save_alias_domain(AliasDomain(name=other, domain=DOMAIN))
        for own in ("id@테스트.net", "id@테스트.co.kr"):
            news = MailingList(domain=DOMAIN, local="news", members=(own, "a@example.org"))
            await scene.store.directory.save_list(news)
            await scene.submit("news-unsubscribe@테스트.net", origin=f"id@{DOMAIN}")
            await scene.run_until(scene.empty)
            assert await members(scene) == ("a@example.org",)

    scene(tmp_path, story)


def test_automatic_answer_is_sent_once_a_sender(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        account = (await scene.store.directory.accounts())[0]
        reply = AutoReply(subject="휴가", text="다음 주에 돌아옵니다")
        await scene.store.directory.save_account(
            Account(id=account.id, domain=account.domain, local=account.local, inbox_id=account.inbox_id, reply=reply)
        )
        for _ in range(2):
            await scene.submit("id@테스트.net", sender="friend@example.org")
        await scene.run_until(scene.empty)
        ((_, sender, recipients, body),) = scene.world.sent
        assert (sender, recipients) == ("", ("friend@example.org",))
        assert b"Auto-Submitted: auto-replied" in body
        assert "다음 주에 돌아옵니다".encode() in body

    scene(tmp_path, story)


def test_tagged_address_gets_the_automatic_answer_and_a_role_does_not(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        domain = (await scene.store.directory.domains())[0]
        await scene.store.directory.save_domain(replace(domain, plus_addressing=True))
        account = (await scene.store.directory.accounts())[0]
        reply = AutoReply(subject="휴가", text="다음 주에 돌아옵니다")
        await scene.store.directory.save_account(replace(account, reply=reply))
        await scene.submit("postmaster@테스트.net", sender="stranger@example.org")
        await scene.submit("id+소식@테스트.net", sender="friend@example.org")
        await scene.run_until(scene.empty)
        assert [recipients for _, _, recipients, _ in scene.world.sent] == [("friend@example.org",)]

    scene(tmp_path, story)


def test_the_queue_empties_while_mail_comes_in_without_a_pause(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        for _ in range(8):
            await scene.submit("a@example.org")

        async def still_coming() -> bool:
            scene.runner.pacing.arrival()
            return await scene.empty()

        await scene.run_until(still_coming)
        assert len(scene.world.sent) == 8

    scene(tmp_path, story)
