"""Where a secret is to be found: an environment variable, a file outside the tree, or a question at the terminal.

A secret itself never stands in the settings, so that ``group_data`` can be committed; it is read when a task needs it.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tasks.settings.errors import SettingsError
from tasks.translation import marked

TREE = Path(__file__).resolve().parents[2]
HOW = marked('write {{"env": "NAME"}}, {{"file": "~/path/outside/this/folder"}} or {{"prompt": "what to ask"}}')


class SecretSource:
    """A reference to a secret: exactly one of ``env``, ``file``, ``prompt``."""

    __slots__ = ("key", "place", "way")

    def __init__(self, key: str, way: str, place: str) -> None:
        self.key = key
        self.way = way
        self.place = place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretSource) and (self.way, self.place) == (other.way, other.place)

    def __hash__(self) -> int:
        return hash((self.way, self.place))

    def __repr__(self) -> str:
        return f"SecretSource({self.way}={self.place!r})"

    @classmethod
    def parse(cls, key: str, data: Any) -> SecretSource:
        """The reference written in the settings; a literal is refused, without repeating it."""
        if isinstance(data, str):
            raise SettingsError(key, "a literal secret does not belong in group_data or an inventory", HOW)
        if not isinstance(data, Mapping) or len(data) != 1 or not set(data) <= {"env", "file", "prompt"}:
            raise SettingsError(key, "this does not say where the secret is", HOW)
        ((way, place),) = data.items()
        if not isinstance(place, str) or not place:
            raise SettingsError(f"{key}.{way}", "the place must be a text", HOW)
        if way == "file" and Path(place).expanduser().resolve().is_relative_to(TREE):
            raise SettingsError(
                key,
                "{place} lies in this project, where it could be committed",
                "keep it in a folder outside",
                place=place,
            )
        return cls(key, way, place)

    def read(
        self,
        environment: Mapping[str, str] = os.environ,
        ask: Callable[[str], str] = getpass.getpass,
    ) -> str:
        """The secret; raises ``SettingsError`` when it is not where the reference says."""
        if self.way == "env":
            found = environment.get(self.place, "")
        elif self.way == "file":
            try:
                found = Path(self.place).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                raise SettingsError(
                    self.key, "{place} cannot be read ({problem})", place=self.place, problem=error.strerror
                ) from error
        else:
            found = ask(f"{self.place}: ")
        if not found:
            raise SettingsError(
                self.key,
                "no secret is in {way} {place!r}",
                "set {place} before the run",
                way=self.way,
                place=self.place,
            )
        return found
