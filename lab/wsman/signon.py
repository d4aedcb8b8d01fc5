"""Who is at the other end of a connection: Negotiate (NTLM, alone or in SPNEGO) and, under TLS only, Basic.

The context belongs to the TCP connection. Over plain HTTP a message must be encrypted by it (MS-WSMV 2.2.9.1); a clear
one is refused even after a good sign-on.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import NegotiateOptions

from lab.wsman.http import HttpRequest, HttpResponse

PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
BOUNDARY = b"--Encrypted Boundary"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
ENCRYPTED_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
_PART = re.compile(
    rb"--Encrypted Boundary\r\n\s*Content-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
    rb"\s*OriginalContent: type=[^\r\n]*?;Length=(\d+)\r\n--Encrypted Boundary\r\n"
    rb"\s*Content-Type: application/octet-stream\r\n",
    re.IGNORECASE,
)


class DecryptionError(Exception):
    """A body that this connection's context does not open."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one account that may sign on, and who it is told to be."""

    user: str
    password: str

    def fits(self, user: str, password: str) -> bool:
        """Whether name and password are right; a domain in front of the name is the host's own."""
        name = user.rpartition("\\")[2]
        same = hmac.compare_digest(password.encode(), self.password.encode())
        return name.casefold() == self.user.casefold() and same


class SignOn:
    """The sign-on of one connection."""

    def __init__(self, credentials: Credentials, tls: bool, server_certificate_hash: bytes = b"") -> None:
        self._credentials = credentials
        self._tls = tls
        self._context: spnego.ContextProxy | None = None
        self.failed = False
        self._bindings: GssChannelBindings | None = None
        if server_certificate_hash:
            data = b"tls-server-end-point:" + server_certificate_hash  # RFC 5929 section 4
            self._bindings = GssChannelBindings(application_data=data)

    def check(self, request: HttpRequest) -> HttpResponse | None:
        """None when the request comes from the account; otherwise what to answer."""
        self.failed = False
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            return None if self._context is not None and self._context.complete else self.challenge()
        try:
            data = base64.b64decode(token, validate=True)
        except binascii.Error:
            return self._refusal()
        if scheme.lower() == "basic":
            user, _, password = data.decode("utf-8", "replace").partition(":")
            return None if self._tls and self._credentials.fits(user, password) else self._refusal()
        if scheme.lower() in ("negotiate", "ntlm"):
            return self._negotiate(scheme, data)
        return self._refusal()

    def challenge(self) -> HttpResponse:
        """401 with what is offered here: Basic only under TLS."""
        offered = [("WWW-Authenticate", "Negotiate")]
        if self._tls:
            offered.append(("WWW-Authenticate", 'Basic realm="WSMAN"'))
        return HttpResponse(401, headers=tuple(offered))

    def _refusal(self) -> HttpResponse:
        self.failed = True
        return self.challenge()

    def open(self, request: HttpRequest) -> tuple[bytes, bool]:
        """The body in clear and whether it came encrypted."""
        if not request.headers.get("content-type", "").lower().startswith("multipart/encrypted"):
            return request.body, False
        if self._context is None or not self._context.complete:
            raise DecryptionError("no context")
        return decrypt(request.body, self._context.unwrap_winrm), True

    def seal(self, body: bytes) -> bytes:
        """An answer encrypted for the client."""
        if self._context is None:
            raise DecryptionError("no context")
        wrapped = self._context.wrap_winrm(body)
        length = str(len(body) + wrapped.padding_length).encode()
        return b"".join(
            (
                BOUNDARY, b"\r\n\tContent-Type: ", PROTOCOL.encode(), b"\r\n",
                b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=", length, b"\r\n",
                BOUNDARY, b"\r\n\tContent-Type: application/octet-stream\r\n",
                struct.pack("<i", len(wrapped.header)), wrapped.header, wrapped.data,
                BOUNDARY, b"--\r\n",
            )
        )  # fmt: skip

    def _negotiate(self, scheme: str, token: bytes) -> HttpResponse | None:
        raw = token.startswith(b"NTLMSSP\x00")
        first = raw and token[8:9] == b"\x01"
        if self._context is None or self._context.complete or first:
            options = NegotiateOptions.use_ntlm if raw else NegotiateOptions.use_negotiate
            protocol = "ntlm" if raw else "negotiate"
            self._context = spnego.server(protocol=protocol, options=options, channel_bindings=self._bindings)
        try:
            answer = self._context.step(token)
        except (spnego.exceptions.SpnegoError, ValueError, struct.error):
            self._context = None
            return self._refusal()
        if self._context.complete:
            return None
        text = base64.b64encode(answer or b"").decode()
        return HttpResponse(401, headers=(("WWW-Authenticate", f"{scheme} {text}"),))


def decrypt(body: bytes, unwrap: Callable[[bytes, bytes], bytes]) -> bytes:
    """The message in a multipart/encrypted body."""
    matched = _PART.match(body)
    if matched is None or len(body) < matched.end() + 4:
        raise DecryptionError("no encrypted part")
    start = matched.end()
    (length,) = struct.unpack_from("<i", body, start)
    if not 0 <= length <= 64:
        raise DecryptionError("no signature")
    end = body.rfind(BOUNDARY)
    header = body[start + 4 : start + 4 + length]
    try:
        clear = unwrap(header, body[start + 4 + length : end])
    except (spnego.exceptions.SpnegoError, ValueError, struct.error) as error:
        raise DecryptionError(str(error)) from error
    if len(clear) != int(matched[1]):
        raise DecryptionError("the length is not the one that was told")
    return clear
