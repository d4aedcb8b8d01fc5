"""Work of ours that waits in the queue: a list's copies to its members, a member who leaves, an automatic answer.

Each item becomes the messages that are accepted in the transaction that settles it, so a list mail goes out exactly
once however often the daemon dies.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from maild.delivery import destination, leaving, lists, one_click, replies
from maild.delivery.destination import Hop, Way
from maild.delivery.dispatch import own_message
from maild.delivery.membership import leave_key
from maild.delivery.notices import Translate
from maild.delivery.router import Router
from maild.mail import return_path
from maild.mail.address import Address, key_of, lenient
from maild.store import Directory, Incoming, MailingList, Messages, Queue, QueueItem, State

HEADER_BYTES = 1 << 20
"""What is read of a message to see who wrote it."""
OWN_COPIES, OWN_COPIES_BYTES = 500, 64 << 20
"""Members, and bytes in all, up to which each member gets a copy with a link of its own: one transaction takes all."""


class Expansion:
    """Expands ``list:``, ``leave:`` and ``reply:`` items.

    language, translator: what members are written in, and the translation by language.
    web: ``https://host[:port]`` of the pages by which members leave with one click; empty where there are none.
    """

    def __init__(
        self,
        router: Router,
        directory: Directory,
        messages: Messages,
        queue: Queue,
        state: State,
        *,
        language: str = "en",
        translator: Callable[[str], Translate] = lambda _: str,
        web: str = "",
    ) -> None:
        self._router = router
        self._directory = directory
        self._messages = messages
        self._queue = queue
        self._state = state
        self._language = language
        self._translator = translator
        self._web = web

    def configure(self, router: Router, *, language: str, web: str) -> None:
        """Takes changed settings."""
        self._router, self._language, self._web = router, language, web

    async def of(self, item: QueueItem) -> tuple[Incoming, ...]:
        """The messages this item stands for."""
        hop = destination.parse(item.destination)
        if hop.way is Way.LIST:
            return await self._list(item, hop)
        found = await (self._leave(item, hop) if hop.way is Way.LEAVE else self._answer(item, hop))
        return () if found is None else (found,)

    async def _list(self, item: QueueItem, hop: Hop) -> tuple[Incoming, ...]:
        """One copy for all members, or one for each where each has a link of its own in it."""
        mailing_list = await self._named(hop)
        if mailing_list is None:
            return ()
        body = await self._whole(item)
        if lists.has_been_through(mailing_list, body):
            return ()
        once = dict.fromkeys(mailing_list.members)
        members = [member for member in once if await self._queue.suppressed(member) is None]
        if not self._web or len(members) > OWN_COPIES or len(members) * len(body) > OWN_COPIES_BYTES:
            made = [await self._copy(mailing_list, body, members, item.expires_at)]
        else:
            key = await leave_key(self._state)
            made = [
                await self._copy(
                    mailing_list, body, [member], item.expires_at, one_click.link(self._web, mailing_list, member, key)
                )
                for member in members
            ]
        return tuple(filter(None, made))

    async def _copy(
        self, mailing_list: MailingList, body: bytes, members: Sequence[str], expires_at: int, link: str = ""
    ) -> Incoming | None:
        return await own_message(
            self._router,
            body,
            members,
            sender=lists.bounces_to(mailing_list),
            origin="list",
            expires_at=expires_at,
            prefix=lists.fields_for_members(mailing_list, link),
        )

    async def _leave(self, item: QueueItem, hop: Hop) -> Incoming | None:
        """Takes a member off who has shown who it is, and asks back where anybody could be the sender."""
        mailing_list = await self._named(hop)
        if mailing_list is None or not item.sender:
            return None
        if replies.is_automatic(await self._messages.read(item.blob_id, 0, min(item.size, HEADER_BYTES))):
            return None
        now, key = await self._queue.now(), await leave_key(self._state)
        answers = [each for row in item.recipients if leaving.is_answer(each := Address.parse(row.address))]
        if answers:
            leavers = [leaving.leaving_member(mailing_list, each, key, now) for each in answers]
        else:
            leavers = [await self._wishing(mailing_list, item)]
            if leavers[0] is not None and "@" not in item.origin:
                return await self._ask_back(mailing_list, leavers[0], key, now, item.expires_at)
        kept = tuple(member for member in mailing_list.members if member not in leavers)
        if len(kept) != len(mailing_list.members):
            await self._directory.save_list(replace(mailing_list, members=kept))
        return None

    async def _wishing(self, mailing_list: MailingList, item: QueueItem) -> str | None:
        """The member who asks: by the sender's address, or, after a login, by another one of the user's own."""
        wishes = [key_of(item.sender)]
        origin = lenient(item.origin)
        account = None if origin is None else await self._directory.account_named(origin.local, origin.domain)
        if account is not None:
            wishes += [key_of(own) for own in await self._directory.addresses_of(account.id)]
        members = {key_of(member): member for member in mailing_list.members}
        return next((members[wish] for wish in wishes if wish in members), None)

    async def _ask_back(
        self, mailing_list: MailingList, member: str, key: bytes, now: int, expires_at: int
    ) -> Incoming | None:
        """The letter to a member, once a day: others could ask for it as well."""
        answer_to = leaving.answer_address(mailing_list, member, key, now)
        if answer_to is None or await self._queue.suppressed(member) is not None:
            return None
        asked = f"{mailing_list.local}@{mailing_list.domain} {key_of(member)}"
        if not await self._state.once("leave", asked, now + leaving.MICROSECONDS_PER_DAY, now):
            return None
        address = Address.parse(member)
        account = (await self._directory.resolve(address.local, address.domain)).account
        say = self._translator((account.language if account else "") or self._language)
        body = leaving.letter(mailing_list, address, answer_to, say, now, os.urandom(8))
        return await own_message(self._router, body, [member], sender=None, origin="list", expires_at=expires_at)

    async def _answer(self, item: QueueItem, hop: Hop) -> Incoming | None:
        account = await self._directory.account(int(hop.name))
        if account is None or account.reply is None or not item.sender:
            return None
        sender, now = Address.parse(item.sender), await self._queue.now()
        own = {key_of(address) for address in await self._directory.addresses_of(account.id)}
        own |= await self._tagged(item, account.id)
        message = await self._messages.read(item.blob_id, 0, min(item.size, HEADER_BYTES))
        if not replies.answers(account.reply, sender, own, message, now):
            return None
        if await self._queue.suppressed(item.sender) is not None:
            return None
        until = now + account.reply.period_seconds * 1_000_000
        if not await self._state.once("reply", f"{account.id} {sender.key}", until, now):
            return None
        body = replies.write_reply(account, account.reply, sender, message, now, os.urandom(8))
        return await own_message(
            self._router, body, [item.sender], sender=None, origin="reply", expires_at=item.expires_at
        )

    async def _tagged(self, item: QueueItem, account_id: int) -> set[str]:
        """The addresses with a tag (id+news@) by which the message reached this account."""
        found: set[str] = set()
        for row in item.recipients:
            address = Address.parse(row.address)
            account = (await self._directory.resolve(address.local, address.domain)).account
            if account is not None and account.id == account_id:
                found.add(address.key)
        return found

    async def _named(self, hop: Hop) -> MailingList | None:
        address = Address.parse(hop.name)
        return (await self._directory.resolve(address.local, address.domain)).mailing_list

    async def _whole(self, item: QueueItem) -> bytes:
        return return_path.without(b"".join([piece async for piece in self._messages.chunks(item.blob_id)]))
