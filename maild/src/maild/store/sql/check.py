"""Looking for contradictions between rows, as functions of an open transaction; nothing is changed.

Every count is compared inside one transaction that locks the mailbox, so that traffic meanwhile is no finding.
"""

from __future__ import annotations

from sqlalchemy import Integer, and_, bindparam, case, cast, exists, func, select

from maild.store.engine.base import Transaction, keyed_rows, number
from maild.store.errors import Corrupt, NotFound
from maild.store.interface import Finding
from maild.store.records.mail import DELETED, SEEN
from maild.store.sql import bodies, mailboxes
from maild.store.sql.schema import (
    ACCOUNT,
    BLOB,
    BLOB_CHUNK,
    DESTINATION,
    DOMAIN,
    MAILBOX,
    MESSAGE,
    QUEUE_ITEM,
    QUEUE_RECIPIENT,
)
from maild.store.sql.statement import Keyed, Statement

QUEUE_ITEM_AT, MAILBOX_AT, BODY_AT = "queue item {id}", "mailbox {id}", "body {id}"
NAMED_MAILBOX_AT, MESSAGE_AT = "mailbox {id} ({name})", "mailbox {id}, UID {uid}"
NO_BODY = "its body {body} is not there"
COUNTER = "{counter} is {kept}, its messages make {counted}"
MODSEQ = "HIGHESTMODSEQ is {highest}, a message has {modseq}"

_MAILBOX_IDS = Statement(select(MAILBOX.c.id).order_by(MAILBOX.c.id))
_COUNTS = Statement(
    select(
        func.count(),
        func.sum(case((MESSAGE.c.flags.op("&")(SEEN) == 0, 1), else_=0)),
        func.sum(case((MESSAGE.c.flags.op("&")(DELETED) != 0, 1), else_=0)),
        func.sum(MESSAGE.c.size),
        func.max(MESSAGE.c.uid),
        func.max(MESSAGE.c.modseq),
    ).where(MESSAGE.c.mailbox_id == bindparam("id"))
)
_BODIES_OF = Statement(
    select(MESSAGE.c.uid, MESSAGE.c.blob_id, MESSAGE.c.size, BLOB.c.size)
    .outerjoin(BLOB, and_(BLOB.c.id == MESSAGE.c.blob_id, BLOB.c.complete == 1))
    .where(MESSAGE.c.mailbox_id == bindparam("id"), MESSAGE.c.uid > bindparam("after"))
    .order_by(MESSAGE.c.uid)
    .limit(bindparam("limit"))
)
_QUEUED_WITHOUT_BODY = Statement(
    select(QUEUE_ITEM.c.id, QUEUE_ITEM.c.blob_id).where(
        ~exists().where(BLOB.c.id == QUEUE_ITEM.c.blob_id, BLOB.c.complete == 1)
    )
)
_WITHOUT_DESTINATION = Statement(
    select(QUEUE_ITEM.c.id, QUEUE_ITEM.c.destination).where(
        ~exists().where(DESTINATION.c.name == QUEUE_ITEM.c.destination)
    )
)
_WITHOUT_RECIPIENT = Statement(
    select(QUEUE_ITEM.c.id).where(~exists().where(QUEUE_RECIPIENT.c.item_id == QUEUE_ITEM.c.id))
)
_HOMELESS_MESSAGES = Statement(
    select(MESSAGE.c.mailbox_id, func.count())
    .where(~exists().where(MAILBOX.c.id == MESSAGE.c.mailbox_id))
    .group_by(MESSAGE.c.mailbox_id)
)
_HOMELESS_MAILBOXES = Statement(select(MAILBOX.c.id).where(~exists().where(ACCOUNT.c.id == MAILBOX.c.account_id)))
_HOMELESS_ACCOUNTS = Statement(select(ACCOUNT.c.id).where(~exists().where(DOMAIN.c.id == ACCOUNT.c.domain_id)))
_SIZES = Statement(
    select(BLOB.c.id, BLOB.c.size, cast(func.sum(BLOB_CHUNK.c.size), Integer))
    .outerjoin(BLOB_CHUNK, BLOB_CHUNK.c.blob_id == BLOB.c.id)
    .where(BLOB.c.complete == 1, BLOB.c.id > bindparam("after"))
    .group_by(BLOB.c.id, BLOB.c.size)
    .order_by(BLOB.c.id)
    .limit(bindparam("limit"))
)
_CHUNKS_AFTER = Statement(
    select(BLOB_CHUNK.c.blob_id)
    .distinct()
    .where(BLOB_CHUNK.c.blob_id > bindparam("after"))
    .order_by(BLOB_CHUNK.c.blob_id)
    .limit(bindparam("limit"))
)
_EXISTING = Keyed(lambda keys: select(BLOB.c.id).where(BLOB.c.id.in_(keys)))


def mailbox_ids(tx: Transaction) -> list[int]:
    """Every mailbox."""
    return [row[0] for row in tx.rows(_MAILBOX_IDS)]


