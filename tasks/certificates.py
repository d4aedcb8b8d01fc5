"""Certificates."""

from __future__ import annotations

from pyinfra_winrm.kinds import Reconcile
from tasks.facts import Facts
from tasks.settings import Settings


def resources(_settings: Settings, _facts: Facts) -> list[Reconcile]:
    """Nothing yet."""
    return []


def first(_settings: Settings, _facts: Facts) -> list[Reconcile]:
    """Nothing yet."""
    return []
