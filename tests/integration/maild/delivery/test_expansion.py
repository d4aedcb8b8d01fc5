"""What the runner makes of one item: a list's copies, the answer to who wants to leave, automatic answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maild.delivery.expansion import OWN_COPIES
from maild.mail import header
from maild.mail.address import Address
from maild.mail.mailboxes import addresses
from maild.store import (
    Account,
    AliasDomain,
    AutoReply,
    ListMode,
    MailingList,
)
from tests.lib.queue_scene import DOMAIN, Scene, scene


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
