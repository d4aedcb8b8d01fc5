"""The queue runner over a real store: what is queued arrives, is retried, bounces, and is never worked on twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from maild.delivery.next_hop import HopError, Reply
from maild.delivery.schedule import MINUTE
from maild.mail import dsn, header, return_path
from maild.mail.address import Address
from maild.store import (
    Incoming,
    Outcome,
    QueueEntry,
    QueueRecipient,
    RecipientOutcome,
    RecipientState,
    new_id,
)
from tests.lib.queue_scene import DOMAIN, Scene, scene


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
