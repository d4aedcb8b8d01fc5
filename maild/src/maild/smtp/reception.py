"""The end of DATA: a whole message is checked, completed, routed and given to the store; the answer is its reply.

250 is answered only after the store has committed. Whatever is refused is refused here, in the session, never by a
bounce later. Temporary trouble is a 4xx, so the client tries again.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from functools import lru_cache

from maild.delivery.routing import Arrival, Plan
from maild.log import Log
from maild.mail import header, mailboxes, return_path
from maild.mail.address import Address
from maild.mail.header import Field
from maild.policy import foreign_author
from maild.smtp import notice, submission, success, trace
from maild.smtp.body import Body
from maild.smtp.context import Context, Verified
from maild.smtp.deadline import Deadline
from maild.smtp.grammar import Refused
from maild.smtp.message import Message
from maild.smtp.spool import Spool
from maild.smtp.transaction import Client, Transaction
from maild.store import (
    Account,
    BudgetExhausted,
    Incoming,
    MailboxGone,
    OverQuota,
    StoreError,
    StoreFull,
    StoreUnavailable,
    new_id,
)

AUTOMATIC_FIELDS = frozenset({b"auto-submitted", b"list-id", b"list-unsubscribe", b"precedence"})
"""Fields of mail that is never answered automatically (RFC 3834 section 2)."""

DEAD_END = "550 5.1.1 There is no mailbox behind this address"
BARE = "550 5.6.0 The message holds a bare CR or LF; lines end with CRLF"
NUL = "550 5.6.0 The message holds a NUL"
TOO_LARGE = "552 5.3.4 The message is larger than {limit} bytes"
TOO_OFTEN = "452 4.7.1 You may send {bound}; please try again later"
TOO_MUCH = "452 4.3.1 Too much mail is arriving at once, please try again later"
UNAVAILABLE = "451 4.3.0 The mail store is not available at the moment, please try again later"


@dataclass(frozen=True, slots=True)
class _Examined:
    """A message as it will be stored, but for what routing adds."""

    message: Message
    fields: dict[bytes, list[Field]]
    """Of its header as it came, by their names in lower case."""
    identifier: bytes
    when: dt.datetime
    verified: Verified
    prefix: bytes = b""
    """Fields that a submission lacked."""


def spool(context: Context, client: Client, transaction: Transaction) -> Spool:
    """Where the message of a transaction goes while it comes; a stranger's passes the checks."""
    check = None
    if context.verifier is not None and client.user is None and not is_trusted(client):
        check = context.verifier(peer=client.peer, helo=client.helo, sender=transaction.sender)
    return Spool(context.store, context.limits.header_bytes, check)


async def receive(context: Context, client: Client, transaction: Transaction, body: Body, spooled: Spool) -> str:
    """Takes responsibility for a message and returns the reply, or refuses it."""
    started = time.monotonic()
    try:
        if spooled.failure is not None:
            raise spooled.failure
        number = await _take(context, client, transaction, body, spooled)
    except Refused as refused:
        context.log.application(
            f"SMTPD - Message from <{transaction.sender or ''}> refused: {refused.reply}. Session Id: {client.session}",
            session=client.session,
            address=client.peer.text,
        )
        return refused.reply
    except StoreError as error:
        return _reply_of(error, context.log, client)
    return f"250 2.0.0 Queued as {number} ({time.monotonic() - started:.3f} seconds)"


async def _take(context: Context, client: Client, transaction: Transaction, body: Body, spooled: Spool) -> str:
    examined = await _examine(context, client, transaction, body, spooled)
    plan = await Deadline().of(_keep(context, client, transaction, examined))
    if plan.queue:
        context.queued()
    if examined.verified.refusal is not None:
        raise Refused(examined.verified.refusal)
    if plan.reached:
        await _tell_of_success(context, client, transaction, plan, examined.identifier, examined.message)
    return examined.identifier.hex()


