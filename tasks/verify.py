"""Whether a server serves: what was seen from itself decides, what was seen from here is told.

A controller may sit behind a provider that blocks port 25, so its view alone never fails a deploy.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.summary import Check


def broken(checks: Iterable[Check]) -> list[str]:
    """What does not work as seen from the host itself."""
    return [
        f"{check.what}{f' ({check.detail})' if check.detail else ''}"
        for check in checks
        if check.origin == "host" and not check.fine
    ]
