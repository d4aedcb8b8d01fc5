"""The hosts that a lab can start as, each a function that prepares a fresh model.

What they share is a Server 2019 that nobody has touched; preparing one a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.hosts.bare import bare
from lab.hosts.hmailserver import hmailserver
from lab.hosts.korean import korean
from lab.hosts.tutorial import tutorial
from lab.model.host import Host

PREPARED = "prepared"
HOSTS: dict[str, Callable[[Host], None]] = {
    "bare": bare,
    "tutorial": tutorial,
    "hmailserver": hmailserver,
    "korean": korean,
}


def prepare(host: Host, kind: str) -> None:
    """Makes the host what it is to be, once; the journal starts empty after that."""
    done = host.state.section("lab")
    if done.get(PREPARED):
        return
    HOSTS[kind](host)
    with host.state.changing():
        done[PREPARED] = kind
    host.journal.path.unlink(missing_ok=True)
