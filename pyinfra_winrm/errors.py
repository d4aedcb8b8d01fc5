"""What a user reads when a host cannot be reached or does not answer: one sentence with host, cause and what to do.

Every exception of pywinrm, requests and the host script leaves this package as one of these, so pyinfra never prints
a traceback for them. They are told apart here by what the libraries raise; acting on them is left to ``session``.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import requests
import winrm.exceptions as raised

from pyinfra_winrm.protocol import Failure

# Fault codes of WS-Management (winerror.h, ERROR_WSMAN_* and Win32).
SHELL_NOT_FOUND: Final = 2150858843
QUOTAS: Final = frozenset({2150859173, 2150859174, 2150859175, 2150859176, 2150859177})
ACCESS_DENIED: Final = 5
ABORTED: Final = 995

# What WinRM answers to a message encrypted for a connection that is gone.
HTTP_BAD_REQUEST: Final = 400

ADVICE: Final = {
    "access-denied": "connect as a member of Administrators, or give this account the right",
    "busy": "run again when the other work has finished",
    "disk-full": "free space on that drive and run again",
    "language-mode": "allow this account full language, or use another one",
    "not-found": "check the path or name",
    "quota": "raise the quota (winrm get winrm/config/winrs) or end other sessions of this account",
    "sharing-violation": "close the program that holds it open and run again",
}


class HostError(OSError):
    """A host did not do what it was asked; the text is the whole message for the user."""

    def __str__(self) -> str:
        return str(self.args[0])


class UnreachableHostError(HostError):
    """No session could be opened."""


class LostSessionError(HostError):
    """The session ended under a request; a new one can be opened."""


class HostTimeoutError(HostError, TimeoutError):
    """A request did not finish in the time it was given."""


class RequestFailedError(HostError):
    """The host answered that it could not do it."""

    def __init__(self, host: str, failure: Failure, about: str = "") -> None:
        what = failure.what if failure.what and failure.what not in failure.message else ""
        subject = ": ".join(part for part in (about, what) if part)
        advice = ADVICE.get(failure.code)
        parts = [host, subject, failure.message.rstrip(".") + (f" ({advice})" if advice else "")]
        super().__init__(": ".join(part for part in parts if part))
        self.failure = failure


class ConfigurationError(HostError):
    """The connection is described in a way that cannot work or is not safe."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was raised from, as requests and urllib3 nest them."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        reason = getattr(current, "reason", None)
        nested = [current.__cause__, current.__context__, reason, *current.args]
        waiting += [item for item in nested if isinstance(item, BaseException)]


def _tls(url: str, text: str) -> str | None:
    if match := re.search(r'Fingerprints did not match. Expected "(\w+)", got "(\w+)"', text):
        return (
            f"the certificate of {url} has the fingerprint {match[2]}, pinned is {match[1]}: "
            "if it was renewed on purpose, put the new one into winrm_fingerprint; otherwise somebody is in between"
        )
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return f"no TLS with {url}: {text}" if "SSL" in text else None
    if "ostname mismatch" in text or "IP address mismatch" in text or "not valid for" in text:
        return f"the certificate of {url} is for another name: use that name, or pin it with winrm_fingerprint"
    if "expired" in text:
        return f"the certificate of {url} has expired: renew it, or pin it with winrm_fingerprint"
    return (
        f"the certificate of {url} is from an unknown authority: "
        "name the authority's file in winrm_ca_file, or pin the certificate with winrm_fingerprint"
    )


def _network(url: str, error: BaseException) -> str | None:
    for cause in causes(error):
        if isinstance(cause, socket.gaierror) or "NameResolution" in type(cause).__name__:
            return f"no host of that name ({url}): check the name, or your name server"
        if isinstance(cause, ConnectionRefusedError):
            return f"nothing listens at {url}: run files/enable-winrm.ps1 on the host, or check winrm_port"
        if isinstance(cause, requests.ConnectTimeout):
            return f"no answer from {url}: the host is down, or a firewall drops the connection"
    return None


def _fault(url: str, user: str, error: raised.WSManFaultError) -> str:
    code = error.wsman_fault_code
    reason = " ".join(str(error.reason).split()).rstrip(".")
    if code in QUOTAS or "quota" in reason.lower():
        return f"a WinRM quota is exhausted: {reason} ({ADVICE['quota']})"
    if code == ACCESS_DENIED:
        return f"{user} may not use WinRM at {url}: make it a member of Administrators or Remote Management Users"
    return f"WinRM at {url} answered: {reason} (fault {code})"


def explain(error: BaseException, *, url: str, user: str) -> str:
    """The cause and what to do, without the host's name in front."""
    if isinstance(error, raised.InvalidCredentialsError):
        return f"{url} refused the user {user} with this password: check winrm_user and the password's source"
    if isinstance(error, raised.WSManFaultError):
        return _fault(url, user, error)
    if isinstance(error, raised.WinRMTransportError):
        return f"{url} answered with HTTP status {error.code}: check that WinRM listens there"
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return _tls(url, str(error)) or f"no TLS with {url}: {error}"
    if found := _network(url, error):
        return found
    if isinstance(error, requests.Timeout | TimeoutError | raised.WinRMOperationTimeoutError):
        return f"{url} did not answer in time: the host is overloaded or the connection is gone"
    if isinstance(error, requests.ConnectionError | OSError):
        return f"the connection to {url} was cut"
    return f"{type(error).__name__} while talking to {url}: {error}"


def is_lost(error: BaseException) -> bool:
    """Whether a new session may help: the connection or the shell is gone, nothing was refused."""
    if isinstance(error, raised.WSManFaultError):
        return error.wsman_fault_code in {SHELL_NOT_FOUND, ABORTED}
    if isinstance(error, raised.WinRMTransportError):
        return bool(error.code == HTTP_BAD_REQUEST)
    if isinstance(error, requests.exceptions.SSLError | raised.InvalidCredentialsError):
        return False
    # A Send that timed out may have arrived or not: what follows on that session cannot be told.
    if isinstance(error, raised.WinRMOperationTimeoutError):
        return True
    cut = requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError | ConnectionError
    return isinstance(error, cut)
