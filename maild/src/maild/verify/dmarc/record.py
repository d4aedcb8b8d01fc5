"""A DMARC policy record as data (RFC 9989 sections 4.7 and 4.8).

Reading is lenient as the standard asks: unknown tags and broken values fall back to defaults; only a wrong or late
``v=`` makes the text no record at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

MAX_RECORD = 4096
"""Octets of a record that are read; honest ones have under 500."""
MAX_URIS = 10
"""Report addresses that are read."""


class Disposition(StrEnum):
    """What a domain owner asks for mail that fails, from mild to hard."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def milder(self) -> Disposition:
        """One level below, for ``t=y``."""
        return Disposition.QUARANTINE if self is Disposition.REJECT else Disposition.NONE


Mode = Literal["r", "s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One record. ``policy`` None: no valid ``p=`` and no address for reports, so it asks for nothing."""

    policy: Disposition | None
    subdomains: Disposition | None = None
    nonexistent: Disposition | None = None
    psd: Literal["y", "n", "u"] = "u"
    testing: bool = False
    dkim_mode: Mode = "r"
    spf_mode: Mode = "r"
    reports_to: tuple[str, ...] = ()
    failures_to: tuple[str, ...] = ()

    def for_subdomain(self, *, exists: bool) -> Disposition | None:
        """The policy for a name below the record's (section 4.10.1)."""
        if self.policy is None:
            return None
        if not exists and self.nonexistent is not None:
            return self.nonexistent
        return self.subdomains or self.policy


_MAILTO = re.compile(r"mailto:([^@,;!\s]+@[^@,;!\s]+)(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


def parse(text: bytes) -> Policy | None:
    """The record, None when the text is none."""
    if len(text) > MAX_RECORD:
        return None
    first, *rest = text.decode("utf-8", "replace").split(";")
    name, sign, version = first.partition("=")
    if not sign or name.strip() != "v" or version.strip() != "DMARC1":
        return None
    found: dict[str, str] = {}
    for part in rest:
        tag, sign, value = part.partition("=")
        if sign:
            found.setdefault(tag.strip().lower(), value.strip())
    reports_to = _addresses(found.get("rua", ""))
    policy, is_valid = _dispositions(found)
    if not is_valid:
        policy = (Disposition.NONE if reports_to else None, None, None)
    psd = found.get("psd", "u").lower()
    return Policy(
        policy=policy[0],
        subdomains=policy[1],
        nonexistent=policy[2],
        psd="y" if psd == "y" else "n" if psd == "n" else "u",
        testing=found.get("t", "n").lower() == "y",
        dkim_mode="s" if found.get("adkim", "r").lower() == "s" else "r",
        spf_mode="s" if found.get("aspf", "r").lower() == "s" else "r",
        reports_to=reports_to,
        failures_to=_addresses(found.get("ruf", "")),
    )


def _dispositions(
    found: dict[str, str],
) -> tuple[tuple[Disposition | None, Disposition | None, Disposition | None], bool]:
    """``p``, ``sp``, ``np``, and whether section 4.10.1 calls them valid."""
    values: list[Disposition | None] = []
    is_valid = "p" in found
    for tag in ("p", "sp", "np"):
        try:
            values.append(Disposition(found[tag].lower()) if tag in found else None)
        except ValueError:
            values.append(None)
            is_valid = False
    return (values[0], values[1], values[2]), is_valid


def _addresses(value: str) -> tuple[str, ...]:
    """The mail addresses of a URI list; other schemes, and sizes behind ``!``, are ignored (section 4.7)."""
    found = [_MAILTO.fullmatch(uri.strip()) for uri in value.split(",")[:MAX_URIS]]
    return tuple(match[1] for match in found if match)
