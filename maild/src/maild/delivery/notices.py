"""What the sender is told of an attempt: a bounce, a delay notice, a success report (RFC 3461, 3464, 6533).

Pure: an item, what became of its recipients and the original in, a message out. Nothing is told of null senders, and
only what NOTIFY asked for. Texts go through the translation that is passed in, in the sender's language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maild.delivery.next_hop import Reply
from maild.mail import dates, dsn, message_id, words, xtext
from maild.mail.address import Address, lenient
from maild.mail.header import value
from maild.store import QueueItem, RecipientRow

Translate = Callable[[str], str]
"""Gives a text in one language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one recipient."""

    row: RecipientRow
    action: dsn.Action
    reply: Reply
    remote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What every notice of this server has in common."""

    hostname: str
    translate: Translate
    language: str
    now: int
    random: bytes


def wanted(row: RecipientRow, action: dsn.Action) -> bool:
    """Whether NOTIFY asks for this (RFC 3461 section 4.1); without NOTIFY, failures and delays are told."""
    asked = {word.strip().upper() for word in row.notify.split(",")} if row.notify else {"FAILURE", "DELAY"}
    word = {"failed": "FAILURE", "delayed": "DELAY"}.get(action, "SUCCESS")
    return word in asked


def notice(item: QueueItem, told: Sequence[Told], original: bytes, retry_until: int, writer: Writer) -> bytes | None:
    """The message to the sender, None when nobody is to be told anything."""
    said = [each for each in told if wanted(each.row, each.action)]
    sender = lenient(item.sender)
    if not said or sender is None:
        return None
    _ = writer.translate
    failed = any(each.action == "failed" for each in said)
    delayed = any(each.action == "delayed" for each in said)
    title = words.decode(value(original, "Subject") or b"")
    if failed:
        subject = _("Your message could not be delivered")
    elif delayed:
        subject = _("Your message has not been delivered yet")
    else:
        subject = _("Your message was delivered")
    text = "\n".join([*_fates(said, _), *_closing(item, title, retry_until if delayed else 0, writer)])
    reference = value(original, "Message-ID") or b""
    report = dsn.Report(
        to=sender,
        sender_name=_("Mail delivery"),
        host=writer.hostname,
        subject=subject + (f": {title[:100]}" if title else ""),
        text=text,
        message_id=message_id.make(dates.moment(writer.now), writer.random, writer.hostname),
        when=dates.moment(writer.now),
        arrived=dates.moment(item.created_at),
        envelope_id=xtext.decode(item.envelope_id),
        recipients=tuple(_status(each, writer, retry_until) for each in said),
        original=original,
        headers_only=item.dsn_return == "HDRS" or not failed,
        language=writer.language,
        references=reference,
    )
    return dsn.build(report, boundary=f"=_report_{writer.random.hex()}")


_GREETING = "This is the mail server."
_FAILED = (
    "The message below could not be delivered to one or more of its recipients. It will not be tried again for them."
)
_DELAYED = (
    "The message below has not reached one or more of its recipients yet. "
    "The server keeps trying; you need not send it again."
)
_DELIVERED = "The message below was handed over as you asked to be told."
_HANDED_OVER: frozenset[dsn.Action] = frozenset({"delivered", "relayed", "expanded"})


def _fates(said: Sequence[Told], translate: Translate) -> list[str]:
    """The recipients under what became of them, the worst first: one attempt may fail for some and put off others."""
    lines, greeting = [], translate(_GREETING) + " "
    for opening, actions in ((_FAILED, {"failed"}), (_DELAYED, {"delayed"}), (_DELIVERED, _HANDED_OVER)):
        those = [_line(each, translate) for each in said if each.action in actions]
        if those:
            lines += [greeting + translate(opening), "", *those, ""]
            greeting = ""
    return lines


def _line(told: Told, translate: Translate) -> str:
    address = lenient(told.row.address)
    shown = told.row.address if address is None else address.unicode
    answer = f"{told.reply}"
    if told.remote:
        return translate("{recipient}\n    {host} said: {reply}").format(
            recipient=shown, host=told.remote, reply=answer
        )
    return f"{shown}\n    {answer}"


def _closing(item: QueueItem, title: str, retry_until: int, writer: Writer) -> list[str]:
    _ = writer.translate
    lines = [_("Subject: {subject}").format(subject=title)] if title else []
    lines.append(_("Received here: {date}").format(date=dates.write(dates.moment(item.created_at))))
    if retry_until > writer.now:
        until = dates.write(dates.moment(retry_until))
        lines.append(_("The server goes on trying until {date}.").format(date=until))
    return lines


def _status(told: Told, writer: Writer, retry_until: int) -> dsn.RecipientStatus:
    code = {"failed": "5.0.0", "delayed": "4.0.0"}.get(told.action, "2.0.0")
    enhanced = told.reply.enhanced
    if enhanced.startswith(code[0]):
        code = enhanced
    elif enhanced and told.action == "failed":  # a temporary fault that lasted too long (RFC 3463: class 5)
        code = f"5{enhanced[1:]}"
    return dsn.RecipientStatus(
        recipient=Address.parse(told.row.address),
        action=told.action,
        status=code,
        original=xtext.generic(told.row.original),
        remote=told.remote,
        diagnostic=str(told.reply),
        last_attempt=dates.moment(writer.now),
        will_retry_until=dates.moment(retry_until) if told.action == "delayed" else None,
    )
