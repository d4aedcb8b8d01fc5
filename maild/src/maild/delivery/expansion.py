"""Work of ours that waits in the queue: a list's copies to its members, a member who leaves, an automatic answer.

Each item becomes the messages that are accepted in the transaction that settles it, so a list mail goes out exactly
once however often the daemon dies.
"""

from __future__ import annotations

import os
from dataclasses import replace

from maild.delivery import destination, lists, replies
from maild.delivery.destination import Hop, Way
from maild.delivery.dispatch import own_message
from maild.delivery.router import Router
from maild.mail.address import Address, key_of
from maild.store import Directory, Incoming, MailingList, Messages, Queue, QueueItem, State


class Expansion:
    """Expands ``list:``, ``leave:`` and ``reply:`` items. ``web`` is the base URL for one-click leaving, or empty."""

    def __init__(
        self, router: Router, directory: Directory, messages: Messages, queue: Queue, state: State, *, web: str = ""
    ) -> None:
        self._router = router
        self._directory = directory
        self._messages = messages
        self._queue = queue
        self._state = state
        self._web = web

    def configure(self, router: Router) -> None:
        """Takes changed settings."""
        self._router = router

    async def of(self, item: QueueItem) -> tuple[Incoming, ...]:
        """The messages this item stands for."""
        hop = destination.parse(item.destination)
        if hop.way is Way.LEAVE:
            await self._leave(item, hop)
            return ()
        found = await (self._list(item, hop) if hop.way is Way.LIST else self._answer(item, hop))
        return () if found is None else (found,)

    async def _list(self, item: QueueItem, hop: Hop) -> Incoming | None:
        mailing_list = await self._named(hop)
        if mailing_list is None:
            return None
        body = await self._whole(item)
        copy = lists.copy_for_members(mailing_list, body, self._web)
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

    async def _leave(self, item: QueueItem, hop: Hop) -> None:
        mailing_list = await self._named(hop)
        if mailing_list is None or not item.sender:
            return
        leaving = Address.parse(item.sender).key
        kept = tuple(member for member in mailing_list.members if key_of(member) != leaving)
        if len(kept) != len(mailing_list.members):
            await self._directory.save_list(replace(mailing_list, members=kept))

    async def _answer(self, item: QueueItem, hop: Hop) -> Incoming | None:
        account = await self._directory.account(int(hop.name))
        if account is None or account.reply is None or not item.sender:
            return None
        sender, now = Address.parse(item.sender), await self._queue.now()
        own = {key_of(address) for address in await self._directory.addresses_of(account.id)}
        own |= await self._tagged(item, account.id)
        message = await self._messages.read(item.blob_id, 0, min(item.size, 1 << 20))
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
        return b"".join([piece async for piece in self._messages.chunks(item.blob_id)])
