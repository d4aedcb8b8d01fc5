"""Delivery status notifications: built for our own bounces and read from others' (RFC 3464, RFC 6533).

``build`` makes a whole message from facts and ready text; which recipients failed and in which language people are
told is the caller's. ``read`` finds the per-recipient fields of a report, for suppression and for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from maild.mail import dates, header, media, structure, words, xtext
from maild.mail.address import Address

MAX_RETURNED = 64 * 1024
"""Octets of the original that a bounce carries in full; of a larger one its header is returned."""
MAX_RECIPIENTS = 1000
"""Recipients of one report that are read."""

_WHITE = re.compile(r"[\x00-\x20\x7f]+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStatus:
    """What became of one recipient. ``diagnostic`` is the remote server's reply, ``remote`` its name."""

    recipient: Address
    action: Action
    status: str
    original: str = ""
    remote: str = ""
    diagnostic: str = ""
    last_attempt: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A notification to build. ``text`` is what people read, ``original`` the message or what is left of it."""

    to: Address
    sender_name: str
    host: str
    subject: str
    text: str
    message_id: str
    when: datetime
    arrived: datetime | None = None
    envelope_id: str = ""
    recipients: tuple[RecipientStatus, ...]
    original: bytes
    headers_only: bool = False
    language: str = ""
    references: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """One recipient of a report that was read; texts as they stood there."""

    recipient: str
    original: str
    action: str
    status: str
    diagnostic: str


def build(report: Report, boundary: str) -> bytes:
    """The notification as a message to be sent from the null sender."""
    wide = any(not part.isascii() for part in _machine_texts(report)) or not report.original.isascii()
    head = b"".join(
        [
            header.field("From", f"{words.encode(report.sender_name)} <postmaster@{report.host}>", raw=True),
            b"To: <%b>\r\n" % str(report.to).encode(),
            header.field("Subject", report.subject),
            header.field("Date", dates.write(report.when)),
            b"Message-ID: %b\r\n" % report.message_id.encode(),
            b"In-Reply-To: %b\r\nReferences: %b\r\n" % (report.references, report.references)
            if report.references
            else b"",
            b"Auto-Submitted: auto-replied\r\n",
            b"MIME-Version: 1.0\r\n",
            b'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="%b"\r\n' % boundary.encode(),
            b"Content-Transfer-Encoding: 8bit\r\n" if wide or not report.text.isascii() else b"",
        ]
    )
    parts = [_text_part(report), _status_part(report), _returned_part(report)]
    mark = b"--" + boundary.encode()
    return head + b"\r\n" + b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def read(message: bytes) -> tuple[ReadStatus, ...]:
    """The recipients of a delivery report, empty for any other message."""
    for part in structure.scan(message).parts[1:]:
        kind = next(
            (media.parse(field.value, b"text/plain")
             for field in header.fields(message, part.start, part.body) if field.key == b"content-type"),
            media.PLAIN,
        )  # fmt: skip
        if (kind.type, kind.subtype) in {(b"message", b"delivery-status"), (b"message", b"global-delivery-status")}:
            return tuple(_statuses(message[part.body : part.end]))
    return ()


def _statuses(body: bytes) -> list[ReadStatus]:
    found: list[ReadStatus] = []
    for block in re.split(rb"\r?\n\r?\n", body)[: MAX_RECIPIENTS + 1]:
        fields = {field.key: field.text for field in header.fields(block + b"\r\n")}
        if b"final-recipient" in fields:
            found.append(
                ReadStatus(
                    recipient=_typed(fields[b"final-recipient"]),
                    original=_typed(fields.get(b"original-recipient", "")),
                    action=fields.get(b"action", "").split("(")[0].strip().lower(),
                    status=(_STATUS.search(fields.get(b"status", "")) or [""])[0],
                    diagnostic=_typed(fields.get(b"diagnostic-code", "")),
                )
            )
    return found


def _typed(value: str) -> str:
    """The value behind ``rfc822;``, ``utf-8;`` or ``smtp;``; RFC 6533's escapes of a utf-8 address are undone."""
    kind, found, rest = value.partition(";")
    if not found:
        return value.strip()
    return xtext.decode_utf8(rest.strip()) if kind.strip().lower() == "utf-8" else rest.strip()


def _machine_texts(report: Report) -> list[str]:
    return [text for one in report.recipients for text in (str(one.recipient), one.original, one.diagnostic)]


def _text_part(report: Report) -> bytes:
    text = "\r\n".join(report.text.splitlines()) + "\r\n"
    language = f"Content-Language: {report.language}\r\n" if report.language else ""
    encoding = "7bit" if text.isascii() else "8bit"
    fields = f"Content-Type: text/plain; charset=utf-8\r\n{language}Content-Transfer-Encoding: {encoding}\r\n\r\n"
    return (fields + text).encode("utf-8", "replace")


def _status_part(report: Report) -> bytes:
    wide = any(not text.isascii() for text in _machine_texts(report))
    kind = "global-delivery-status" if wide else "delivery-status"
    lines = [f"Reporting-MTA: dns; {report.host}"]
    if report.envelope_id:
        lines.append(f"Original-Envelope-Id: {_one_line(report.envelope_id)}")
    if report.arrived:
        lines.append(f"Arrival-Date: {dates.write(report.arrived)}")
    for one in report.recipients:
        lines += ["", *_recipient_lines(one)]
    text = f"Content-Type: message/{kind}\r\n" + ("Content-Transfer-Encoding: 8bit\r\n" if wide else "") + "\r\n"
    return (text + "\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def _recipient_lines(one: RecipientStatus) -> list[str]:
    kind = "utf-8" if one.recipient.needs_smtputf8 else "rfc822"
    optional = [
        ("Original-Recipient", _one_line(one.original)),
        ("Final-Recipient", f"{kind}; {one.recipient}"),
        ("Action", one.action),
        ("Status", one.status),
        ("Remote-MTA", f"dns; {_one_line(one.remote)}" if one.remote else ""),
        ("Diagnostic-Code", f"smtp; {_one_line(one.diagnostic)}" if one.diagnostic else ""),
        ("Last-Attempt-Date", dates.write(one.last_attempt) if one.last_attempt else ""),
        ("Will-Retry-Until", dates.write(one.will_retry_until) if one.will_retry_until else ""),
    ]
    return [f"{name}: {value}" for name, value in optional if value]


def _one_line(text: str) -> str:
    return _WHITE.sub(" ", text).strip()


def _returned_part(report: Report) -> bytes:
    whole = not report.headers_only and len(report.original) <= MAX_RETURNED
    cut = report.original if whole else report.original[: header.body_start(report.original)][:MAX_RETURNED]
    wide = not cut[: header.body_start(cut)].isascii()
    kind = ("global" if wide else "rfc822") if whole else ("global-headers" if wide else "rfc822-headers")
    prefix = "message" if whole or wide else "text"
    encoding = b"" if cut.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return b"Content-Type: %b/%b\r\n%b\r\n%b" % (prefix.encode(), kind.encode(), encoding, cut)
