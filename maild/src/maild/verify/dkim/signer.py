"""Makes DKIM signatures, one a key, over a message whose body streams by (RFC 6376 section 5).

Relaxed/relaxed, the whole body, every field that readers see; those that could be added to mislead them are oversigned,
so that a second From or Subject breaks the signature. The message itself is not touched: the fields go before it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from maild.verify.dkim.canon import BodyHash, Canon, header
from maild.verify.dkim.signing_key import SigningKey
from maild.verify.message import Headers, RawField

LIFETIME = 8 * 86_400
"""Seconds a signature counts: five days in a queue, and what a reader's server may take on top. Replays end then."""

OVERSIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"reply-to",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
"""Named once more than they occur, also when they do not occur at all."""
SIGNED = (
    b"sender",
    b"in-reply-to",
    b"references",
    b"content-id",
    b"content-description",
    b"content-disposition",
    b"content-language",
    b"resent-date",
    b"resent-from",
    b"resent-to",
    b"resent-cc",
    b"resent-message-id",
    b"list-id",
    b"list-help",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-subscribe",
    b"list-post",
    b"list-owner",
    b"list-archive",
    b"feedback-id",
    b"autocrypt",
)
"""Named as often as they occur (the list of RFC 6376 section 5.4.1, RFC 8058 section 4 and kin)."""
MAX_OCCURRENCES = 50
"""Occurrences of one name that are signed; a header of a thousand Subjects is nobody's mail."""
_FOLD = 74
"""Characters of a folded line."""


class Signer:
    """Signs one message with all keys. ``now`` is in seconds since 1970."""

    def __init__(
        self,
        headers: Headers,
        keys: Sequence[SigningKey],
        now: float,
        *,
        lifetime: int | None = LIFETIME,
        canon: tuple[Canon, Canon] = ("relaxed", "relaxed"),
    ) -> None:
        self._headers = headers
        self._keys = keys
        self._now = int(now)
        self._lifetime = lifetime
        self._canon = canon
        self._body = BodyHash(canon[1])

    def feed(self, data: bytes) -> None:
        """The next piece of the body."""
        if self._keys:
            self._body.update(data)

    def finish(self) -> bytes:
        """The finished fields, to be put before the message; empty without keys."""
        if not self._keys:
            return b""
        body_hash = base64.b64encode(self._body.digest()).decode("ascii")
        names, fields = self._signed()
        return b"".join(self._one(key, names, fields, body_hash) for key in self._keys)

    def _signed(self) -> tuple[str, list[RawField]]:
        stacks = self._headers.stacks()
        names: list[bytes] = []
        fields: list[RawField] = []
        for name in OVERSIGNED + SIGNED:
            present = list(reversed(stacks.get(name, [])))[:MAX_OCCURRENCES]
            fields += present
            names += [name] * (len(present) + (name in OVERSIGNED))
        return ":".join(name.decode("ascii") for name in names), fields

    def _one(self, key: SigningKey, names: str, fields: Sequence[RawField], body_hash: str) -> bytes:
        expiry = f" x={self._now + self._lifetime};" if self._lifetime is not None else ""
        text = "\r\n\t".join(
            [
                f"DKIM-Signature: v=1; a={key.algorithm}; c={'/'.join(self._canon)}; d={key.domain};",
                f"s={key.selector}; t={self._now};{expiry}",
                *_folded(f"h={names};", ":"),
                f"bh={body_hash};",
                "b=",
            ]
        ).encode("ascii")
        hashed = hashlib.sha256(b"".join(header(one, self._canon[0]) for one in fields))
        own = RawField(b"dkim-signature", text.partition(b":")[2], text)
        hashed.update(header(own, self._canon[0]).removesuffix(b"\r\n"))
        signature = base64.b64encode(key.sign(hashed.digest())).decode("ascii")
        pieces = [signature[i : i + _FOLD - 2] for i in range(0, len(signature), _FOLD - 2)]
        return text + "\r\n\t ".join(pieces).encode("ascii") + b"\r\n"


def _folded(text: str, at: str) -> list[str]:
    """The text in lines that end behind a separator."""
    lines, line = [], ""
    for part in text.split(at):
        piece = part if part.endswith(";") else part + at
        if line and len(line) + len(piece) > _FOLD:
            lines.append(line)
            line = ""
        line += piece
    return [*lines, line]
