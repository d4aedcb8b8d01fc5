"""Decides what a certificate needs, from what is there, what is wanted and the time. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from maild.certs.pairs import Found

LIFE_LEFT = 3
"""A certificate is renewed when a third of its life is left: 30 days of 90, and still right for shorter lives."""


class Need(Enum):
    """What has to be done."""

    NOTHING = "nothing"
    FIRST = "first"
    """There is none, or a self-signed one stands in for it."""
    NAMES = "names"
    """A name is wanted that it does not have."""
    RENEWAL = "renewal"
    """A third of its life is left, or less."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate as the settings name it, host names in A-labels."""

    name: str
    names: tuple[str, ...]


def need(found: Found | None, wanted: Wanted, now: dt.datetime) -> Need:
    """What a certificate needs now."""
    if found is None or found.self_signed:
        return Need.FIRST
    if is_due(found, now):
        return Need.RENEWAL
    return Need.NAMES if missing(found, wanted) else Need.NOTHING


def is_due(found: Found, now: dt.datetime) -> bool:
    """Whether a third of its life is left, or less."""
    return (found.not_after - now) * LIFE_LEFT <= found.not_after - found.not_before


def missing(found: Found | None, wanted: Wanted) -> tuple[str, ...]:
    """The names that are wanted and not in it."""
    has = set() if found is None or found.self_signed else set(found.names)
    return tuple(name for name in wanted.names if name not in has)


def days_left(found: Found, now: dt.datetime) -> int:
    """Whole days until it ends; negative when it has."""
    return (found.not_after - now).days
