"""Work of ours that waits in the queue: a list's copies to its members, a member who leaves, an automatic answer.

Each item becomes the messages that are accepted in the transaction that settles it, so a list mail goes out exactly
once however often the daemon dies.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from maild.delivery import destination, leaving, lists, replies
from maild.delivery.destination import Hop, Way
from maild.delivery.dispatch import own_message
from maild.delivery.notices import Translate
from maild.delivery.router import Router
from maild.mail import return_path
from maild.mail.address import Address, key_of
from maild.store import Directory, Incoming, MailingList, Messages, Queue, QueueItem, State

LEAVE_KEY = "lists.leave"
"""Name in the store of the key that answers of leaving members are known by, the same for all daemons."""
HEADER_BYTES = 1 << 20
"""What is read of a message to see who wrote it."""


class Expansion:
    """Expands ``list:``, ``leave:`` and ``reply:`` items. ``translator`` gives a translation by language."""

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
    ) -> None:
        self._router = router
        self._directory = directory
        self._messages = messages
        self._queue = queue
        self._state = state
        self._language = language
        self._translator = translator

    def configure(self, router: Router, *, language: str) -> None:
        """Takes changed settings."""
        self._router, self._language = router, language

    async def of(self, item: QueueItem) -> tuple[Incoming, ...]:
        """The messages this item stands for."""
        hop = destination.parse(item.destination)
        works = {Way.LIST: self._list, Way.LEAVE: self._leave, Way.REPLY: self._answer}
        found = await works[hop.way](item, hop)
        return () if found is None else (found,)

    async def _list(self, item: QueueItem, hop: Hop) -> Incoming | None:
        mailing_list = await self._named(hop)
        if mailing_list is None:
            return None
        body = await self._whole(item)
        copy = lists.copy_for_members(mailing_list, body)
        if copy is None:
            return None
        members = [member for member in copy.recipients if await self._queue.suppressed(member) is None]
        return await own_message(
            self._router,
            body,
            members,
            sender=Address.parse(copy.sender),
            origin="list",
            expires_at=item.expires_at,
            prefix=copy.prefix,
        )

    async def _leave(self, item: QueueItem, hop: Hop) -> Incoming | None:
        """Takes a member off who has shown who it is, and asks back where anybody could be the sender."""
        mailing_list = await self._named(hop)
        if mailing_list is None or not item.sender:
            return None
        if replies.is_automatic(await self._messages.read(item.blob_id, 0, min(item.size, HEADER_BYTES))):
            return None
        now, key = await self._queue.now(), await self._leave_key()
        answers = [each for row in item.recipients if leaving.is_answer(each := Address.parse(row.address))]
        if answers:
            leavers = [leaving.leaving_member(mailing_list, each, key, now) for each in answers]
        else:
            wish = key_of(item.sender)
            leavers = [next((member for member in mailing_list.members if key_of(member) == wish), None)]
            if leavers[0] is not None and "@" not in item.origin:
                return await self._ask_back(mailing_list, leavers[0], key, now, item.expires_at)
        kept = tuple(member for member in mailing_list.members if member not in leavers)
        if len(kept) != len(mailing_list.members):
            await self._directory.save_list(replace(mailing_list, members=kept))
        return None

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

    async def _leave_key(self) -> bytes:
        """Read each time: of two daemons that make it at once, both use the one that stays."""
        kept = await self._state.get(LEAVE_KEY)
        if kept is None:
            await self._state.put(LEAVE_KEY, os.urandom(32).hex())
            kept = await self._state.get(LEAVE_KEY)
        return bytes.fromhex(kept or "")

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
