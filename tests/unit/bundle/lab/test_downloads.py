"""Stand-ins for downloads in a folder that several runs share."""

from __future__ import annotations

import multiprocessing
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from lab import downloads

RUNS, FOLDERS = 6, 30


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def make_at_once(below: Path, start: Barrier, found: SimpleQueue[bool]) -> None:
    wanted = content(downloads.make(below / str(start.parties)))
    try:
        for number in range(FOLDERS):
            start.wait()
            found.put(content(downloads.make(below / f"at once {number}")) == wanted)
    except BaseException:
        start.abort()
        raise


def test_runs_that_start_at_once_each_find_whole_downloads(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, found = context.Barrier(RUNS), context.SimpleQueue()
    downloads.make(tmp_path / str(RUNS))
    runs = [context.Process(target=make_at_once, args=(tmp_path, start, found)) for _ in range(RUNS)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0] * RUNS
    assert all(found.get() for _ in range(RUNS * FOLDERS))
    assert not list(tmp_path.rglob(".*"))
