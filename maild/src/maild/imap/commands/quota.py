"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208): one root, the account, with the octets it may hold."""

from __future__ import annotations

from maild.imap import names
from maild.imap.commands.naming import existing, read_name
from maild.imap.errors import Refused
from maild.imap.session import Command, Request, Session, State

KIBI = 1024
"""STORAGE counts in units of 1024 octets (RFC 9208 section 5.1)."""


async def _line(session: Session) -> bytes:
    account = await session.services.store.directory.account(session.user.id)
    limit = account.quota_bytes if account else 0
    if not limit:
        return b'* QUOTA "" ()\r\n'
    used, _ = await session.services.store.directory.usage(session.user.id)
    return b'* QUOTA "" (STORAGE %d %d)\r\n' % (-(-used // KIBI), limit // KIBI)


async def _getquota(session: Session, request: Request) -> bytes:
    request.arguments.space()
    root = request.arguments.astring()
    request.arguments.end()
    if root:
        raise Refused("There is no such quota root", b"NONEXISTENT")
    session.send(await _line(session))
    return b"That is all"


async def _getquotaroot(session: Session, request: Request) -> bytes:
    request.arguments.space()
    name = read_name(session, request.arguments)
    request.arguments.end()
    mailbox = await existing(session, name)
    session.send(b'* QUOTAROOT %b ""\r\n' % names.encode(mailbox.name, utf8=session.utf8), await _line(session))
    return b"That is all"


async def _setquota(session: Session, request: Request) -> bytes:  # noqa: ARG001 - refused to all
    raise Refused("Quotas are the administrator's", b"NOPERM")


COMMANDS = {
    b"GETQUOTA": Command(_getquota, State.AUTHENTICATED),
    b"GETQUOTAROOT": Command(_getquotaroot, State.AUTHENTICATED),
    b"SETQUOTA": Command(_setquota, State.AUTHENTICATED),
}
