"""The WS-Management requests of one shell and one program, over pywinrm, with a pinned certificate when one is given.

It counts the requests it makes and raises what pywinrm and requests raise. Lines, retries and messages for people are
left to ``session``.
"""

from __future__ import annotations

import base64
import contextlib
import uuid
from collections.abc import Iterator
from typing import Any, Final, Protocol, cast

import requests
import winrm.exceptions as raised
import xmltodict  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from winrm.protocol import Protocol as WSManProtocol
from winrm.transport import HAVE_KERBEROS

from pyinfra_winrm.errors import ConfigurationError
from pyinfra_winrm.settings import READ_GRACE, Connection

# Raw bytes in one Send: 480,000 in base64, within MaxEnvelopeSizekb of 500 (512,000 bytes) with the header.
LARGEST_SEND: Final = 360_000

# What stands in a Send's envelope for the id and the data of the next one.
MESSAGE: Final = "MESSAGE-ID"
PAYLOAD: Final = "PAYLOAD"

# UTF-8, so that what native programs print can be read; the protocol itself is ASCII.
CODE_PAGE: Final = 65001


class Link(Protocol):
    """What a session needs of a ``Wire``; tests put a scripted one in its place."""

    requests: int

    def open(self, command_line: str) -> None:
        """See ``Wire.open``; so with the others."""

    def send(self, data: bytes) -> None:
        """Writes to the program's input."""

    def receive(self, seconds: int | None = None) -> tuple[bytes, bytes, bool] | None:
        """What the program wrote, or None."""

    def terminate(self) -> None:
        """Ends the program at once."""

    def abandon(self) -> None:
        """Leaves the program to itself."""

    def close(self) -> None:
        """Closes the shell."""


class PinnedAdapter(HTTPAdapter):
    """Accepts one certificate, by its SHA-256, and no other; then neither its name nor its issuer matters."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests makes its pool, with the pin."""
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)


def _protocol(settings: Connection) -> WSManProtocol:
    if settings.transport == "kerberos" and not HAVE_KERBEROS:
        raise ConfigurationError(
            f"{settings.host}: winrm_transport is kerberos, and its library is not installed here: "
            "pip install 'pywinrm[kerberos]', or use ntlm"
        )
    pinned = settings.fingerprint is not None
    protocol = WSManProtocol(
        endpoint=settings.url,
        transport=cast("Any", settings.transport),
        username=settings.user,
        password=settings.password.reveal(),
        ca_trust_path=cast("Any", str(settings.ca_file) if settings.ca_file else None),
        server_cert_validation="ignore" if pinned else "validate",
        read_timeout_sec=settings.operation_timeout + READ_GRACE,
        operation_timeout_sec=settings.operation_timeout,
        message_encryption="always" if settings.scheme == "http" else "never",
        proxy=None,
    )
    protocol.transport.read_timeout_sec = cast(
        "Any", (settings.connect_timeout, settings.operation_timeout + READ_GRACE)
    )
    if settings.fingerprint is not None:
        protocol.transport.build_session().mount("https://", PinnedAdapter(settings.fingerprint))
    return protocol


class Wire:
    """One shell with one program in it; not usable again once closed."""

    def __init__(self, settings: Connection) -> None:
        self.requests = 0
        self._settings = settings
        self._protocol: WSManProtocol | None = None
        self._shell = ""
        self._command = ""
        self._template: bytes | None = None

    def open(self, command_line: str) -> None:
        """Opens the shell and starts the program with its input left open."""
        self._protocol = _protocol(self._settings)
        self.requests += 1
        self._shell = self._protocol.open_shell(codepage=CODE_PAGE)
        self.requests += 1
        self._command = self._protocol.run_command(self._shell, command_line, console_mode_stdin=False)

    def send(self, data: bytes) -> None:
        """Writes to the program's input."""
        for start in range(0, len(data), LARGEST_SEND):
            self.requests += 1
            self._opened.send_message(cast("Any", self._envelope(data[start : start + LARGEST_SEND])))

    def receive(self, seconds: int | None = None) -> tuple[bytes, bytes, bool] | None:
        """What the program wrote (stdout, stderr, whether it has ended); None when nothing came in time."""
        self.requests += 1
        self._opened.operation_timeout_sec = min(
            seconds or self._settings.operation_timeout, self._settings.operation_timeout
        )
        try:
            out, err, _, done = self._opened.get_command_output_raw(self._shell, self._command)
        except raised.WinRMOperationTimeoutError:
            return None
        finally:
            self._opened.operation_timeout_sec = self._settings.operation_timeout
        return out, err, done

    def terminate(self) -> None:
        """Ends the program at once, and what it started with it."""
        with _whatever_happens():
            self.requests += 1
            self._opened.cleanup_command(self._shell, self._command)
        self.close()

    def abandon(self) -> None:
        """Closes the connection alone: what the program is in the middle of finishes."""
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.transport.close_session()

    def close(self) -> None:
        """Closes the shell; a host that is gone is no error here."""
        protocol, self._protocol = self._protocol, None
        if protocol is None:
            return
        with _whatever_happens():
            if self._shell:
                self.requests += 1
                protocol.close_shell(self._shell)
        protocol.transport.close_session()

    def _envelope(self, data: bytes) -> bytes:
        """As pywinrm's ``send_command_input`` writes it, without putting half a megabyte through an XML writer."""
        if self._template is None:
            shell_uri = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
            envelope = self._opened.build_wsman_header(f"{shell_uri}/Send", f"{shell_uri}/cmd", self._shell, MESSAGE)
            stream = {"@CommandId": self._command, "@Name": "stdin", "@End": "false", "#text": PAYLOAD}
            envelope["env:Body"] = {"rsp:Send": {"rsp:Stream": stream}}
            self._template = xmltodict.unparse({"env:Envelope": envelope}).encode()
        named = self._template.replace(MESSAGE.encode(), str(uuid.uuid4()).encode())
        return named.replace(PAYLOAD.encode(), base64.b64encode(data))

    @property
    def _opened(self) -> WSManProtocol:
        if self._protocol is None:
            raise requests.ConnectionError("the shell is closed")
        return self._protocol


@contextlib.contextmanager
def _whatever_happens() -> Iterator[None]:
    """For the last words to a host: whatever keeps it from hearing them changes nothing any more."""
    try:
        yield
    except (raised.WinRMError, raised.WinRMTransportError, raised.WinRMOperationTimeoutError, OSError, AssertionError):
        return
