"""Looks, compares and, with ``apply``, changes: an object a transaction, so a broken run goes on where it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maild.reconcile import certificates, people, traffic
from maild.reconcile.certificates import Writer
from maild.reconcile.change import Change, NotManaged, ReconcileError, Step
from maild.reconcile.desired import Desired
from maild.reconcile.passwords import FirstPasswords
from maild.reconcile.traffic import Sealing
from maild.store import Store, StoreError


@dataclass(frozen=True, slots=True)
class Tools:
    """What making an object takes beside the store."""

    passwords: FirstPasswords
    sealing: Sealing
    certificates: Writer


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change, or was changed, and what nobody declared."""

    changes: Sequence[Change]
    not_managed: Sequence[NotManaged]


async def reconcile(store: Store, desired: Desired, tools: Tools, *, apply: bool) -> Plan:
    """Compares and, with ``apply``, changes. A declaration that cannot be met is refused before anything is changed."""
    now = await people.look(store)
    flow = await traffic.look(store)
    shelf = certificates.look(tools.certificates.folder)
    steps = _steps(desired, tools, now, flow, shelf)
    if apply:
        for step in steps:
            try:
                await step.apply(store)
            except StoreError as error:
                what = f"{step.changes[0].object} {step.changes[0].name}"
                raise ReconcileError(f"{what}: {error.public} ({error})") from error
    return Plan(
        changes=_changes(steps),
        not_managed=[
            *people.not_managed(desired, now),
            *traffic.not_managed(desired, flow),
            *certificates.not_managed(desired, shelf),
        ],
    )


def from_nothing(desired: Desired, tools: Tools) -> Plan:
    """What would be made where the database has nothing yet, not even a schema."""
    shelf = certificates.look(tools.certificates.folder)
    steps = _steps(desired, tools, people.People(), traffic.Traffic(), shelf)
    return Plan(changes=_changes(steps), not_managed=[])


def _steps(
    desired: Desired, tools: Tools, now: people.People, flow: traffic.Traffic, shelf: certificates.Shelf
) -> list[Step]:
    steps = [
        *people.steps(desired, now, tools.passwords),
        *traffic.steps(desired, flow, tools.sealing),
        *certificates.steps(desired, shelf, tools.certificates),
    ]
    problems = [step.problem for step in steps if step.problem]
    if problems:
        raise ReconcileError("; ".join(problems))
    return steps


def _changes(steps: Sequence[Step]) -> list[Change]:
    return [change for step in steps for change in step.changes]
