"""A client of SCRAM-SHA-256 written from RFC 5802 alone: it shares no line with the server's side."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata


class Client:
    """One exchange; ``first`` and ``final`` are what it sends, ``trusts`` whether the server knew the password too."""

    def __init__(self, user: str, password: str, nonce: str = "fyko+d2lbbFgONRv9qkxdawL") -> None:
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self._password = unicodedata.normalize("NFKC", "".join(each for each in password if each != "\u00ad"))
        self._server = b""

    def first(self) -> bytes:
        """The client's first message."""
        return f"n,,{self._bare}".encode()

    def final(self, challenge: str | bytes) -> bytes:
        """The answer to a challenge."""
        text = challenge if isinstance(challenge, str) else challenge.decode()
        parts = dict(part.split("=", 1) for part in text.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
        key = hmac.new(salted, b"Client Key", "sha256").digest()
        without_proof = f"c=biws,r={parts['r']}"
        signed = f"{self._bare},{text},{without_proof}".encode()
        signature = hmac.new(hashlib.sha256(key).digest(), signed, "sha256").digest()
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
        self._server = hmac.new(hmac.new(salted, b"Server Key", "sha256").digest(), signed, "sha256").digest()
        return f"{without_proof},p={proof}".encode()

    def trusts(self, last: str | bytes) -> bool:
        """Whether the server's last message proves that it knows the password."""
        text = last if isinstance(last, str) else last.decode()
        return text == f"v={base64.b64encode(self._server).decode()}"
