"""MAIL and RCPT: who may send from whom to whom, decided per command, before a byte of the message is read.

Refusals are ``Refused``; what the store cannot say at the moment is a ``StoreError``, which the dialogue answers with a
4xx.
"""

from __future__ import annotations

from maild.delivery.lists import may_post
from maild.delivery.roles import ignores_quota, is_role
from maild.delivery.routing import Arrival, Found, Target
from maild.mail.address import Address, AddressError
from maild.mail.envelope import Recipient
from maild.policy import Verdict, decide
from maild.smtp import grammar, notice
from maild.smtp.context import Context
from maild.smtp.deadline import Deadline
from maild.smtp.grammar import Refused
from maild.smtp.reception import DEAD_END, TOO_LARGE, TOO_OFTEN, is_local, is_trusted
from maild.smtp.transaction import Client, Transaction
from maild.store import Account


async def begin(context: Context, client: Client, argument: str) -> Transaction:
    """The transaction that MAIL opens."""
    mail = grammar.mail_from(argument)
    if mail.size > context.limits.message_bytes:
        raise Refused(TOO_LARGE.format(limit=context.limits.message_bytes))
    if mail.sender is None:
        return Transaction(mail, sender_local=client.user is not None)
    if client.user is not None and not client.user.own.holds(mail.sender):
        raise Refused("553 5.7.1 This sender address is not yours")
    return Transaction(mail, sender_local=await is_local(context, mail.sender.domain))


async def add_recipient(context: Context, client: Client, transaction: Transaction, argument: str) -> None:
    """Takes the recipient that RCPT names, or refuses it."""
    if len(transaction.recipients) >= context.limits.recipients:
        raise Refused("452 4.5.3 Too many recipients")
    asked = grammar.rcpt_to(argument, smtputf8=transaction.mail.smtputf8)
    address = asked.address
    if address is None or _is_own_postmaster(context, client, address):
        address = await _postmaster(context)
    target = await Deadline().of(_target(context, client, transaction, address))
    # Who is refused must be able to ask why (RFC 5321 section 4.5.1).
    checked = client.user is None and not is_trusted(client) and not (target.local and is_role(address))
    if context.screen is not None and checked:
        refusal = await context.screen(peer=client.peer, helo=client.helo, sender=transaction.sender, recipient=address)
        if refusal is not None:
            raise Refused(refusal)
    transaction.recipients.append((Recipient(address, asked.notify, asked.original), target))


async def _target(context: Context, client: Client, transaction: Transaction, address: Address) -> Target:
    """What an address leads to, unless this client may not send this there."""
    target = await context.router.classify(address)
    _decide(context, client, transaction, target)
    if target.refusal is not None:
        raise Refused(target.refusal.value)
    await _refuse_special(context, client, transaction, target)
    if client.user is not None:
        await _refuse_rate(context, client.user.account, transaction)
    await _refuse_full(context, transaction, target)
    await _refuse_dead_end(context, transaction, Recipient(address), target)
    return target


def _is_own_postmaster(context: Context, client: Client, address: Address) -> bool:
    """Whether this is ``postmaster`` at an address of this server: other servers know no better name to write to."""
    host = address.literal
    ours = host is not None and (host == client.reached or host in context.addresses)
    return ours and address.local.casefold() == "postmaster"


async def _postmaster(context: Context) -> Address:
    """``<postmaster>`` without a domain name is the one of this server (RFC 5321 section 4.5.1)."""
    names = [context.default_domain] if context.default_domain else []
    names += [each.name for each in await context.store.directory.domains() if each.active]
    try:
        return Address.of("postmaster", names[0] if names else context.hostname)
    except AddressError:
        raise Refused("550 5.1.1 There is no such mailbox here") from None


def _decide(context: Context, client: Client, transaction: Transaction, target: Target) -> None:
    verdict = decide(
        client.range_,
        authenticated=client.user is not None,
        sender_local=transaction.sender_local,
        recipient_local=target.local,
        verifying=context.verifier is not None,
    )
    if verdict is Verdict.IF_AUTHENTIC:
        transaction.must_be_authentic = True
    elif verdict is not Verdict.ALLOW:
        raise Refused(verdict.value)


async def _refuse_special(context: Context, client: Client, transaction: Transaction, target: Target) -> None:
    """Addresses that are ours and yet not open to everyone."""
    if target.found is Found.REWRITTEN and transaction.sender is not None:
        # Else anyone who has seen such an address could send through us to whom it leads.
        raise Refused("550 5.7.1 This address takes bounces alone")
    members = target.resolved.mailing_list if target.found is Found.LIST else None
    spellings = await _spellings(context, transaction.sender) if members is not None else ()
    if members is not None and not may_post(members, spellings, authenticated=client.user is not None):
        raise Refused("550 5.7.1 You may not write to this list")


async def _spellings(context: Context, sender: Address | None) -> list[Address]:
    """The sender's address in its domain and in all that mean the same; a list may name it in any of them."""
    if sender is None:
        return []
    domain = (await context.store.directory.resolve(sender.local, sender.domain)).domain
    if domain is None:
        return [sender]
    others = [each.name for each in await context.store.directory.alias_domains() if each.domain == domain.name]
    return [Address(sender.local, name) for name in (domain.name, *others)]


async def _refuse_dead_end(context: Context, transaction: Transaction, recipient: Recipient, target: Target) -> None:
    """An alias to nobody is said here: at the end of the data it would be lost beside recipients who get theirs."""
    if target.found not in (Found.ALIAS, Found.CATCH_ALL):
        return
    if not await context.router.reaches(recipient, target, Arrival(sender=transaction.sender)):
        raise Refused(DEAD_END)


async def _refuse_rate(context: Context, account: Account, transaction: Transaction) -> None:
    """Said early, so that a client need not send what will not be taken; it is counted at the end of the data."""
    if transaction.sent_before is None:
        transaction.sent_before = await context.rates.sent(account.id)
    bound = context.rates.exceeded(transaction.sent_before, account.id, len(transaction.recipients) + 1)
    if bound is not None:
        await notice.of_rate(context, account, bound)
        raise Refused(TOO_OFTEN.format(bound=bound))


async def _refuse_full(context: Context, transaction: Transaction, target: Target) -> None:
    """Over quota is said at RCPT, where it concerns one recipient alone."""
    domain, account = target.resolved.domain, target.resolved.account
    if domain is not None and 0 < domain.message_bytes < transaction.mail.size:
        raise Refused(TOO_LARGE.format(limit=domain.message_bytes))
    passes_on = account is not None and account.forward is not None and not account.forward.keep
    if account is None or not account.quota_bytes or passes_on:
        return
    if not ignores_quota(target.recipient, transaction.sender):
        used, _ = await context.store.directory.usage(account.id)
        if used + max(transaction.mail.size, 1) > account.quota_bytes:
            raise Refused("552 5.2.2 The mailbox is full")
