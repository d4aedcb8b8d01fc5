"""What SASL clients send, for all protocols: base64 (RFC 4954, 5034, 9051), PLAIN (RFC 4616), LOGIN's answers. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass


class SASLError(ValueError):
    """The exchange is malformed."""


class ForeignIdentityError(SASLError):
    """Somebody asks to act for another user."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a client says it is."""

    user: str
    password: str


def decoded(line: bytes) -> bytes:
    """A base64 line; ``=`` alone is an empty answer (RFC 4954 section 4, RFC 4959 section 3)."""
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise SASLError("The response is not base64") from None


def plain(message: bytes) -> Claim:
    """PLAIN's message: authorisation identity, user, password; the first is empty or the user's own."""
    parts = message.split(b"\0")
    if len(parts) != 3:
        raise SASLError("The response is not that of PLAIN")
    identity, user, password = (text(part) for part in parts)
    if not user:
        raise SASLError("The response of PLAIN names no user")
    if identity not in {"", user}:
        raise ForeignIdentityError("Acting for another user is not offered")
    return Claim(user, password)


def text(message: bytes) -> str:
    """A name or a password."""
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise SASLError("The response is not UTF-8") from None
