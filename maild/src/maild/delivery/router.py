"""What an address is here, and all the places a message to it goes.

``classify`` answers at RCPT TO what the recipient is or why it is refused; ``plan`` follows aliases, forwards and lists
at the end of DATA and yields mailboxes and queue rows for one ``Incoming``. Both only read the directory. Whether the
client may send there is the relay decision's, in ``policy``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from maild.delivery.destination import Hop, Way, queued
from maild.delivery.lists import BOUNCES, UNSUBSCRIBE
from maild.delivery.roles import ignores_quota, is_role, keeper, server_postmaster
from maild.delivery.routing import Arrival, End, Found, Lost, Plan, Reached, Refusal, Target
from maild.delivery.srs import Rewriting, SRSError, is_rewritten
from maild.log import Log
from maild.mail import xtext
from maild.mail.address import Address, key_of, lenient
from maild.mail.envelope import Notify, Recipient
from maild.store import Account, Delivery, Directory, Mailboxes, QueueEntry, QueueRecipient, Resolved, Route

MAX_EXPANSION = 10_000
"""Addresses one message may reach through aliases and forwards; a longer chain is a mistake or an attack."""
JUNK = "\\Junk"
"""Special use of the mailbox for suspicious mail (RFC 6154)."""
REJECTS = "Rejects"
"""Mailbox that keeps refused mail some days, for its owner to look at; it is made when it is first needed."""


class Router:
    """Routing over a directory. ``default_domain`` stands in for one with nobody; ``smart_host`` takes remote mail."""

    def __init__(
        self,
        directory: Directory,
        mailboxes: Mailboxes,
        *,
        smart_host: bool = False,
        default_domain: str = "",
        rewriting: Rewriting | None = None,
        log: Log | None = None,
    ) -> None:
        self.default_domain = default_domain
        self._directory = directory
        self._log = log
        self._mailboxes = mailboxes
        self._smart_host = smart_host
        self._rewriting = rewriting

    async def classify(self, recipient: Address) -> Target:
        """What this address is, or why it takes no mail."""
        if recipient.literal is not None:
            return self._remote(recipient, None)
        resolved = await self._directory.resolve(recipient.local, recipient.domain)
        if resolved.domain is None:
            return self._remote(recipient, resolved)
        if not resolved.domain.active:
            return Target(recipient=recipient, resolved=resolved, refusal=Refusal.DOMAIN_OFF)
        if not resolved.found and is_rewritten(recipient) and self._rewriting is not None:
            return self._restored(recipient, resolved, self._rewriting)
        found = self._own(recipient, resolved)
        if found is not None:
            return found
        service = await self._list_service(recipient)
        if service is not None:
            return service
        # One that names other domains as well (*) must not draw our unknown addresses, catch-all and roles outside.
        if resolved.route is not None and resolved.route.pattern in {recipient.domain, resolved.domain.name}:
            routed = self._routed(recipient, resolved, resolved.route)
            if routed.refusal is None or not is_role(recipient):
                return routed
        if resolved.domain.catch_all is not None:
            return Target(recipient=recipient, found=Found.CATCH_ALL, resolved=resolved)
        if is_role(recipient):
            return Target(recipient=recipient, found=Found.ROLE, resolved=resolved)
        return Target(recipient=recipient, resolved=resolved, refusal=Refusal.UNKNOWN)

    def _own(self, recipient: Address, resolved: Resolved) -> Target | None:
        """The account, alias or list of that name."""
        if resolved.account is not None and (resolved.account.active or not is_role(recipient)):
            refusal = None if resolved.account.active else Refusal.ACCOUNT_OFF
            return Target(recipient=recipient, found=Found.ACCOUNT, resolved=resolved, refusal=refusal)
        if resolved.alias is not None and resolved.alias.active:
            return Target(recipient=recipient, found=Found.ALIAS, resolved=resolved)
        if resolved.mailing_list is not None and resolved.mailing_list.active:
            return Target(recipient=recipient, found=Found.LIST, resolved=resolved)
        return None

    async def plan(self, targets: Iterable[tuple[Recipient, Target]], arrival: Arrival) -> Plan:
        """Every place the message goes, each mailbox and each remote address once."""
        found = (await self._expanded(targets, arrival)).plan()
        for lost in found.lost:
            if self._log is not None:
                self._log.application(f"Mail to {lost.recipient} does not reach {lost.text!r}: {lost.why}.")
        return found

    async def reaches(self, recipient: Recipient, target: Target, arrival: Arrival) -> bool:
        """Whether a message to this recipient alone would come to anybody."""
        return (await self._expanded([(recipient, target)], arrival)).ends > 0

    async def _expanded(self, targets: Iterable[tuple[Recipient, Target]], arrival: Arrival) -> _Expansion:
        expansion = _Expansion(self._directory, arrival, self)
        for recipient, target in targets:
            await expansion.add(recipient, target)
        return expansion

    async def mailbox_for(self, account: Account, arrival: Arrival) -> int:
        """The mailbox that takes a copy: INBOX, Junk or Rejects."""
        if arrival.rejected:
            kept = await self._mailboxes.named(account.id, REJECTS)
            return (kept or await self._mailboxes.create(account.id, REJECTS)).id
        junk = await self._mailboxes.with_use(account.id, JUNK) if arrival.junk else None
        return junk.id if junk else account.inbox_id

    def forwarded_sender(self, sender: Address | None, account: Account) -> Address | None:
        """The envelope sender of a forwarded copy: rewritten (SRS), or the account's own where there is no key."""
        if sender is None:
            return None
        if self._rewriting is None:
            return Address(account.local, account.domain)
        return self.rewritten(sender, account.domain)

    def rewritten(self, sender: Address, domain: str) -> Address:
        """The sender under which a copy leaves a domain of ours (SRS); itself where there is no key."""
        return sender if self._rewriting is None else self._rewriting.rewrite(sender, domain)

    def _restored(self, recipient: Address, resolved: Resolved, rewriting: Rewriting) -> Target:
        try:
            real = rewriting.restore(recipient)
        except SRSError:
            return Target(recipient=recipient, resolved=resolved, refusal=Refusal.NOT_OURS)
        return Target(recipient=recipient, found=Found.REWRITTEN, resolved=resolved, leads_to=real)

    async def _list_service(self, recipient: Address) -> Target | None:
        """The address beside a list that takes its bounces, or a wish to leave it."""
        for local, suffix, found in (
            (recipient.local, BOUNCES, Found.LIST_BOUNCES),
            (recipient.local, UNSUBSCRIBE, Found.LIST_LEAVE),
            (recipient.local.rpartition("+")[0], UNSUBSCRIBE, Found.LIST_LEAVE),
        ):
            base = local.removesuffix(suffix)
            if base and base != local:
                resolved = await self._directory.resolve(base, recipient.domain)
                if resolved.mailing_list is not None:
                    return Target(recipient=recipient, found=found, resolved=resolved)
        return None

    def _remote(self, recipient: Address, resolved: Resolved | None) -> Target:
        known = resolved or Resolved()
        if known.route is not None:
            return self._routed(recipient, known, known.route)
        hop = Hop(Way.SMART_HOST) if self._smart_host else Hop(Way.DOMAIN, recipient.domain)
        return Target(recipient=recipient, found=Found.REMOTE, resolved=known, hop=hop)

    def _routed(self, recipient: Address, resolved: Resolved, route: Route) -> Target:
        hop = Hop(Way.ROUTE, route.pattern)
        known = not route.recipients or recipient.key in {key_of(address) for address in route.recipients}
        refusal = None if known else Refusal.NOT_ON_ROUTE
        return Target(recipient=recipient, found=Found.ROUTE, resolved=resolved, hop=hop, refusal=refusal)


