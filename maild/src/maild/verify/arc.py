"""ARC chains (RFC 8617) verified: whether every forwarder's seal holds, who sealed, and what the trusted ones saw.

We never seal. A chain that holds says nothing by itself; only seals of domains an administrator trusts can speak for a
message that forwarding has broken.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from maild.dns import Resolver
from maild.dns.names import to_query
from maild.verify import results, tags
from maild.verify.dkim import public_key
from maild.verify.dkim.canon import BodyHash, header, without_signature
from maild.verify.dkim.signature import Reason, Signature, SignatureError, parse
from maild.verify.dkim.signature import Result as DKIMResult
from maild.verify.dkim.verifier import header_digest
from maild.verify.message import Headers, RawField

MAX_SETS = 50
"""Sets of a chain (section 4.2.1: a longer one has failed)."""
FIELDS = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")

_INSTANCE = re.compile(rb"(?:^|;)[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*(?:;|$)")


class Result(StrEnum):
    """The states of a chain (section 4.4)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a chain is worth: the sealers from the first to the last, and what each says it saw."""

    result: Result
    sealers: tuple[str, ...] = ()
    witnessed: tuple[results.AuthenticationResults | None, ...] = ()
    detail: str = ""

    def vouched(self, trusted: Collection[str]) -> results.AuthenticationResults | None:
        """What the earliest of the trusted sealers, counted back from the last one without a gap, says it saw."""
        seen = None
        if self.result is Result.PASS:
            for sealer, witness in zip(reversed(self.sealers), reversed(self.witnessed), strict=True):
                if sealer not in trusted:
                    break
                seen = witness
        return seen


class _BrokenError(Exception):
    """The chain has failed; the message says where."""


@dataclass(slots=True)
class _Set:
    fields: dict[bytes, RawField] = field(default_factory=dict)


class Validator:
    """Validates the chain of one message whose body streams by."""

    def __init__(self, headers: Headers, now: float) -> None:
        self._headers = headers
        self._now = now
        self._sets: list[_Set] = []
        self._message_signature: Signature | None = None
        self._body: BodyHash | None = None
        self._problem = ""
        try:
            self._sets = _collected(headers)
            if self._sets:
                self._message_signature = _message_signature(self._sets[-1].fields[FIELDS[1]], now)
                self._body = BodyHash(self._message_signature.body_canon, self._message_signature.length)
        except _BrokenError as error:
            self._problem = str(error)

    def feed(self, data: bytes) -> None:
        """The next piece of the body."""
        if self._body is not None:
            self._body.update(data)

    async def finish(self, resolver: Resolver) -> Chain:
        """The state of the chain."""
        if self._problem:
            return Chain(result=Result.FAIL, detail=self._problem)
        if not self._sets:
            return Chain(result=Result.NONE)
        sealers: list[str] = []
        try:
            seals = [_seal(one.fields[FIELDS[2]], number) for number, one in enumerate(self._sets, 1)]
            sealers = [seal.domain for seal in seals]
            await self._check_message(resolver)
            await self._check_seals(resolver, seals)
        except _BrokenError as error:
            return Chain(
                result=Result.FAIL, sealers=tuple(sealers), witnessed=(None,) * len(sealers), detail=str(error)
            )
        return Chain(result=Result.PASS, sealers=tuple(sealers), witnessed=tuple(map(_witness, self._sets)))

    async def _check_message(self, resolver: Resolver) -> None:
        """The newest message signature must verify (section 5.2 step 4)."""
        signature, body = self._message_signature, self._body
        if signature is None or body is None:
            raise _BrokenError("there is no message signature")
        key = await _key(resolver, signature, "the last message signature")
        if not hmac.compare_digest(body.digest(), signature.body_hash):
            raise _BrokenError("the body was changed behind the last forwarder")
        if signature.length is not None and signature.length != body.length:
            raise _BrokenError("the last forwarder signed the body in part")
        field_ = self._sets[-1].fields[FIELDS[1]]
        if not key.verifies(signature.signature, header_digest(signature, field_, self._headers.stacks())):
            raise _BrokenError("header fields were changed behind the last forwarder")

    async def _check_seals(self, resolver: Resolver, seals: Sequence[Signature]) -> None:
        """Every seal covers all sets up to its own (section 5.1.1)."""
        keys = await asyncio.gather(*(_key(resolver, seal, f"seal {n}") for n, seal in enumerate(seals, 1)))
        hashed = hashlib.sha256()
        for number, (one, seal, key) in enumerate(zip(self._sets, seals, keys, strict=True), 1):
            for name in FIELDS[:2]:
                hashed.update(header(one.fields[name], "relaxed"))
            own = hashed.copy()
            own.update(header(without_signature(one.fields[FIELDS[2]]), "relaxed").removesuffix(b"\r\n"))
            if not key.verifies(seal.signature, own.digest()):
                raise _BrokenError(f"seal {number} of {seal.domain} does not hold")
            hashed.update(header(one.fields[FIELDS[2]], "relaxed"))


def _collected(headers: Headers) -> list[_Set]:
    """The sets by instance: 1 to N, each with its three fields once (section 5.2 step 3)."""
    sets: dict[int, _Set] = {}
    for one in headers.fields:
        if one.key not in FIELDS:
            continue
        match = _INSTANCE.search(one.value)
        number = int(match[1]) if match else 0
        if not 1 <= number <= MAX_SETS:
            raise _BrokenError(f"a field has no instance between 1 and {MAX_SETS}")
        entry = sets.setdefault(number, _Set())
        if one.key in entry.fields:
            raise _BrokenError(f"set {number} has a field twice")
        entry.fields[one.key] = one
    for number in range(1, len(sets) + 1):
        if number not in sets or len(sets[number].fields) != len(FIELDS):
            raise _BrokenError(f"set {number} is not complete")
    return [sets[number] for number in range(1, len(sets) + 1)]


def _message_signature(field_: RawField, now: float) -> Signature:
    """An ARC-Message-Signature is a DKIM signature whose ``i=`` is the instance and that has no ``v=``."""
    try:
        found = tags.parse(field_.value.decode("utf-8"))
        inner = "v=1; " + "; ".join(f"{name}={value}" for name, value in found.items() if name not in {"i", "v"})
        signature = parse(RawField(field_.key, inner.encode("utf-8"), field_.raw), now)
    except (tags.TagError, UnicodeDecodeError) as error:
        raise _BrokenError(f"the last message signature cannot be read: {error}") from error
    except SignatureError as error:
        raise _BrokenError(f"the last message signature: {error}") from error
    if b"arc-seal" in signature.names:
        raise _BrokenError("the last message signature covers a seal")
    return signature


def _seal(field_: RawField, number: int) -> Signature:
    try:
        found = tags.parse(field_.value.decode("utf-8"))
        signature = tags.decoded(found["b"])
        algorithm, verdict = tags.squeezed(found["a"]).lower(), found["cv"].lower()
        domain, selector = to_query(tags.squeezed(found["d"])), to_query(tags.squeezed(found["s"]))
    except (tags.TagError, UnicodeDecodeError, KeyError) as error:
        raise _BrokenError(f"seal {number} cannot be read: {error}") from error
    if "h" in found or domain is None or selector is None:
        raise _BrokenError(f"seal {number} is malformed")
    if verdict != ("none" if number == 1 else "pass"):  # section 5.2 steps 2 and 3
        raise _BrokenError(f"seal {number} of {domain} says cv={verdict}")
    if algorithm not in {"rsa-sha256", "ed25519-sha256"}:
        raise _BrokenError(f"seal {number} names an unknown algorithm")
    return Signature(
        domain=domain,
        selector=selector,
        algorithm=algorithm,
        header_canon="relaxed",
        body_canon="relaxed",
        names=(),
        body_hash=b"",
        signature=signature,
    )


async def _key(resolver: Resolver, signature: Signature, what: str) -> public_key.PublicKey:
    try:
        return await public_key.fetch(resolver, signature)
    except SignatureError as error:
        late = " for now" if error.result is DKIMResult.TEMPERROR or error.reason is Reason.DNS else ""
        raise _BrokenError(f"{what} has no usable key{late}: {error}") from error


def _witness(one: _Set) -> results.AuthenticationResults | None:
    """The results of a set, its instance tag dropped."""
    text = _INSTANCE.sub(b"", one.fields[FIELDS[0]].value, count=1)
    try:
        return results.parse(text.lstrip(b"; \t\r\n"))
    except results.ResultsError:
        return None
