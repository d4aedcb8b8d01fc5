"""``python -m tests.fuzz [TARGET ...] [--seconds N] [--seed N]``: fuzzes targets in turn for a time in all.

What breaks a target is written to ``tests/fuzz/corpus/TARGET``, where the tests find it for ever, and ends the run of
that target. Exit status 1 when something broke.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.fuzz.mutate import mutated
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).resolve().parent / "corpus"
HANG_SECONDS = 20
"""A few kilobytes that take this long are an attack on time."""


class HangError(Exception):
    """One input took too long."""


def corpus_of(target: Target) -> list[bytes]:
    """Seeds, and what was found before."""
    folder = CORPUS / target.name
    found = [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
    return [*target.seeds, *found, b""]


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Raises ``HangError`` in code that takes longer."""

    def alarm(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise HangError

    before = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def attack(target: Target, seconds: float, seed: int) -> tuple[int, str]:
    """Runs one target for a time; returns how many inputs it took and what broke it."""
    chance = random.Random(f"{target.name} {seed}")
    corpus = corpus_of(target)
    until = time.monotonic() + seconds
    inputs = 0
    for data in corpus:
        if problem := broken(target, data):
            return inputs, problem
    while time.monotonic() < until:
        data = mutated(chance, corpus, target.words)
        inputs += 1
        if problem := broken(target, data):
            folder = CORPUS / target.name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
            return inputs, problem
    return inputs, ""


def broken(target: Target, data: bytes) -> str:
    """What is wrong with this input, empty when nothing is."""
    try:
        with no_longer_than(HANG_SECONDS):
            target(data)
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        return f"{target.name}: {data[:200]!r}\n{traceback.format_exc()}"
    return ""


def run(seconds: float, seed: int, names: list[str]) -> tuple[dict[str, int], list[str]]:
    """All chosen targets, the time shared evenly: inputs by target, and what broke."""
    chosen = [target for target in TARGETS if not names or target.name in names]
    counts: dict[str, int] = {}
    problems: list[str] = []
    for target in chosen:
        counts[target.name], problem = attack(target, seconds / len(chosen), seed)
        if problem:
            problems.append(problem)
    return counts, problems


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", choices=[[], *[target.name for target in TARGETS]])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args(arguments)
    counts, problems = run(chosen.seconds, chosen.seed, chosen.target)
    for name, count in counts.items():
        print(f"{name:18} {count:9} inputs")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
