"""Both engines, also in the Korean host, end at the same host: every kind converged, and the whole job deployed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from lab import lifecycle
from tests.lib.deploying import Lab, engines
from tests.lib.kindcases.ends import comparable, end, generated, unlike
from tests.lib.kindcases.material import Material
from tests.lib.kindcases.runner import all_cases, picture
from tests.lib.programs import ROOT
from tests.lib.site import Site

ABOUT = "every kind and the whole job end at the same host on both engines, in the Korean host too"

# the public half of an age key that nobody has kept; a lab makes one of its own otherwise
RECIPIENT = "age16mdnh4qghak5a2cn96vxdrzjnjcrl2tqhthc0gn8g25zgfumtctszjaw6l"


def kinds(folder: Path, kind: str) -> tuple[int, int]:
    """Every case on one host an engine; gives how many were compared, and how many pieces of state."""
    cases = all_cases(Material(folder / "material"))
    ends = [end(folder / engine, engine, kind, cases) for engine in engines()]
    first = ends[0]
    for other in ends[1:]:
        assert unlike(first.picture, other.picture) == [], unlike(first.picture, other.picture)[:5]
        for case, state in first.states.items():
            assert comparable(state) == comparable(other.states[case]), case
    return len(cases), len(first.picture)


def emptied(folder: Path) -> None:
    """Nothing left in a lab's folder, which stays: a lab whose folder is gone gives its ports up."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def job(folder: Path, kind: str) -> int:
    """The whole deploy on each engine, same place, ports and sources; gives the pieces of state compared."""
    source = folder / "maild"
    shutil.copytree(ROOT / "maild", source, ignore=shutil.ignore_patterns("__pycache__"))
    changed = {"database": {"engine": "sqlite"}, "release": {"platform": "local", "source": str(source)}}
    changed["backup"] = {"recipient": RECIPIENT}
    pictures, base = [], 0
    for engine in engines():
        config = lifecycle.start(folder / "lab", engine=engine, kind=kind, port_base=base)
        base = config.port_base
        try:
            where = Site(Lab(folder / "lab", config), changed=changed)
            where.deployed()
            where.in_step()
        finally:
            lifecycle.stop(folder / "lab")
        pictures.append(picture(folder / "lab"))
        emptied(folder / "lab")
    for other in pictures[1:]:
        assert unlike(pictures[0], other) == [], unlike(pictures[0], other)[:10]
    return len(pictures[0])


def run(size: str) -> dict[str, Any]:
    """``small``: every kind in the Korean host; ``full``: in the bare one too, and the whole job in both."""
    hosts = ("korean",) if size == "small" else ("bare", "korean")
    found: dict[str, Any] = {"engines": engines(), "hosts": hosts, "generated": len(generated())}
    with tempfile.TemporaryDirectory(prefix="mailhost-engines-") as name:
        folder = Path(name)
        for kind in hosts:
            found["kinds"], found[f"compared {kind}"] = kinds(folder / kind, kind)
            if size != "small":
                found[f"job {kind}"] = job(folder / f"job-{kind}", kind)
    return found
