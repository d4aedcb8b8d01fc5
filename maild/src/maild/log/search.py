"""Finds lines in the log files: of one session, of one user's sessions, or all that tell of TLS.

Works on hMailServer's format, which is always written. A user's sessions are those with a line saying who logged in
or tried to; numbers begin anew with each start of the daemon, so a session is a number in one run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CONVERSATION = re.compile(r'"(?:SMTPD|SMTPC|IMAPD|POP3D|HTTPD)"\t\d+\t(\d+)\t')
_SESSION = re.compile(r"Session Id: (\d+)")
_LOGIN = re.compile(r"(?:logged in|failed to log in) as (\S+)\. Session Id: (\d+)")
_STARTING = re.compile(r'"APPLICATION"\t\d+\t"[^"]*"\t"Starting servers\.\.\.')
_TLS = re.compile(
    r"TLS/SSL handshake|Version: TLS|SENT: 220 2\.0\.0 Ready to start TLS|RECEIVED: (?:\S+ )?(?:STARTTLS|STLS)",
    re.IGNORECASE,
)


def session_of(line: str) -> int | None:
    """The session a line belongs to."""
    found = _CONVERSATION.match(line) or _SESSION.search(line)
    return int(found[1]) if found else None


def of_session(lines: Iterable[str], session: int) -> Iterator[str]:
    """The lines of one session."""
    return (line for line in lines if session_of(line) == session)


def of_user(lines: Iterable[str], user: str) -> Iterator[str]:
    """All lines of the sessions in which the user logged in or tried to."""
    kept = list(_in_runs(lines))
    sessions = {
        (run, int(found[2]))
        for run, line in kept
        if (found := _LOGIN.search(line)) and found[1].casefold() == user.casefold()
    }
    return (line for run, line in kept if (run, session_of(line)) in sessions)


def _in_runs(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each line with the number of the daemon's run that wrote it."""
    run = 0
    for line in lines:
        run += bool(_STARTING.match(line))
        yield run, line


def of_tls(lines: Iterable[str]) -> Iterator[str]:
    """The lines that tell of encryption: its version and cipher, or why it failed."""
    return (line for line in lines if _TLS.search(line))
