"""Runs the cases on a host: converges the base, then changes each field alone and looks at plan, repair and the rest.

What the host is comes from the model's state and from drive C; the difference of two pictures has to lie within what
the case says it owns, and the base applied again has to bring the first picture back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pyinfra_winrm.kinds import KINDS
from tests.lib.kindcases import database, storage, system
from tests.lib.kindcases.case import Case, Change, fields_of
from tests.lib.kindcases.material import Material
from tests.lib.kindhost import KindHost, kind_host

# There is nothing else that these could be.
WITHOUT_ALTERNATIVE = {("reconcile", "state")}
Picture = dict[str, str]


def all_cases(material: Material) -> list[Case]:
    """Every case of every kind."""
    return [*system.cases(), *storage.cases(material), *database.cases(material)]


def uncovered(cases: list[Case]) -> list[str]:
    """Fields of dataclasses that no case changes, and kinds without a case."""
    missing = [f"{kind}: no case" for kind in KINDS if kind not in {case.base.kind for case in cases}]
    for kind in KINDS:
        mine = [case for case in cases if case.base.kind == kind]
        wanted = {path for case in mine for path in fields_of(case.base)}
        deeper = {path.partition(".")[0] for path in wanted if "." in path}
        covered = {path for case in mine for path in case.changes}
        missing += [
            f"{kind}.{path}" for path in sorted(wanted - covered - deeper) if (kind, path) not in WITHOUT_ALTERNATIVE
        ]
    return missing


def picture(root: Path) -> Picture:
    """Everything that the host of a lab's folder is: recorded state, and files by their hash."""
    found: Picture = {}
    for section in json.loads((root / "state.json").read_text(encoding="utf-8")).items():
        found |= _flat(*section)
    drive = root / "c"
    for path in sorted(drive.rglob("*")):
        name = "files/C:\\" + str(path.relative_to(drive)).replace("/", "\\")
        if "__pycache__" in path.parts:
            continue
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder"
    return found


def _flat(section: str, rows: dict[str, Any]) -> Picture:
    found: Picture = {}
    for key, row in rows.items():
        inner = row["values"] if section == "registry" else row
        if section in {"registry", "tasks"}:
            found |= {f"{section}/{key}/{name}": json.dumps(value, sort_keys=True) for name, value in inner.items()}
        else:
            found[f"{section}/{key}"] = json.dumps(row, sort_keys=True)
    return found


def changed(before: Picture, after: Picture, apart: tuple[str, ...]) -> list[str]:
    """What differs, what begins with one of ``apart`` left out."""
    names = sorted({*before, *after})
    return [
        f"{name}: {before.get(name)} -> {after.get(name)}"
        for name in names
        if before.get(name) != after.get(name) and not name.startswith(apart)
    ]


def converge(host: KindHost, case: Case) -> None:
    """Brings the host to where the case starts."""
    case.arrange(host.host)
    for resource in (*case.around, case.base):
        left = host.apply(resource)
        assert not left, f"{case}: {resource.label} does not converge: {left}"


def run_case(host: KindHost, case: Case) -> int:
    """Every change of a case; gives the number of fields."""
    converge(host, case)
    assert host.differences(case.base) == (), f"{case}: not in step"
    for name, change in case.changes.items():
        run_change(host, case, name, change)
    return len(case.changes)


def run_change(host: KindHost, case: Case, name: str, change: Change) -> None:
    """One field: its line in the plan, its repair, everything else as before, and the way back."""
    where = f"{case}.{name}"
    first = picture(host.host.root)
    change.before(host.host)
    lines = tuple(difference.field for difference in host.differences(change.resource))
    assert lines == change.lines, f"{where}: the plan says {lines}, not {change.lines}"
    started = picture(host.host.root)
    if change.applies:
        left = host.apply(change.resource)
        assert left == (), f"{where}: not repaired: {left}"
        assert host.differences(change.resource) == (), f"{where}: not in step after the repair"
        stray = changed(started, picture(host.host.root), (*case.own, *change.own))
        assert not stray, f"{where}: changed more than it owns: {stray[:5]}"
    for resource in (*change.undo, case.base):
        left = host.apply(resource)
        assert left == (), f"{where}: no way back: {left}"
    prepared = case.own if change.before is not Change.before else ()
    stray = changed(first, picture(host.host.root), (*case.generated, *prepared))
    assert not stray, f"{where}: the base brings back another host: {stray[:5]}"


def run_all(folder: Path, engine: str, apart: Collection[str] = (), kind: str = "bare") -> tuple[int, int]:
    """All cases, on one host each, the kinds ``apart`` left out; gives how many kinds and fields."""
    cases = [case for case in all_cases(Material(folder / "material")) if case.base.kind not in apart]
    fields = 0
    for number, case in enumerate(cases):
        with kind_host(folder / f"{engine}-{number}", engine, kind) as host:
            fields += run_case(host, case)
    return len({case.base.kind for case in cases}), fields
