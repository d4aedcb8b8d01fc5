"""Seeds each known defect in a copy of the tree and sees that its promise turns red.

``python -m tests.defects [NAME ...]``: ``NAME.toml`` beside this file lists ``[[defect]]`` tables with ``file``,
``text``, ``replacement``, optionally ``why`` and ``check`` (a command instead of the promise itself). A text that is
not there exactly once, and a defect that nothing notices, are errors.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.lib.programs import find_mysql_maker, find_pwsh, find_winpy_maker

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RED = 1
"""The status of a check that ran and failed; pytest has others for a test that is not there or cannot be imported."""
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Defect:
    promise: str
    file: str
    text: str
    replacement: str
    check: str | None = None
    why: str = ""


def defects(name: str) -> list[Defect]:
    """The defects of one promise, from its TOML file."""
    tables = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))["defect"]
    return [Defect(promise=name, **table) for table in tables]


def copy_of_tree(target: Path) -> None:
    """Copies what git tracks or would track, as it stands in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def tools() -> dict[str, str]:
    """Where the programs beside the checkout are: a copy elsewhere would be red for want of them."""
    found = {"MAILHOST_PWSH": find_pwsh(), "MAILHOST_MYSQL": find_mysql_maker(), "MAILHOST_WINPY": find_winpy_maker()}
    return {name: str(path) for name, path in found.items() if path is not None}


def turns_red(defect: Defect) -> tuple[bool, str]:
    """Whether the seeded defect is noticed, and what the check printed last."""
    with tempfile.TemporaryDirectory(prefix="mailhost-defect-") as folder:
        tree = Path(folder) / "tree"
        copy_of_tree(tree)
        seeded = tree / defect.file
        before = seeded.read_text(encoding="utf-8")
        if (times := before.count(defect.text)) != 1:
            return False, f"the text is {times} times in {defect.file}"
        seeded.write_text(before.replace(defect.text, defect.replacement), encoding="utf-8")
        command = (
            shlex.split(defect.check)
            if defect.check
            else ["python", "-m", "tests.show", defect.promise, "--size", "small"]
        )
        command = [sys.executable if part == "python" else part for part in command]
        path = os.pathsep.join([str(tree), str(tree / "maild" / "src")])
        environment = os.environ | tools() | {"PYTHONPATH": path, "MAILHOST_DEFECT": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False, f"the check did not end within {PATIENCE_SECONDS} s"
        return done.returncode == RED, f"status {done.returncode}: {(done.stdout + done.stderr)[-400:]}"


def main(chosen: list[str]) -> int:
    """The command; returns its exit status."""
    names = chosen or sorted(path.stem for path in HERE.glob("*.toml"))
    missed = 0
    total = 0
    for name in names:
        for number, defect in enumerate(defects(name), 1):
            red, said = turns_red(defect)
            total += 1
            missed += not red
            what = defect.why or repr(defect.replacement[:60])
            print(f"{'red  ' if red else 'GREEN'} {name} {number} {defect.file}: {what}", flush=True)
            if not red:
                print(f"      {said}", flush=True)
    print(f"{total - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
