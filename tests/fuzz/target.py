"""What a fuzz target is: a function over bytes that may raise its own error and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under attack. ``expected`` is its own family of errors; ``words`` are mixed into the input."""

    name: str
    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    expected: tuple[type[BaseException], ...] = ()
    words: tuple[bytes, ...] = ()

    def __call__(self, data: bytes) -> None:
        """Runs once; raises whatever is not the target's own error."""
        try:
            self.run(data)
        except self.expected:
            return
