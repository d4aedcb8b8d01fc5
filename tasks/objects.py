"""The mail objects as ``maild reconcile`` takes them: domains, mailboxes, aliases, lists, routes, ranges."""

from __future__ import annotations

from pyinfra_winrm.kinds import Reconcile
from tasks.facts import Facts
from tasks.settings import Settings


def resources(_settings: Settings, _facts: Facts) -> list[Reconcile]:
    """Nothing yet."""
    return []
