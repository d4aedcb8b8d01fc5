"""A queue runner over a real store in this process, and the other servers as answers of a table.

``scene`` opens the store with one domain and one account and runs a story in it; what the servers were sent is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maild.delivery.endpoints import Endpoints, Ways
from maild.delivery.expansion import Expansion
from maild.delivery.hosts import Families
from maild.delivery.next_hop import Capabilities, Endpoint, HopError, Reply, Session, Transaction
from maild.delivery.router import Router
from maild.delivery.routing import Arrival
from maild.delivery.runner import Pace, Runner
from maild.delivery.schedule import MINUTE, Schedule
from maild.delivery.tell import Teller
from maild.dns import MX
from maild.log import Log
from maild.mail.address import Address
from maild.mail.envelope import Recipient
from maild.settings import Database
from maild.store import (
    Account,
    Domain,
    Incoming,
    QueueItem,
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
