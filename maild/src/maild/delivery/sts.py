"""MTA-STS (RFC 8461): the policy a domain publishes, found by its DNS record, fetched over HTTPS, kept for max_age.

``policy_for`` answers the policy in force, from the store while it is fresh and its id unchanged; a failure to fetch
leaves an older one in force. Fetching is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from maild.dns import DNSError, Resolver
from maild.store import State, STSPolicy

MAX_POLICY_BYTES = 64 * 1024
"""RFC 8461 section 3.2 suggests this bound for a policy."""
MAX_AGE_SECONDS = 31_557_600
"""Largest max_age (RFC 8461 section 3.2)."""
_RECORD_ID = re.compile(r"(?:^|;)\s*id\s*=\s*([A-Za-z0-9]{1,32})\s*(?:;|$)")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")

Fetch = Callable[[str], Awaitable[bytes]]
"""Gives the body at an https URL whose certificate verified, without following redirects; raises ``OSError``."""


class STSError(ValueError):
    """The text is no policy; the message says why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as its text says it."""

    mode: str
    mx: tuple[str, ...]
    max_age: int


def parse(body: bytes) -> Policy:
    """Reads a policy (RFC 8461 section 3.2); raises ``STSError``."""
    if len(body) > MAX_POLICY_BYTES:
        raise STSError("the policy is too long")
    pairs: list[tuple[str, str]] = []
    for line in body.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            pairs.append((key.strip(), value.strip()))
        elif line.strip():
            raise STSError("a line is no key and value")
    values = dict(reversed(pairs))  # the first of a repeated key counts
    if values.get("version") != "STSv1":
        raise STSError("the version is not STSv1")
    mode, age = values.get("mode", ""), values.get("max_age", "")
    if mode not in ("enforce", "testing", "none"):
        raise STSError("the mode is not enforce, testing or none")
    if not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise STSError("max_age is no number")
    hosts = tuple(value.lower().removesuffix(".") for key, value in pairs if key == "mx")
    if any(not _HOST.fullmatch(host) for host in hosts):
        raise STSError("an mx is no host name")
    if not hosts and mode != "none":
        raise STSError("there is no mx")
    return Policy(mode, hosts, min(int(age), MAX_AGE_SECONDS))


def matches(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether an exchanger is one the policy names; ``*.`` stands for one label (RFC 8461 section 4.1)."""
    name = host.lower().removesuffix(".")
    return any(
        name == pattern or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:]) for pattern in patterns
    )


async def policy_for(domain: str, resolver: Resolver, state: State, fetch: Fetch, now: int) -> STSPolicy | None:
    """The policy in force for a domain; None when there is none. ``now`` is microseconds."""
    kept = await state.sts_policy(domain)
    if kept is not None and kept.expires_at <= now:
        kept = None
    published = await _published_id(domain, resolver)
    if published is None or (kept is not None and kept.policy_id == published):
        return kept
    try:
        policy = parse(await fetch(f"https://mta-sts.{domain}/.well-known/mta-sts.txt"))
    except (OSError, STSError):
        return kept
    fresh = STSPolicy(
        domain=domain,
        policy_id=published,
        mode=policy.mode,
        mx=policy.mx,
        fetched_at=now,
        expires_at=now + policy.max_age * 1_000_000,
    )
    await state.save_sts_policy(fresh)
    return fresh


async def _published_id(domain: str, resolver: Resolver) -> str | None:
    """The id of the domain's ``_mta-sts`` record; None without exactly one (RFC 8461 section 3.1)."""
    try:
        answer = await resolver.query(f"_mta-sts.{domain}", "TXT")
    except DNSError:
        return None
    texts = [record.decode("ascii", "replace") for record in answer.records if isinstance(record, bytes)]
    ours = [text for text in texts if re.match(r"v\s*=\s*STSv1\s*;", text)]
    found = _RECORD_ID.search(ours[0]) if len(ours) == 1 else None
    return found[1] if found else None
