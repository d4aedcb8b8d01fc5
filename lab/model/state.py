"""What the host remembers: one JSON file, changed under one lock and written as a whole by rename.

A reader outside always finds a complete file. The journal beside it has one line for each changed field; a change to
the value that is there already writes neither.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Section = dict[str, Any]


class Journal:
    """One JSON line for each field that changed; never the content of a file or a secret, only its hash."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()

    def record(self, kind: str, name: str, field: str, old: Any, new: Any) -> None:
        """Writes a line unless the field stays as it was."""
        if old == new:
            return
        line = {"time": self._clock(), "kind": kind, "name": name, "field": field, "old": old, "new": new}
        with self._lock, self.path.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line, ensure_ascii=False) + "\n")

    def entries(self) -> list[dict[str, Any]]:
        """All lines so far."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]


def net(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is different after all of them: a field that came back to what it was is left out.

    So is the access list of a file that was made and removed again: what hands a secret to a program lives as long.
    """
    fields: dict[tuple[str, str, str], dict[str, Any]] = {}
    for entry in entries:
        key = (entry["kind"], entry["name"].casefold(), entry["field"])
        fields[key] = {**entry, "old": fields[key]["old"]} if key in fields else entry
    came_and_went = {
        name for (kind, name, _), entry in fields.items() if kind == "file" and entry["old"] is entry["new"] is None
    }
    return [
        entry
        for (kind, name, _), entry in fields.items()
        if entry["old"] != entry["new"] and not (kind == "acl" and name in came_and_went)
    ]


class State:
    """The sections of the state file, in memory; ``changing`` writes them when the outermost block ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.RLock()
        self._depth = 0
        self._sections: dict[str, Section] = {}
        if path.exists():
            self._sections = json.loads(path.read_text(encoding="utf-8"))

    def section(self, name: str) -> Section:
        """The mutable section of that name; mutate it only inside ``changing``."""
        return self._sections.setdefault(name, {})

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Holds the lock, and writes the file when the outermost block ends, also after an error inside."""
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._write()

    def _write(self) -> None:
        temporary = self._path.with_suffix(".new")
        text = json.dumps(self._sections, ensure_ascii=False, sort_keys=True, indent=1)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, self._path)
