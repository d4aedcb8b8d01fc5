"""How a host ends up on an engine: every case converged on one host, what each kind then reads, and the whole picture.

Two ends are compared but for the fields that are made anew each time; those are listed with their reasons in
``tests/contract/bundle/generated.toml``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pyinfra_winrm.resource import Present, State
from tests.lib.kindcases.case import Case
from tests.lib.kindcases.runner import Picture, converge, picture
from tests.lib.kindhost import kind_host
from tests.lib.programs import ROOT

LIST = ROOT / "tests" / "contract" / "bundle" / "generated.toml"
MOST = 12  # generated fields that may differ between engines


@dataclass(frozen=True)
class End:
    """A host that every case has been applied to."""

    states: dict[str, State]
    picture: Picture


def generated() -> list[re.Pattern[str]]:
    """The fields that no two hosts have alike."""
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["field"]
    assert len(rows) <= MOST, f"{len(rows)} generated fields, at most {MOST}"
    assert all(row["reason"] for row in rows)
    return [re.compile(row["pattern"]) for row in rows]


def end(folder: Path, engine: str, kind: str, cases: list[Case]) -> End:
    """Applies all cases to one host and reads them back in one request."""
    with kind_host(folder, engine, kind) as host:
        for case in cases:
            converge(host, case)
        states = host.read(*(case.base for case in cases))
        read = {str(case): state for case, state in zip(cases, states, strict=True)}
        return End(read, picture(folder))


def unlike(one: Picture, other: Picture) -> list[str]:
    """What differs between two pictures and is not listed as generated."""
    apart = generated()
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    left = [name for name in names if not any(pattern.search(name) for pattern in apart)]
    return [f"{name}: {one.get(name)} | {other.get(name)}" for name in left]


def comparable(state: State) -> object:
    """A state without what is made anew on each host."""
    if not isinstance(state, Present):
        return state
    value = dict(state.value)
    if isinstance(value.get("manifest"), dict):
        value["manifest"] = {key: item for key, item in value["manifest"].items() if key != "installed"}
    return value
