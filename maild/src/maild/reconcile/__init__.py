"""A desired state in, the differences out, and the way from one to the other.

Only what is declared is owned: an object that is not declared is shown as not managed and never touched, and of a
declared one only the fields that are given. Running it again changes nothing.
"""

from __future__ import annotations

from maild.reconcile.change import Change, NotManaged, ReconcileError
from maild.reconcile.desired import Desired, absent, read
from maild.reconcile.run import Plan, Tools, from_nothing, reconcile

__all__ = [
    "Change",
    "Desired",
    "NotManaged",
    "Plan",
    "ReconcileError",
    "Tools",
    "absent",
    "from_nothing",
    "read",
    "reconcile",
]