def mailbox(tx: Transaction, mailbox_id: int) -> list[Finding]:
    """Whether a mailbox's counters are those of its messages."""
    locked = mailboxes.lock(tx, [mailbox_id])
    if not locked:
        return []
    box = locked[mailbox_id]
    count, unseen, deleted, size, uid, modseq = [number(value) for value in tx.rows(_COUNTS, {"id": mailbox_id})[0]]
    where: dict[str, object] = {"id": mailbox_id, "name": box.name}
    findings = [
        _found("counter", NAMED_MAILBOX_AT, COUNTER, **where, counter=name, kept=kept, counted=counted)
        for name, kept, counted in (
            ("messages", box.messages, count),
            ("unseen", box.unseen, unseen),
            ("deleted", box.deleted, deleted),
            ("size", box.size, size),
        )
        if kept != counted
    ]
    if uid >= box.uidnext:
        findings.append(
            _found(
                "uidnext", NAMED_MAILBOX_AT, "UIDNEXT is {next}, UID {uid} is there", **where, next=box.uidnext, uid=uid
            )
        )
    if modseq > box.highestmodseq:
        findings.append(_found("modseq", NAMED_MAILBOX_AT, MODSEQ, **where, highest=box.highestmodseq, modseq=modseq))
    return findings


def messages(tx: Transaction, mailbox_id: int, after: int, limit: int) -> tuple[int, list[Finding]]:
    """Whether messages behind a UID have their bodies; returns the last one looked at, 0 when there is none."""
    findings = []
    last = 0
    for last, blob_id, size, whole in tx.rows(_BODIES_OF, {"id": mailbox_id, "after": after, "limit": limit}):
        where: dict[str, object] = {"id": mailbox_id, "uid": last}
        if whole is None:
            findings.append(_found("body", MESSAGE_AT, NO_BODY, **where, body=bytes(blob_id).hex()))
        elif whole != size:
            findings.append(
                _found("size", MESSAGE_AT, "its size is {size}, its body has {has}", **where, size=size, has=whole)
            )
    return last, findings


def references(tx: Transaction) -> list[Finding]:
    """Rows that refer to others that are not there."""
    findings = [
        _found("body", QUEUE_ITEM_AT, NO_BODY, id=id_, body=bytes(blob).hex())
        for id_, blob in tx.rows(_QUEUED_WITHOUT_BODY)
    ]
    findings += [
        _found("destination", QUEUE_ITEM_AT, "{destination} has no row: it is never sent", id=id_, destination=name)
        for id_, name in tx.rows(_WITHOUT_DESTINATION)
    ]
    findings += [
        _found("recipients", QUEUE_ITEM_AT, "it has no recipients", id=row[0]) for row in tx.rows(_WITHOUT_RECIPIENT)
    ]
    findings += [
        _found("messages", MAILBOX_AT, "{count} messages are in a mailbox that is not there", id=box, count=count)
        for box, count in tx.rows(_HOMELESS_MESSAGES)
    ]
    findings += [
        _found("mailbox", MAILBOX_AT, "its account is not there", id=row[0]) for row in tx.rows(_HOMELESS_MAILBOXES)
    ]
    findings += [
        _found("account", "account {id}", "its domain is not there", id=row[0]) for row in tx.rows(_HOMELESS_ACCOUNTS)
    ]
    return findings


def sizes(tx: Transaction, after: bytes, limit: int) -> tuple[list[bytes], list[Finding]]:
    """Whether bodies have all their chunks; returns the bodies looked at, by rising id."""
    rows = tx.rows(_SIZES, {"after": after, "limit": limit})
    findings = [
        _found("chunks", BODY_AT, "{kept} of {size} bytes are there", id=bytes(id_).hex(), kept=number(kept), size=size)
        for id_, size, kept in rows
        if number(kept) != size
    ]
    seen = [bytes(row[0]) for row in rows]
    findings += [_found("orphan", BODY_AT, "nothing refers to it", id=id_.hex()) for id_ in bodies.orphans(tx, seen)]
    return seen, findings


def strays(tx: Transaction, after: bytes, limit: int) -> tuple[list[bytes], list[Finding]]:
    """Whether chunks belong to a body; returns the bodies they name, by rising id."""
    named = [bytes(row[0]) for row in tx.rows(_CHUNKS_AFTER, {"after": after, "limit": limit})]
    there = {bytes(row[0]) for row in keyed_rows(tx, _EXISTING, named)}
    return named, [
        _found("chunks", BODY_AT, "it has chunks and is not there itself", id=id_.hex())
        for id_ in named
        if id_ not in there
    ]


def body(tx: Transaction, blob_id: bytes) -> list[Finding]:
    """Whether a body's chunks decompress and have their checksum."""
    try:
        for place, size in bodies.sizes(tx, blob_id):
            bodies.chunk(tx, blob_id, place, size)
    except NotFound:
        return []
    except Corrupt as error:
        return [_found("damaged", BODY_AT, "{cause}", id=blob_id.hex(), cause=error.cause)]
    return []


def _found(what: str, place: str, text: str, **values: object) -> Finding:
    return Finding(what=what, place=place, text=text, values=values)
