"""A secret value: a string that prints as asterisks and shows itself only where a request to the host is encoded.

It guarantees that printing, logging, formatting or a debugger's repr never shows the text; it leaves where the text
comes from to its makers, and how it travels to ``protocol``.
"""

from __future__ import annotations

import hmac
from typing import Final

MASK: Final = "********"


class Secret:
    """Wraps one secret string; equal to another secret of the same text, never to a plain string."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a secret is not written to a file or sent to another process")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self
