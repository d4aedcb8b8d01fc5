"""The one error of the host model, with the code that the wire contract names and the number Windows would give."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Literal

Code = Literal[
    "sharing-violation", "access-denied", "disk-full", "not-found", "quota", "language-mode", "busy", "other"
]

ERROR_FILE_NOT_FOUND = 2
ERROR_ACCESS_DENIED = 5
ERROR_SHARING_VIOLATION = 32
ERROR_DISK_FULL = 112
ERROR_INVALID_NAME = 123
ERROR_DIR_NOT_EMPTY = 145
ERROR_ALREADY_EXISTS = 183
ERROR_FILENAME_EXCED_RANGE = 206
ERROR_DEPENDENT_SERVICES_RUNNING = 1051
ERROR_SERVICE_REQUEST_TIMEOUT = 1053
ERROR_SERVICE_ALREADY_RUNNING = 1056
ERROR_SERVICE_DISABLED = 1058
ERROR_SERVICE_DOES_NOT_EXIST = 1060
ERROR_SERVICE_NOT_ACTIVE = 1062
ERROR_SERVICE_DEPENDENCY_FAIL = 1068
ERROR_SERVICE_LOGON_FAILED = 1069
ERROR_SERVICE_MARKED_FOR_DELETE = 1072
ERROR_SERVICE_EXISTS = 1073


class HostError(Exception):
    """A host that refuses: ``code`` for programs, the message for people, ``what`` names the object."""

    def __init__(self, code: Code, message: str, what: str = "", win32: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.what = what
        self.win32 = win32


def not_found(what: str, noun: str = "path") -> HostError:
    """The error for something that is not there."""
    return HostError("not-found", f"Cannot find {noun} '{what}' because it does not exist.", what, ERROR_FILE_NOT_FOUND)


def access_denied(what: str, message: str = "") -> HostError:
    """The error of an access check."""
    return HostError("access-denied", message or f"Access to '{what}' is denied.", what, ERROR_ACCESS_DENIED)


def sharing_violation(what: str, holder: str) -> HostError:
    """The error for a file that a process holds open."""
    return HostError(
        "sharing-violation",
        f"The process cannot access the file '{what}' because it is being used by another process ({holder}).",
        what,
        ERROR_SHARING_VIOLATION,
    )


def disk_full(what: str) -> HostError:
    """The error of a write without room."""
    return HostError("disk-full", "There is not enough space on the disk.", what, ERROR_DISK_FULL)


def of_system(error: OSError, what: str) -> HostError:
    """What this machine's own refusal is called on Windows; ``what`` names the object there."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return disk_full(what)
    if error.errno == errno.ENOENT:
        return not_found(what)
    if error.errno in (errno.EACCES, errno.EPERM):
        return access_denied(what)
    if error.errno == errno.ETXTBSY:
        return sharing_violation(what, "a program that runs")
    return HostError("other", f"'{what}': {error.strerror or error}", what)


def refusal(error: Exception, where: str, named: Callable[[str], str] = str) -> HostError:
    """Whatever ended a request, as what it is answered with.

    where: the request, when the error names nothing. named: what a path of this machine is called on the host.
    """
    if isinstance(error, HostError):
        return error
    if isinstance(error, OSError):
        return of_system(error, named(os.fsdecode(error.filename)) if error.filename else where)
    return HostError("other", f"{where}: {type(error).__name__}: {error}")
