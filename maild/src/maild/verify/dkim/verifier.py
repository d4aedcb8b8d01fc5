"""Verifies the DKIM signatures of one message whose body streams by (RFC 6376 section 6).

``feed`` hashes the body once for each way it was signed; ``finish`` fetches the keys and answers. Signatures over the
limit are told, not checked; those of the author's domain come first, so that a heap of others cannot hide them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, replace

from maild.dns import Resolver
from maild.dns.names import to_query
from maild.verify.dkim import public_key
from maild.verify.dkim.canon import BodyHash, Canon, header, without_signature
from maild.verify.dkim.signature import Check, Reason, Result, Signature, SignatureError, parse
from maild.verify.message import Author, Headers, RawField, author

MAX_SIGNATURES = 8
"""Signatures checked in one message; honest mail has up to four."""


@dataclass(slots=True)
class BodyHashes:
    """One running hash for every way the body is signed."""

    running: dict[tuple[Canon, int | None], BodyHash]

    @classmethod
    def none(cls) -> BodyHashes:
        """No way yet."""
        return cls({})

    def want(self, canon: Canon, length: int | None) -> BodyHash:
        """The running hash of this kind."""
        return self.running.setdefault((canon, length), BodyHash(canon, length))

    def feed(self, data: bytes) -> None:
        """The next piece of the body."""
        for one in self.running.values():
            one.update(data)

    def digests(self) -> dict[tuple[Canon, int | None], tuple[bytes, int]]:
        """Hash and canonicalised length of each kind; ends the hashing."""
        return {kind: (one.digest(), one.length) for kind, one in self.running.items()}


class Verifier:
    """Verifies what was signed. ``now`` is in seconds since 1970."""

    def __init__(self, headers: Headers, now: float, *, limit: int = MAX_SIGNATURES) -> None:
        self._headers = headers
        self._stacks = headers.stacks()
        self._entries: list[tuple[RawField, Signature | SignatureError]] = []
        self._unread = 0
        self._bodies = BodyHashes.none()
        found = headers.all(b"dkim-signature")
        read = [(field, _read(field, now)) for field in found[: limit * 16]]
        if len(read) > limit:
            writer = author(headers)
            read.sort(key=lambda entry: not _is_of(entry[1], writer))
        for field, signature in read:
            if len(self._entries) == limit:
                break
            self._entries.append((field, signature))
            if isinstance(signature, Signature):
                self._bodies.want(signature.body_canon, signature.length)
        self._unread = len(found) - len(self._entries)

    def feed(self, data: bytes) -> None:
        """The next piece of the body."""
        self._bodies.feed(data)

    async def finish(self, resolver: Resolver) -> list[Check]:
        """What each signature is worth; one ``none`` when there is no signature."""
        digests = self._bodies.digests()
        waiting = [_keyed(resolver, signature) for _, signature in self._entries]
        # A task each only where look-ups can run beside each other.
        keys = [await waiting[0]] if len(waiting) == 1 else await asyncio.gather(*waiting)
        checks = [
            self._check(field, signature, key, digests)
            for (field, signature), key in zip(self._entries, keys, strict=True)
        ]
        if self._unread:
            checks.append(
                Check(result=Result.POLICY, reason=Reason.TOO_MANY, detail=f"{self._unread} more were not checked")
            )
        return checks or [Check(result=Result.NONE)]

    def _check(
        self,
        field: RawField,
        signature: Signature | SignatureError,
        key: public_key.PublicKey | SignatureError,
        digests: dict[tuple[Canon, int | None], tuple[bytes, int]],
    ) -> Check:
        if isinstance(signature, SignatureError):
            return _failed(signature)
        digest, length = digests[signature.body_canon, signature.length]
        result, reason, detail = Result.PASS, Reason.NONE, ""
        if isinstance(key, SignatureError):
            result, reason, detail = key.result, key.reason, str(key)
        elif signature.length is not None and signature.length > length:
            result, reason, detail = Result.PERMERROR, Reason.BODY, "l= is longer than the body"
        elif not hmac.compare_digest(digest, signature.body_hash):
            result, reason, detail = Result.FAIL, Reason.BODY, "the body was changed"
        elif key.strict_identity and not _is_domain(signature):
            result, reason, detail = Result.PERMERROR, Reason.DOMAIN, "the key is not for subdomains (t=s)"
        elif not key.verifies(signature.signature, header_digest(signature, field, self._stacks)):
            result, reason, detail = Result.FAIL, Reason.SIGNATURE, "signed header fields were changed"
        elif signature.length is not None and signature.length < length:
            # RFC 6376 section 8.2: what is appended behind l= can replace all that people see.
            result, reason, detail = Result.POLICY, Reason.PARTIAL_BODY, "only the beginning of the body is signed"
        usable = not isinstance(key, SignatureError)
        return Check(
            result=result,
            reason=reason,
            detail=detail,
            domain=signature.domain,
            selector=signature.selector,
            identity=signature.identity,
            algorithm=signature.algorithm,
            bits=key.bits if isinstance(key, public_key.PublicKey) else 0,
            testing=usable and isinstance(key, public_key.PublicKey) and key.testing,
            beginning=_beginning(signature),
        )


def _failed(error: SignatureError) -> Check:
    """What is told of a signature that no key could help; whose it is wherever it could be read (RFC 9989 5.3.3)."""
    check = Check(result=error.result, reason=error.reason, detail=str(error))
    if error.signature is None:
        return check
    return replace(
        check,
        domain=error.signature.domain,
        selector=error.signature.selector,
        identity=error.signature.identity,
        algorithm=error.signature.algorithm,
        beginning=_beginning(error.signature),
    )


def header_digest(signature: Signature, field: RawField, stacks: dict[bytes, list[RawField]]) -> bytes:
    """The hash that is signed: named fields from the bottom up, then the signature itself (section 3.7)."""
    parts: list[bytes] = []
    taken: dict[bytes, int] = {}
    for name in signature.names:
        place = taken[name] = taken.get(name, 0) + 1
        stack = stacks.get(name)
        if stack is not None and place <= len(stack):
            parts.append(header(stack[-place], signature.header_canon))
    own = without_signature(field)
    parts.append(header(own, signature.header_canon).removesuffix(b"\r\n"))
    return hashlib.sha256(b"".join(parts)).digest()


def _read(field: RawField, now: float) -> Signature | SignatureError:
    try:
        return parse(field, now)
    except SignatureError as error:
        return error


async def _keyed(resolver: Resolver, signature: Signature | SignatureError) -> public_key.PublicKey | SignatureError:
    if isinstance(signature, SignatureError):
        return signature
    try:
        return await public_key.fetch(resolver, signature)
    except SignatureError as error:
        return error


def _is_of(signature: Signature | SignatureError, writer: Author) -> bool:
    if isinstance(signature, SignatureError) or not writer.domain:
        return False  # what cannot pass may wait
    one, other = f".{signature.domain}", f".{writer.domain}"
    return one.endswith(other) or other.endswith(one)


def _is_domain(signature: Signature) -> bool:
    identity = signature.identity.rpartition("@")[2].strip()
    return not identity or to_query(identity) == signature.domain


def _beginning(signature: Signature) -> str:
    return base64.b64encode(signature.signature[:6]).decode("ascii")