@dataclass(slots=True)
class _Expansion:
    """One message's way through aliases and forwards; every address is followed once, so loops end."""

    directory: Directory
    arrival: Arrival
    router: Router
    seen: set[str] = field(default_factory=set)
    mailboxes: dict[int, Delivery] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[QueueRecipient]] = field(default_factory=dict)
    local_rows: dict[str, QueueEntry] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    reached: list[Reached] = field(default_factory=list)
    unlimited: bool = False
    """The recipient that is followed at the moment is served though a mailbox is full."""
    ends: int = 0
    """Mailboxes and rows that were reached, counted each time."""

    async def add(self, recipient: Recipient, target: Target) -> None:
        """Follows one recipient of the envelope to its ends; one that is a role has at least one."""
        sender, domain, before = self.arrival.sender, target.resolved.domain, self.ends
        self.unlimited = not self.arrival.rejected and ignores_quota(recipient.address, sender)
        await self._follow([(recipient, target, sender)])
        if self.ends == before and target.refusal is None and domain is not None and is_role(recipient.address):
            following = await self._role(recipient, domain.name, sender)
            await self._follow([(each, await self.router.classify(each.address), new) for each, new in following])

    async def _follow(self, waiting: list[tuple[Recipient, Target, Address | None]]) -> None:
        fresh: set[str] = set()
        while waiting:
            current, found, sender = waiting.pop()
            mark = found.recipient.key
            if mark in self.seen or len(self.seen) >= MAX_EXPANSION:
                self.ends += mark not in fresh
                if found.resolved.account is not None and found.resolved.account.id in self.mailboxes:
                    self._tell(current, End.MAILBOX)
                continue
            self.seen.add(mark)
            fresh.add(mark)
            for following, new_sender in await self._take(current, found, sender):
                behind = await self.router.classify(following.address)
                waiting.append((following, behind, self._leaving(found, behind, new_sender)))

    def _leaving(self, found: Target, behind: Target, sender: Address | None) -> Address | None:
        """An alias that leads elsewhere forwards, as an account does: SPF of the writer's domain does not know us."""
        aliased = found.found in (Found.ALIAS, Found.CATCH_ALL) and not behind.local
        if not aliased or sender is None or found.resolved.domain is None:
            return sender
        return self.router.rewritten(sender, found.resolved.domain.name)

    async def _take(
        self, recipient: Recipient, target: Target, sender: Address | None
    ) -> Sequence[tuple[Recipient, Address | None]]:
        """Notes one end, or returns the addresses that stand behind this one."""
        resolved = target.resolved
        if target.refusal is not None or target.found is None:
            self._lose(recipient, str(target.recipient), target.refusal or Refusal.UNKNOWN)
            return ()
        if target.found is Found.ACCOUNT and resolved.account is not None:
            return await self._account(recipient, resolved.account, sender)
        if target.found is Found.ALIAS and resolved.alias is not None:
            return self._behind(recipient, resolved.alias.targets, sender)
        if target.found in (Found.LIST, Found.LIST_LEAVE) and resolved.mailing_list is not None:
            way = Way.LIST if target.found is Found.LIST else Way.LEAVE
            name = str(Address(resolved.mailing_list.local, resolved.mailing_list.domain))
            self._own_row(Hop(way, name), recipient, sender)
            self._tell(recipient, End.LIST)
            return ()
        if target.leads_to is not None:
            return [(Recipient(target.leads_to, recipient.notify, recipient.original), sender)]
        if target.found is Found.CATCH_ALL and resolved.domain is not None:
            return self._behind(recipient, [resolved.domain.catch_all or ""], sender)
        if target.found in (Found.ROLE, Found.LIST_BOUNCES) and resolved.domain is not None:
            return await self._role(recipient, resolved.domain.name, sender)
        self._row(target.hop, recipient, sender)
        return ()

    async def _account(
        self, recipient: Recipient, account: Account, sender: Address | None
    ) -> Sequence[tuple[Recipient, Address | None]]:
        following: Sequence[tuple[Recipient, Address | None]] = ()
        kept_back = self.arrival.junk or self.arrival.rejected
        forward = None if kept_back else account.forward
        if forward is not None:
            rewritten = self.router.forwarded_sender(sender, account)
            following = self._behind(recipient, forward.targets, rewritten, kept=forward.keep)
        # A forward that leads nowhere must not lose what came.
        if forward is None or forward.keep or not following:
            mailbox = await self.router.mailbox_for(account, self.arrival)
            self._deliver(account, mailbox, recipient)
        answers = account.reply is not None and sender is not None
        if answers and not kept_back and not self.arrival.automatic:
            self._own_row(Hop(Way.REPLY, str(account.id)), recipient, sender)
        return following

    async def _role(
        self, recipient: Recipient, domain: str, sender: Address | None
    ) -> Sequence[tuple[Recipient, Address | None]]:
        """Whoever looks after the domain, else the server's postmaster."""
        chosen = await keeper(self.directory, domain)
        if chosen is not None:
            return await self._account(recipient, chosen, sender)
        elsewhere = await server_postmaster(self.directory, self.router.default_domain)
        if elsewhere is None:
            self._lose(recipient, domain, "nobody looks after this domain")
            return ()
        return self._behind(recipient, [str(elsewhere)], sender)

    def _deliver(self, account: Account, mailbox: int, recipient: Recipient) -> None:
        self.ends += 1
        copy = Delivery(mailbox_id=mailbox, recipient=str(recipient.address), check_quota=not self.unlimited)
        if account.id not in self.mailboxes or self.unlimited:
            self.mailboxes[account.id] = copy
        self._tell(recipient, End.MAILBOX)

    def _tell(self, recipient: Recipient, end: End) -> None:
        if "SUCCESS" in recipient.notify:
            self.reached.append(Reached(recipient, end))

    def _behind(
        self, recipient: Recipient, texts: Iterable[str], sender: Address | None, *, kept: bool = False
    ) -> list[tuple[Recipient, Address | None]]:
        """The same request to other addresses (RFC 3461 section 5.2.7: NOTIFY and ORCPT travel along).

        Success is told once: by the one address, for all of several, or by the mailbox that keeps a copy.
        """
        following: list[tuple[Recipient, Address | None]] = []
        for text in texts:
            address = lenient(text)
            if address is None:
                self._lose(recipient, text, "it is no address")
                continue
            original = recipient.original or xtext.original_recipient(recipient.address)
            following.append((Recipient(address, recipient.notify, original), sender))
        if "SUCCESS" not in recipient.notify or (len(following) == 1 and not kept):
            return following
        if following and not kept:
            self._tell(recipient, End.EXPANDED)
        less: frozenset[Notify] = (recipient.notify - {"SUCCESS"}) or frozenset({"NEVER"})
        return [(replace(each, notify=less), new_sender) for each, new_sender in following]

    def _lose(self, recipient: Recipient, text: str, why: str) -> None:
        asked = xtext.address_of(recipient.original or "") or str(recipient.address)
        self.lost.append(Lost(asked, text, why))

    def _row(self, hop: Hop | None, recipient: Recipient, sender: Address | None) -> None:
        if hop is None:
            self._lose(recipient, str(recipient.address), "there is no way to it")
            return
        if self.arrival.rejected:
            return
        self.ends += 1
        self.rows.setdefault((str(hop), _text(sender)), []).append(queued(recipient))

    def _own_row(self, hop: Hop, recipient: Recipient, sender: Address | None) -> None:
        if self.arrival.rejected:
            return
        self.ends += 1
        self.local_rows[str(hop)] = self._entry(str(hop), _text(sender), (queued(recipient),))

    def _entry(self, destination: str, sender: str, recipients: tuple[QueueRecipient, ...]) -> QueueEntry:
        arrival = self.arrival
        return QueueEntry(
            destination=destination,
            sender=sender,
            recipients=recipients,
            expires_at=arrival.expires_at,
            envelope_id=arrival.envelope_id,
            dsn_return=arrival.dsn_return,
            smtputf8=arrival.smtputf8,
            eight_bit=arrival.eight_bit,
            origin=arrival.origin if sender == _text(arrival.sender) else "forward",
        )

    def plan(self) -> Plan:
        """What was noted, as one value."""
        rows = [self._entry(hop, sender, tuple(recipients)) for (hop, sender), recipients in self.rows.items()]
        return Plan(
            deliveries=tuple(self.mailboxes.values()),
            queue=(*rows, *self.local_rows.values()),
            lost=tuple(self.lost),
            reached=tuple(self.reached),
        )


def _text(sender: Address | None) -> str:
    return "" if sender is None else str(sender)
