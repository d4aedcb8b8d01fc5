"""Checks of a stranger before its message: block lists, HELO, PTR, sender, greylisting; off unless the settings say so.

Each answers with a refusing reply or None. DNS that does not answer is never a reason to refuse: a stranger is only
refused for what is known. A sender that passes SPF is not greylisted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from maild.dns import MX, DNSError, NoData, NoName, Resolver
from maild.mail.address import Address, lenient
from maild.net import Peer
from maild.policy.gate import MINUTE, now_us
from maild.settings import BlockList, Greylisting, Policy
from maild.store import Greylisted, State
from maild.verify import reverse, spf

HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Strangers:
    """The checks of these settings."""

    settings: Policy
    resolver: Resolver
    state: State
    clock: Callable[[], int] = now_us

    @property
    def wanted(self) -> bool:
        """Whether any check is on."""
        policy = self.settings
        names = policy.helo_must_resolve or policy.ptr_required or policy.sender_must_take_mail
        return bool(policy.block_lists or names or policy.greylisting.enabled)

    async def __call__(self, *, peer: Peer, helo: str, sender: Address | None, recipient: Address) -> str | None:
        """The refusing reply of the first check that has one."""
        for block_list in self.settings.block_lists:
            if await is_listed(self.resolver, peer, block_list):
                return f"550 5.7.1 {peer.text} is listed by {block_list.zone}"
        if self.settings.helo_must_resolve and await _is_nobody(self.resolver, helo, peer):
            return "550 5.7.1 The name in HELO has no address"
        if self.settings.ptr_required and await _has_no_name(self.resolver, peer):
            return "550 5.7.25 Your address has no name that leads back to it"
        if self.settings.sender_must_take_mail and sender is not None and sender.literal is None:
            refusal = await _cannot_be_answered(self.resolver, sender.domain)
            if refusal is not None:
                return refusal
        if self.settings.greylisting.enabled and sender is not None:
            return await self._greylisted(peer, helo, sender, recipient)
        return None

    async def _greylisted(self, peer: Peer, helo: str, sender: Address, recipient: Address) -> str | None:
        now, settings = self.clock(), self.settings.greylisting
        history = await self.state.greylist(
            str(peer.network), sender.key, recipient.key, now, lambda known: is_forgotten(known, settings, now)
        )
        if not must_wait(history, settings, now):
            return None
        outcome = await spf.check_sender(self.resolver, peer.text, str(sender), helo)
        return None if outcome.result is spf.Result.PASS else "451 4.7.1 Greylisted, please try again later"


def must_wait(history: Greylisted, settings: Greylisting, now: int) -> bool:
    """Whether a triplet with this history has to come back later."""
    return history.passes == 0 or now - history.first_at < settings.delay_minutes * MINUTE


def is_forgotten(history: Greylisted, settings: Greylisting, now: int) -> bool:
    """Whether a triplet was silent for so long that its next try counts as its first."""
    came_back = history.last_at - history.first_at >= settings.delay_minutes * MINUTE
    forgotten = settings.used_hours if came_back else settings.unused_hours
    return now - history.last_at > forgotten * HOUR


async def is_listed(resolver: Resolver, peer: Peer, block_list: BlockList) -> bool:
    """Whether a block list names the client by one of the answers that count (RFC 5782)."""
    reversed_address = peer.address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    try:
        answer = await resolver.query(f"{reversed_address}.{block_list.zone}", "A")
    except DNSError:
        return False
    counting = [ipaddress.ip_network(text) for text in block_list.answers]
    found = [ipaddress.ip_address(str(record)) for record in answer.records]
    return any(address in network for address in found for network in counting)


async def _is_nobody(resolver: Resolver, helo: str, peer: Peer) -> bool:
    """Whether the name in HELO certainly has no address; a literal must be the client's own."""
    if helo.startswith("["):
        literal = lenient(f"x@{helo}")
        return literal is None or literal.literal != peer.address
    return await _has_no_address(resolver, helo)


async def _has_no_address(resolver: Resolver, name: str) -> bool:
    """Whether a name certainly has no address."""
    missing = 0
    for rdtype in ("A", "AAAA"):
        try:
            await resolver.query(name, rdtype)
        except (NoName, NoData):
            missing += 1
        except DNSError:
            return False
    return missing == 2


async def _cannot_be_answered(resolver: Resolver, domain: str) -> str | None:
    """The refusal of a sender whose domain certainly takes no mail (RFC 7505 section 4.2 for a null MX)."""
    try:
        records = (await resolver.query(domain, "MX")).records
    except (NoName, NoData):
        missing = await _has_no_address(resolver, domain)
        return "550 5.1.8 The domain of the sender has no mail server" if missing else None
    except DNSError:
        return None
    null = [record.host for record in records if isinstance(record, MX)] in ([""], ["."])
    return "550 5.7.27 The domain of the sender takes no mail (null MX)" if null else None


async def _has_no_name(resolver: Resolver, peer: Peer) -> bool:
    found = await reverse.confirm(resolver, peer.text)
    return found.result in {reverse.Result.FAIL, reverse.Result.PERMERROR}
