"""SASL's PLAIN (RFC 4616) and LOGIN: what the client sent, as user and password. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

ASK_USER, ASK_PASSWORD = "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"
"""LOGIN's two questions: ``Username:`` and ``Password:`` in base64."""
ASKS = frozenset({"334 ", ASK_USER, ASK_PASSWORD})
"""Questions that say nothing of anybody."""


class SASLError(ValueError):
    """The exchange is malformed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a client says it is."""

    user: str
    password: str


def decoded(text: bytes) -> bytes:
    """A base64 line; ``=`` alone is an empty answer (RFC 4954 section 4)."""
    if text == b"=":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SASLError("not base64") from None


def plain(response: bytes) -> Claim:
    """PLAIN's message: authorisation identity, user, password; the first is empty or the user's own."""
    parts = decoded(response).split(b"\0")
    if len(parts) != 3:
        raise SASLError("three parts are wanted")
    try:
        identity, user, password = (part.decode("utf-8") for part in parts)
    except UnicodeDecodeError:
        raise SASLError("not UTF-8") from None
    if identity not in {"", user} or not user:
        raise SASLError("acting for another user is not offered")
    return Claim(user, password)


def text(response: bytes) -> str:
    """One of LOGIN's answers."""
    try:
        return decoded(response).decode("utf-8")
    except UnicodeDecodeError:
        raise SASLError("not UTF-8") from None
