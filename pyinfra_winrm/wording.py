"""The few words a plan says of a host by itself; a deploy may give them in the language of its reader.

They are templates of ``str.format`` with the places named here; everything else a plan prints is data.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """How a plan speaks to people. Its JSON is for programs and stays as it is."""

    in_step: str = "in step"
    one: str = "1 difference"
    many: str = "{count} differences"
    error: str = "error: {error}"
    held: str = "a run by {user} since {since} holds the lock"
    """Places: ``user``, ``since``."""


ENGLISH = Words()