async def _examine(context: Context, client: Client, transaction: Transaction, body: Body, spooled: Spool) -> _Examined:
    """Everything about the message itself: its form, whose it may be, who has signed it."""
    _refuse_malformed(body, transaction)
    message = await spooled.message(body)
    fields = _by_name(message.head)
    _refuse_header(context, message, fields)
    identifier = new_id() if message.staged is None else message.staged.id
    when = context.now()
    if client.user is None:
        verified = await _verify(spooled, message)
        message = message if verified.head is None else message.with_head(verified.head)
        return _Examined(message, fields, identifier, when, verified)
    problem = foreign_author(message.head, client.user.own)
    if problem:
        raise Refused(f"550 5.7.1 {problem[0].upper()}{problem[1:]}")
    head, prefix = submission.completed(message.head, fields.keys(), when, identifier[6:], context.hostname)
    return _Examined(message.with_head(head), fields, identifier, when, Verified(), prefix)


async def _keep(context: Context, client: Client, transaction: Transaction, examined: _Examined) -> Plan:
    """Routes the message and hands it to the store: all that the answer may have to wait for of a database."""
    message, fields, verified = examined.message, examined.fields, examined.verified
    if client.user is None:
        await _refuse_pretender(context, client, transaction, fields, verified)
    arrival = _arrival(context, client, transaction, fields, verified)
    plan = await context.router.plan(transaction.recipients, arrival)
    _refuse_lost(plan, verified)
    if client.user is not None:
        await _count(context, client.user.account, len(transaction.recipients))
    hop = trace.Hop(
        helo=client.helo,
        peer=client.peer,
        host=context.hostname,
        extended=client.extended,
        tls=client.tls,
        authenticated=client.user is not None,
        smtputf8=transaction.mail.smtputf8,
    )
    number = examined.identifier.hex()
    received = trace.received(hop, number, transaction.only_recipient, examined.when)
    traced = verified.fields + received + examined.prefix
    if plan.deliveries:
        traced = return_path.field(transaction.sender) + traced
        if b"return-path" in fields:
            message = message.with_head(header.without(message.head, ("Return-Path",)))
    accepted = (await context.store.accept(_incoming(examined.identifier, traced, plan, message))).size
    verified.settled(bool(plan.deliveries) and verified.refusal is None and not verified.junk)
    _note(context, client, transaction, number, accepted)
    return plan


def _refuse_malformed(body: Body, transaction: Transaction) -> None:
    if body.bare:
        raise Refused(BARE)
    if body.nul:
        raise Refused(NUL)
    for _, target in transaction.recipients:
        domain = target.resolved.domain
        if domain is not None and 0 < domain.message_bytes < body.size:
            raise Refused(TOO_LARGE.format(limit=domain.message_bytes))


def _by_name(head: bytes) -> dict[bytes, list[Field]]:
    """The fields of a header by their names in lower case."""
    found: dict[bytes, list[Field]] = {}
    for field in header.fields(head):
        found.setdefault(field.key, []).append(field)
    return found


def _refuse_header(context: Context, message: Message, fields: dict[bytes, list[Field]]) -> None:
    if len(message.head) > context.limits.header_bytes:
        raise Refused(f"552 5.3.4 The header is larger than {context.limits.header_bytes} bytes")
    if len(fields.get(b"received", ())) > context.limits.hops:
        raise Refused("554 5.4.6 This message has been through too many servers")
    if len(fields.get(b"from", ())) > 1:
        raise Refused("550 5.6.0 The message has more than one From field")


async def _verify(spooled: Spool, message: Message) -> Verified:
    if spooled.check is None:
        return Verified()
    found = await spooled.check.finish(message.head)
    if found.refusal is not None and not found.kept:
        found.settled(False)
        raise Refused(found.refusal)
    return found


async def _refuse_pretender(
    context: Context, client: Client, transaction: Transaction, fields: dict[bytes, list[Field]], verified: Verified
) -> None:
    """From outside, nobody is one of us unless its range may say so or DMARC has shown it."""
    if is_trusted(client) or verified.authentic:
        return
    if transaction.must_be_authentic:
        raise Refused("550 5.7.1 This sender is local here: log in to send as it")
    for author in fields.get(b"from", ()):
        for address in _addresses(author.value):
            if address is not None and await is_local(context, address.domain):
                raise Refused("550 5.7.1 The From field names a local address: log in to send as it")


