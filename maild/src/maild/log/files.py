"""Writes records to a file a day, in a thread of its own, and deletes files older than they are kept.

A record costs the caller one queue operation; formatting and the disk are the thread's. A disk that fails is reported
once on stderr and tried again with the next records: logging never stops the mail.
"""

from __future__ import annotations

import queue
import re
import sys
import threading
import time
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

from maild.log.record import Record, as_json, as_line, day

BATCH = 2000
"""Records written by one call: bounds the memory of a batch."""
WAITING = 200_000
"""Records that may wait for a slow disk; further ones are counted and dropped, their number is logged."""

NAME = re.compile(r"(?:ERROR_)?maild_(\d{4}-\d{2}-\d{2})\.(?:log|jsonl)")


class LogFiles:
    """The day's files of one folder and the thread that writes them."""

    def __init__(self, folder: Path, keep_days: int = 30, *, json: bool = True) -> None:
        self.folder = folder
        self._keep_days = keep_days
        self._json = json
        self._queue: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._open: dict[str, BinaryIO] = {}
        self._day = ""
        self._dropped = 0
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Makes the folder and today's file, then starts the thread; raises OSError when it cannot."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._turn_to(day(time.time()))
        self._file("maild", "log")
        self._thread.start()

    def put(self, record: Record) -> None:
        """Takes one record."""
        if self._queue.qsize() > WAITING:
            self._dropped += 1
            return
        self._queue.put(record)

    def close(self) -> None:
        """Writes what waits and ends the thread."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout=10)
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _run(self) -> None:
        more = True
        while more:
            batch: list[Record] = []
            record = self._queue.get()
            while record is not None:
                batch.append(record)
                if len(batch) >= BATCH:
                    break
                try:
                    record = self._queue.get_nowait()
                except queue.Empty:
                    break
            else:
                more = False
            try:
                self._write(batch)
                self._failed = False
            except OSError as error:
                if not self._failed:
                    print(f"maild: log: {error}", file=sys.stderr)  # noqa: T201 - the log itself is what failed
                self._failed = True

    def _write(self, batch: list[Record]) -> None:
        if self._dropped:
            count, self._dropped = self._dropped, 0
            batch.append(
                Record("ERROR", time.time(), 0, 0, "", f"{count} log lines were dropped: the disk is too slow")
            )
        start = 0
        while start < len(batch):
            today = day(batch[start].at)
            end = start
            while end < len(batch) and day(batch[end].at) == today:
                end += 1
            if today > self._day:
                self._turn_to(today)
            self._write_day(batch[start:end])
            start = end

    def _write_day(self, records: list[Record]) -> None:
        self._append("maild", "log", "".join([f"{as_line(record)}\r\n" for record in records]).encode())
        errors = [f"{as_line(record)}\r\n" for record in records if record.kind == "ERROR"]
        if errors:
            self._append("ERROR_maild", "log", "".join(errors).encode())
        if self._json:
            self._append("maild", "jsonl", b"".join([as_json(record) + b"\n" for record in records]))

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
