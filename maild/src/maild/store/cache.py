"""Answers kept for a moment, so that a busy server asks its database once a second and not once a recipient."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FRESH_SECONDS = 1.0
"""What the interface promises: a change by another daemon or the CLI holds here within a second."""

MOST_ANSWERS = 4096


class Fresh(Generic[K, V]):
    """Answers by key, none older than ``FRESH_SECONDS``; ``clear`` after a change of our own."""

    def __init__(self, load: Callable[[K], Awaitable[V]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._monotonic = monotonic
        self._answers: dict[K, tuple[float, V]] = {}
        self._generation = 0

    def at_hand(self, key: K) -> V | None:
        """The answer if it is in the cache."""
        kept = self._answers.get(key)
        return kept[1] if kept is not None and self._monotonic() - kept[0] < FRESH_SECONDS else None

    async def get(self, key: K) -> V:
        """The answer, from the cache or anew."""
        now = self._monotonic()
        kept = self._answers.get(key)
        if kept is not None and now - kept[0] < FRESH_SECONDS:
            return kept[1]
        generation = self._generation
        value = await self._load(key)
        if generation == self._generation:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[key] = (now, value)
        return value

    def clear(self) -> None:
        """Forgets everything, loads under way included."""
        self._generation += 1
        self._answers.clear()