def _addresses(value: bytes) -> tuple[Address | None, ...]:
    """The addresses of a From field; short ones are remembered, as most mail comes from who has written before."""
    return _remembered(value) if len(value) <= 200 else tuple(mailboxes.addresses([value]))


@lru_cache(maxsize=4096)
def _remembered(value: bytes) -> tuple[Address | None, ...]:
    return tuple(mailboxes.addresses([value]))


def is_trusted(client: Client) -> bool:
    """Whether the client's range speaks for us: an application's server, which SPF knows nothing of."""
    return client.range_ is not None and client.range_.allow_local_sender


async def is_local(context: Context, domain: str) -> bool:
    """Whether a domain is one of ours."""
    resolved = await context.store.directory.resolve("postmaster", domain)
    return resolved.domain is not None


def _arrival(
    context: Context, client: Client, transaction: Transaction, fields: dict[bytes, list[Field]], verified: Verified
) -> Arrival:
    mail = transaction.mail
    telling = [field for name in AUTOMATIC_FIELDS & fields.keys() for field in fields[name]]
    automatic = any(field.value.lower() != b"no" for field in telling)
    return Arrival(
        sender=mail.sender,
        origin=client.user.account.address if client.user else "",
        expires_at=int((time.time() + context.lifetime_hours * 3600) * 1_000_000),
        smtputf8=mail.smtputf8,
        eight_bit=mail.body == "8BITMIME",
        envelope_id=mail.envelope_id or "",
        dsn_return=mail.returns or "",
        junk=verified.junk,
        rejected=verified.kept,
        automatic=automatic or mail.sender is None,
    )


def _refuse_lost(plan: Plan, verified: Verified) -> None:
    """Nothing is taken that reaches nobody; what the checks refused says so, whether or not anybody keeps a copy."""
    if plan.deliveries or plan.queue:
        return
    verified.settled(False)
    raise Refused(verified.refusal or DEAD_END)


async def _count(context: Context, account: Account, recipients: int) -> None:
    """Counts a user's message; the bound holds whatever other sessions and daemons take at the same moment."""
    bound = await context.rates.charge(account.id, recipients)
    if bound is not None:
        await notice.of_rate(context, account, bound)
        raise Refused(TOO_OFTEN.format(bound=bound))


def _incoming(identifier: bytes, traced: bytes, plan: Plan, message: Message) -> Incoming:
    """What the store is given: a small message whole, a large one as it was staged, behind its header."""
    staged = message.staged
    return Incoming(
        id=identifier,
        prefix=traced if staged is None else traced + message.head,
        body=message.whole() if staged is None else staged,
        deliveries=plan.deliveries,
        queue=plan.queue,
        counted=staged is None,
    )


async def _tell_of_success(
    context: Context, client: Client, transaction: Transaction, plan: Plan, identifier: bytes, message: Message
) -> None:
    """The message is taken whatever becomes of its report."""
    try:
        await success.report(context, transaction, plan.reached, identifier, message)
    except StoreError as error:
        context.log.fault("a success report was not made", error, session=client.session)


def _note(context: Context, client: Client, transaction: Transaction, number: str, size: int) -> None:
    addresses = [str(recipient.address) for recipient, _ in transaction.recipients]
    context.log.application(
        f"SMTPD - Message {number}: from <{transaction.sender or ''}> to <{'>, <'.join(addresses[:20])}>, "
        f"{size} bytes, accepted. Session Id: {client.session}",
        session=client.session,
        address=client.peer.text,
        message=number,
        size=size,
    )


def _reply_of(error: StoreError, log: Log, client: Client) -> str:
    """The reply for what the store said: temporary unless the mailbox itself is the reason."""
    if isinstance(error, OverQuota):
        return "552 5.2.2 The mailbox is full"
    if isinstance(error, BudgetExhausted):
        return TOO_MUCH
    if isinstance(error, MailboxGone):
        return "451 4.2.1 The mailbox has just been removed, please try again"
    if not isinstance(error, StoreUnavailable):
        log.fault("a message could not be stored", error, session=client.session, address=client.peer.text)
    return "452 4.3.1 Insufficient system storage" if isinstance(error, StoreFull) else UNAVAILABLE
