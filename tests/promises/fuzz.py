"""No parser raises anything but its own error, whatever it is fed: seeds, corpus and mutations for a time."""

from __future__ import annotations

import time

from tests.fuzz.__main__ import run as attack_all

ABOUT = "every parser under mutated input: seeds and corpus, then a minute (small) or an hour (full) for all together"

SECONDS = {"small": 60.0, "full": 3600.0}


def run(size: str) -> dict[str, object]:
    """The promise."""
    seed = 20261125 if size == "small" else int(time.time())
    counts, problems = attack_all(SECONDS[size], seed, [])
    assert not problems, problems[0]
    return {"cases": sum(counts.values()), "targets": len(counts), "seed": seed, "size": size}
