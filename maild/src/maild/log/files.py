"""Writes records to a file a day and deletes files older than they are kept.

A record is kept as it is made and formatted with many others by a thread that wakes a few times a second, in slices
between which it lets the loop have the interpreter; a thread woken for each line would fight for it. A disk that fails
is reported once on stderr and tried again with the next lines: logging never stops the mail.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from maild.log.record import CONVERSATIONS, Record, as_json, as_line, day

EVERY_SECONDS = 0.1
"""How often lines are written; what a killed daemon can lose of its log."""
WAITING = 200_000
"""Lines that may wait for a slow disk; further ones are counted and dropped, their number is logged."""

SLICE = 250
"""Lines formatted in one go, some 0.3 ms: so long the loop may have to wait for the interpreter."""

NAME = re.compile(r"(?:ERROR_)?maild_(\d{4}-\d{2}-\d{2})\.(?:log|jsonl)")


class LogFiles:
    """The day's files of one folder and the thread that writes them."""

    def __init__(self, folder: Path, keep_days: int = 30, *, json: bool = True) -> None:
        self.folder = folder
        self._keep_days = keep_days
        self._json = json
        self._waiting: list[Record] = []
        self._open: dict[str, BinaryIO] = {}
        self._day = ""
        self._dropped = 0
        self._failed = False
        self._moved: Path | None = None
        """A folder to go on in; the thread that writes takes it up."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Makes the folder and today's file, then starts the thread; raises OSError when it cannot."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._turn_to(day(time.time()))
        self._file("maild", "log")
        self._thread.start()

    def configure(self, folder: Path, keep_days: int, *, json: bool) -> None:
        """Takes changed settings; lines that wait go to the new folder. Raises OSError for a folder that cannot be."""
        folder.mkdir(parents=True, exist_ok=True)
        self._keep_days, self._json = keep_days, json
        if folder != self.folder:
            self._moved = folder

    def put(self, record: Record) -> None:
        """Takes one record; may be called from any thread."""
        if len(self._waiting) >= WAITING:
            self._dropped += 1
            return
        self._waiting.append(record)

    def close(self) -> None:
        """Writes what waits and ends the thread."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        for file in self._open.values():
            file.close()
        self._open.clear()

    def flush(self) -> None:
        """Writes what waits; raises OSError."""
        records = self._waiting.copy()
        # A line that another thread adds meanwhile stays for the next time.
        del self._waiting[: len(records)]
        if self._dropped:
            count, self._dropped = self._dropped, 0
            self.put(Record("ERROR", time.time(), 0, 0, "", f"{count} log lines were dropped: the disk is too slow"))
        if self._moved is not None:
            self.folder, self._moved = self._moved, None
            self._turn_to(self._day)
        for today, those in groupby(records, lambda record: day(record.at)):
            if today > self._day:
                self._turn_to(today)
            self._write(list(those))

    def _run(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(EVERY_SECONDS)
            try:
                self.flush()
                self._failed = False
            except OSError as error:
                if not self._failed:
                    print(f"maild: log: {error}", file=sys.stderr)  # noqa: T201 - the log itself is what failed
                self._failed = True

    def _write(self, records: Sequence[Record]) -> None:
        lines: list[str] = []
        json: list[bytes] = []
        for start in range(0, len(records), SLICE):
            part = records[start : start + SLICE]
            lines += [as_line(record) for record in part]
            if self._json:
                # Machines read events; the conversations, most of all lines, are for people.
                json += [as_json(record) for record in part if record.kind not in CONVERSATIONS]
            time.sleep(0)
        self._append("maild", "log", _text(lines))
        errors = [line for line, record in zip(lines, records, strict=True) if record.kind == "ERROR"]
        if errors:
            self._append("ERROR_maild", "log", _text(errors))
        if json:
            self._append("maild", "jsonl", b"\n".join([*json, b""]))

    def _append(self, stem: str, ending: str, data: bytes) -> None:
        file = self._file(stem, ending)
        file.write(data)
        file.flush()

    def _file(self, stem: str, ending: str) -> BinaryIO:
        name = f"{stem}_{self._day}.{ending}"
        if name not in self._open:
            self._open[name] = (self.folder / name).open("ab")
        return self._open[name]

    def _turn_to(self, today: str) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._day = today
        oldest = (date.fromisoformat(today) - timedelta(days=self._keep_days - 1)).isoformat()
        for path in self.folder.iterdir():
            named = NAME.fullmatch(path.name)
            if named and named[1] < oldest:
                path.unlink(missing_ok=True)


def _text(lines: Sequence[str]) -> bytes:
    return "\r\n".join([*lines, ""]).encode()
