"""The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): messages, verifiers and the check of a proof. Pure.

There is no -PLUS, since Python gives no ``tls-exporter``; a client that asks for channel binding is refused. What is
kept of a password proves that a client knows it and cannot be used to log in elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass

from maild.policy.saslprep import prepared

MECHANISM = "SCRAM-SHA-256"
ITERATIONS = 15_000
"""PBKDF2 rounds of a verifier: RFC 7677 section 4 asks for 4096 at least; a phone computes these in a moment."""
SALT_BYTES = 16
NONCE_BYTES = 18
MAX_MESSAGE = 2048
"""Octets of a client's message; a user name and two nonces are far shorter."""

_VERIFIER = re.compile(r"SCRAM-SHA-256\$([0-9]{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")
_OPENING = re.compile(r"([ny]),(?:a=([^,]+))?,(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)", re.DOTALL)
_FINAL = re.compile(r"(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?),p=([A-Za-z0-9+/=]+)", re.DOTALL)
_NAME = re.compile(r"(?:[^=]|=2C|=3D)+", re.DOTALL)


class SCRAMError(ValueError):
    """The client's message is none of this exchange; the text may be shown to it."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is kept of a password; written as RFC 5803 has it."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def read(cls, text: str) -> Verifier:
        """Reads the written form; raises ``SCRAMError``."""
        found = _VERIFIER.fullmatch(text)
        if found is None:
            raise SCRAMError("this is no verifier")
        salt, stored_key, server_key = (_decoded(each) for each in found.groups()[1:])
        return cls(int(found[1]), salt, stored_key, server_key)

    def __str__(self) -> str:
        salt, stored, server = (_encoded(each) for each in (self.salt, self.stored_key, self.server_key))
        return f"{MECHANISM}${self.iterations}:{salt}${stored}:{server}"


@dataclass(frozen=True, slots=True)
class Opening:
    """The client's first message."""

    header: str
    """The GS2 header, which the proof covers."""
    bare: str
    user: str
    nonce: str


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> Verifier:
    """What to keep of a password, 5 ms of work; raises ``SASLprepError`` for one that SCRAM cannot be used with."""
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password).encode(), salt, iterations)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    return Verifier(iterations, salt, stored_key, _hmac(salted, b"Server Key"))


def stand_in(key: bytes, name: str) -> Verifier:
    """What an unknown user is challenged with: always the same salt for a name, and keys that no proof fits."""

    def part(purpose: str) -> bytes:
        return _hmac(key, f"{purpose}\0{name}".encode("utf-8", "surrogatepass"))

    return Verifier(ITERATIONS, part("salt")[:SALT_BYTES], part("stored"), part("server"))


def opening(message: bytes) -> Opening:
    """Reads the first message; raises ``SCRAMError``."""
    text = _text(message)
    if text.startswith("p="):
        raise SCRAMError("channel binding is not offered")
    found = _OPENING.fullmatch(text)
    if found is None:
        raise SCRAMError("the first message is not that of SCRAM")
    _, identity, bare, name, nonce = found.groups()
    user = _name(name)
    if identity is not None and _name(identity) != user:
        raise SCRAMError("acting for another user is not offered")
    return Opening(text[: -len(bare)], bare, user, nonce)


def challenge(opened: Opening, kept: Verifier, nonce: str) -> str:
    """The server's first message; ``nonce`` is the server's part of it."""
    return f"r={opened.nonce}{nonce},s={_encoded(kept.salt)},i={kept.iterations}"


def conclusion(opened: Opening, challenged: str, message: bytes, kept: Verifier) -> str | None:
    """The server's last message, None for a proof that is wrong; raises ``SCRAMError`` for what is no answer."""
    found = _FINAL.fullmatch(_text(message))
    if found is None:
        raise SCRAMError("the last message is not that of SCRAM")
    without_proof, binding, nonce, proof = found.groups()
    if _decoded(binding) != opened.header.encode() or f"r={nonce}" != challenged.partition(",")[0]:
        raise SCRAMError("the last message is not of this exchange")
    signed = f"{opened.bare},{challenged},{without_proof}".encode()
    expected, given = _hmac(kept.stored_key, signed), _decoded(proof)
    if len(given) != len(expected):
        return None
    client_key = bytes(one ^ other for one, other in zip(given, expected, strict=True))
    if not hmac.compare_digest(hashlib.sha256(client_key).digest(), kept.stored_key):
        return None
    return f"v={_encoded(_hmac(kept.server_key, signed))}"


def new_nonce() -> str:
    """The server's part of a nonce."""
    return _encoded(os.urandom(NONCE_BYTES))


def _text(message: bytes) -> str:
    if len(message) > MAX_MESSAGE:
        raise SCRAMError("the message is too long")
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise SCRAMError("the message is not UTF-8") from None


def _name(written: str) -> str:
    """A user name with its commas and equals signs (RFC 5802 section 5.1)."""
    if not _NAME.fullmatch(written) or "\0" in written:
        raise SCRAMError("the user name is not written as SCRAM has it")
    return written.replace("=2C", ",").replace("=3D", "=")


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SCRAMError("a value is not base64") from None
