"""How a command fails: ``BadCommand`` is the client's syntax or order, ``Refused`` a request that cannot be met.

Both carry the text the client reads; a fault of ours is neither and ends the session through the log.
"""

from __future__ import annotations


class ImapError(Exception):
    """The root of this package's errors."""


class BadCommand(ImapError):  # noqa: N818
    """Answered by BAD."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.code = code


class Refused(ImapError):  # noqa: N818
    """Answered by NO, with a response code of RFC 5530 or of the extension concerned."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.code = code


class Goodbye(ImapError):  # noqa: N818
    """The session ends after an untagged BYE."""
