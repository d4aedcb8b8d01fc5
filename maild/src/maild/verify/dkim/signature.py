"""A DKIM-Signature field as data, and what verifying one can find (RFC 6376 section 3.5, RFC 8601 section 2.7.1).

Reading checks everything that needs no key: versions, algorithms, domains, times. What is well-formed but against our
rules (weak keys, SHA-1, a body signed in part) is ``policy``, not ``fail``: the sender did sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from maild.dns.names import to_query
from maild.verify import tags
from maild.verify.dkim.canon import Canon
from maild.verify.message import RawField

MAX_NAMES = 1000
"""Names in ``h=``; the longest honest lists have some sixty."""
MAX_FIELD = 65_536
"""Octets of a signature field we read; honest ones have under 2,000."""
CLOCK_SKEW = 300
"""Seconds a signing clock may be ahead of ours or an expiry behind it."""

_DIGITS = re.compile(r"[0-9]{1,20}")


class Result(StrEnum):
    """The DKIM results of RFC 8601 section 2.7.1."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"
    POLICY = "policy"
    NEUTRAL = "neutral"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Reason(StrEnum):
    """Why a signature did not pass."""

    NONE = ""
    SYNTAX = "syntax"
    EXPIRED = "expired"
    FUTURE = "future"
    HISTORIC = "historic-algorithm"
    FROM_UNSIGNED = "from-not-signed"
    DOMAIN = "domain-mismatch"
    NO_KEY = "no-key"
    REVOKED = "revoked"
    KEY_SYNTAX = "key-syntax"
    KEY_MISMATCH = "key-mismatch"
    WEAK_KEY = "weak-key"
    BODY = "body-changed"
    SIGNATURE = "headers-changed"
    PARTIAL_BODY = "body-signed-in-part"
    TOO_MANY = "too-many-signatures"
    DNS = "dns"


class SignatureError(Exception):
    """The signature cannot pass, whatever the key says; ``signature`` is there when it could be read."""

    def __init__(self, result: Result, reason: Reason, detail: str, signature: Signature | None = None) -> None:
        super().__init__(detail)
        self.result = result
        self.reason = reason
        self.signature = signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A readable signature; ``domain`` and ``selector`` in A-labels."""

    domain: str
    selector: str
    algorithm: str
    header_canon: Canon
    body_canon: Canon
    names: tuple[bytes, ...]
    body_hash: bytes
    signature: bytes
    identity: str = ""
    length: int | None = None
    signed_at: int | None = None
    expires_at: int | None = None

    @property
    def key_name(self) -> str:
        """Where the public key is published."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What verifying one signature found; the fields of an unreadable one are empty."""

    result: Result
    reason: Reason = Reason.NONE
    detail: str = ""
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    bits: int = 0
    testing: bool = False
    beginning: str = ""
    """The first characters of ``b=``, which tell signatures of one domain apart (RFC 6008)."""

    @property
    def passed(self) -> bool:
        """The domain vouches for the message."""
        return self.result is Result.PASS


def parse(field: RawField, now: float) -> Signature:
    """The signature, or ``SignatureError``."""
    if len(field.raw) > MAX_FIELD:
        raise _syntax(f"the field is longer than {MAX_FIELD} octets")
    try:
        found = tags.parse(field.value.decode("utf-8"))
        signature = _signature(found)
    except (tags.TagError, UnicodeDecodeError, KeyError) as error:
        raise _syntax(str(error)) from error
    try:
        _check_rules(signature, found, now)
    except SignatureError as error:
        raise SignatureError(error.result, error.reason, str(error), signature) from error
    return signature


def _signature(found: dict[str, str]) -> Signature:
    missing = [name for name in ("v", "a", "b", "bh", "d", "h", "s") if not found.get(name)]
    if missing:
        raise _syntax(f"{missing[0]}= is missing")
    if found["v"] != "1":
        raise _syntax("the version is not 1")
    domain, selector = to_query(tags.squeezed(found["d"])), to_query(tags.squeezed(found["s"]))
    if domain is None or selector is None or "." not in domain:
        raise _syntax("d= or s= is no domain name")
    names = tuple(name.strip().lower().encode("utf-8") for name in tags.squeezed(found["h"]).split(":"))
    if len(names) > MAX_NAMES:
        raise _syntax(f"h= names more than {MAX_NAMES} fields")
    header_canon, body_canon = _canons(found.get("c", "simple"))
    return Signature(
        domain=domain,
        selector=selector,
        algorithm=tags.squeezed(found["a"]).lower(),
        header_canon=header_canon,
        body_canon=body_canon,
        names=names,
        body_hash=tags.decoded(found["bh"]),
        signature=tags.decoded(found["b"]),
        identity=found.get("i", ""),
        length=_number(found, "l"),
        signed_at=_number(found, "t"),
        expires_at=_number(found, "x"),
    )


def _canons(text: str) -> tuple[Canon, Canon]:
    head, slash, body = tags.squeezed(text).lower().partition("/")
    body = body if slash else "simple"  # section 3.5: the body's default is simple, whatever the header's
    if {head, body} - {"simple", "relaxed"}:
        raise _syntax("c= names an unknown canonicalisation")
    return cast("Canon", head), cast("Canon", body)


def _number(found: dict[str, str], name: str) -> int | None:
    if name not in found:
        return None
    text = tags.squeezed(found[name])
    if not _DIGITS.fullmatch(text):
        raise _syntax(f"{name}= is no number")
    return int(text)


def _check_rules(signature: Signature, found: dict[str, str], now: float) -> None:
    if signature.algorithm == "rsa-sha1":
        raise SignatureError(Result.POLICY, Reason.HISTORIC, "rsa-sha1 has been retired (RFC 8301 section 3.1)")
    if signature.algorithm not in {"rsa-sha256", "ed25519-sha256"}:
        raise _syntax("a= names an unknown algorithm")
    if b"from" not in signature.names:
        raise SignatureError(Result.PERMERROR, Reason.FROM_UNSIGNED, "From is not signed (RFC 6376 section 5.4)")
    methods = [method.strip() for method in found.get("q", "dns/txt").lower().split(":")]
    if "dns/txt" not in methods:
        raise _syntax("q= names no known query method")
    if signature.identity and not _within(signature.identity.rpartition("@")[2], signature.domain):
        raise SignatureError(Result.PERMERROR, Reason.DOMAIN, "the domain of i= is not within d=")
    if signature.expires_at is not None:
        if signature.signed_at is not None and signature.expires_at <= signature.signed_at:
            raise _syntax("x= is not behind t=")
        if signature.expires_at + CLOCK_SKEW < now:
            raise SignatureError(Result.FAIL, Reason.EXPIRED, "the signature has expired")
    if signature.signed_at is not None and signature.signed_at > now + CLOCK_SKEW:
        raise SignatureError(Result.FAIL, Reason.FUTURE, "the signature was made in the future")


def _within(name: str, domain: str) -> bool:
    wire = to_query(tags.squeezed(name))
    return wire is not None and (wire == domain or wire.endswith(f".{domain}"))


def _syntax(detail: str) -> SignatureError:
    return SignatureError(Result.NEUTRAL, Reason.SYNTAX, detail)
