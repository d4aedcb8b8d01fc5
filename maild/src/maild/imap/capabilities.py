"""What this server says it can: the CAPABILITY list by state, and the greeting that carries it.

An extension is named here exactly when its commands and items are there.
"""

from __future__ import annotations

from maild.imap.session import Session, State

_ALWAYS = b"IMAP4rev1 IMAP4rev2 ID ENABLE SASL-IR"
_AFTER_LOGIN = (
    b"LITERAL+ IDLE NAMESPACE CHILDREN UIDPLUS MOVE UNSELECT MULTIAPPEND BINARY SPECIAL-USE CREATE-SPECIAL-USE "
    b"LIST-EXTENDED LIST-STATUS LIST-MYRIGHTS ACL RIGHTS=texk STATUS=SIZE STATUS=DELETED CONDSTORE QRESYNC ESEARCH "
    b"SEARCHRES WITHIN PARTIAL SORT ESORT THREAD=REFERENCES QUOTA QUOTA=RES-STORAGE UTF8=ACCEPT OBJECTID PREVIEW "
    b"SAVEDATE REPLACE INPROGRESS"
)


def capabilities(session: Session) -> bytes:
    """The list as it stands now."""
    if session.state is not State.STRANGER:
        return b"%b %b APPENDLIMIT=%d" % (_ALWAYS, _AFTER_LOGIN, session.services.limits.message_bytes)
    if session.secure:
        offered = " ".join(f"AUTH={name}" for name in session.services.login.mechanisms)
        return b"%b LITERAL- %b" % (_ALWAYS, offered.encode())
    return b"%b LITERAL- STARTTLS LOGINDISABLED" % _ALWAYS


def greeting(session: Session) -> bytes:
    """The first line of a session."""
    host = session.services.hostname.encode()
    return b"* OK [CAPABILITY %b] %b IMAP is ready\r\n" % (capabilities(session), host)
