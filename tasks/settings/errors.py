"""The one family of errors that settings raise: where, what, and what to do."""

from __future__ import annotations


class SettingsError(ValueError):
    """A setting that cannot be used. ``key`` is written as a reader finds it in ``group_data``."""

    def __init__(self, key: str, what: str, todo: str = "") -> None:
        self.key = key
        self.what = what
        self.todo = todo
        super().__init__(f"{key}: {what}" + (f"; {todo}" if todo else ""))
