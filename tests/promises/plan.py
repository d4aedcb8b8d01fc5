"""The plan's exit status and JSON lines: in step, drift, error, wrong usage, several hosts."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.lib.deploying import Lab, Project, running_lab
from tests.lib.labsession import session

ABOUT = "exit status and JSON of a plan: in step, drift, error, usage, one of three failing, two settings, locked host"

DEPLOY = """
from pyinfra import host
from pyinfra_winrm import prefetch
from pyinfra_winrm.kinds import Directory, File
from pyinfra_winrm.operation import ensure

folders = [Directory(path="C:/Mailhost")]
files = [File(path="C:/Mailhost/메일.txt", content=host.data.get("text", "안녕"))]
prefetch(host, [*folders, *files])
ensure(name="Folders", task="folders", resources=folders)
ensure(name="Files", task="files", resources=files)
"""

SCRIPT = """
from pyinfra_winrm.operations import powershell
powershell(name="Say hello", script="hostname")
"""

CONTENT = "files / file C:/Mailhost/메일.txt: content: "


def usage(project: Project) -> int:
    """Wrong usage, each of its ways."""
    wrong = [
        [], ["dance"], ["plan"], ["plan", "inventory.py"], ["plan", "inventory.py", "missing.py"],
        ["plan", "--nonsense", "inventory.py", "deploy.py"],
    ]  # fmt: skip
    for arguments in wrong:
        ran = project.run("-m", "pyinfra_winrm", *arguments)
        assert ran.status == 64, (arguments, ran)
        assert ran.out == "", ran
    return len(wrong)


def one_host(project: Project, lab: Lab) -> int:
    """Drift, in step, drift of one field, another operation."""
    bare = project.plan()
    assert bare.status == 2, bare
    assert bare.out.splitlines() == [
        "folders / directory C:/Mailhost: state: absent -> present",
        "files / file C:/Mailhost/메일.txt: state: absent -> present",
        "2 differences",
    ]
    assert lab.journal() == []
    assert not (lab.drive / "ProgramData" / "Mailhost").exists(), "a plan took the lock"
    assert project.deploy().status == 0
    done = project.plan("--json")
    assert (done.status, done.json) == (0, [{"host": "@winrm/lab0", "status": "in step", "differences": 0}])
    assert project.plan().out == "in step\n"
    (lab.drive / "Mailhost" / "메일.txt").write_text("by hand", encoding="utf-8")
    drift = project.plan("--json")
    assert drift.status == 2, drift
    assert [(row.get("label"), row.get("field"), row.get("status")) for row in drift.json] == [
        ("C:/Mailhost/메일.txt", "content", None),
        (None, None, "drift"),
    ]
    project.write(SCRIPT)
    other = project.plan("--json")
    assert (other.status, other.json[0]["label"]) == (2, "Say hello"), other
    return 5


def errors(project: Project, lab: Lab) -> int:
    """A host that is not reached, a deploy file that breaks, a read that is cut for good."""
    project.write(DEPLOY, {"gone": lab.data(winrm_port=1)})
    gone = project.plan("--json")
    assert gone.status == 1, gone
    assert [row["status"] for row in gone.json] == ["error"]
    assert "nothing listens at" in gone.json[0]["error"], gone
    project.write("raise RuntimeError('broken deploy')\n")
    assert project.plan().status == 1
    project.write(DEPLOY)
    lab.fault("cut", verb="read", times=0)
    cut = project.plan()
    lab.call("lab.clear")
    assert cut.status == 1, cut
    assert "was cut" in cut.out, cut
    assert "Traceback" not in gone.text + cut.text
    return 3


def several(project: Project, lab: Lab) -> int:
    """One of three hosts failing; two hosts with settings of their own."""
    project.write(DEPLOY, {"a": lab.data(), "b": lab.data(winrm_port=1), "c": lab.data(text="다른 글")})
    ran = project.plan("--json")
    assert ran.status == 1, ran
    statuses = {row["host"]: row["status"] for row in ran.json if "status" in row}
    assert statuses["@winrm/b"] == "error", ran
    assert {statuses["@winrm/a"], statuses["@winrm/c"]} <= {"drift", "in step"}, ran
    project.write(DEPLOY, {"a": lab.data(text="하나"), "c": lab.data(text="둘")})
    two = project.plan()
    assert two.status == 2, two
    for name in ("a", "c"):
        assert f"[@winrm/{name}] {CONTENT}" in two.out, two
    wanted = {line.rpartition(" -> ")[2] for line in two.out.splitlines() if CONTENT in line}
    assert len(wanted) == 2, two
    return 2


def held(project: Project, lab: Lab) -> int:
    """Another run that holds the lock is named, waited for by nobody, and changes no verdict."""
    project.write(DEPLOY)
    status = project.plan().status
    other = {"run": "r1", "user": "김@desk", "start": "2026-11-25T03:00:00+00:00"}
    with session(lab) as changing:
        assert changing.read("lock", {**other, "lease": 600}).fields.get("held") is None
        text, rows = project.plan(), project.plan("--json")
    assert (text.status, rows.status) == (status, status), (text, rows)
    line = "a run by 김@desk since 2026-11-25T03:00:00+00:00 holds the lock"
    assert text.out.splitlines().count(line) == 1, text
    assert rows.json[-1]["lock"] == {"run": "r1", "user": other["user"], "since": other["start"]}, rows
    return 2


def run(size: str) -> dict[str, object]:
    """Holds on the model engine; the comparison is the same on the other."""
    del size
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailhost-plan-")))
        lab = stack.enter_context(running_lab(folder / "lab"))
        project = Project(folder / "project", [lab])
        project.write(DEPLOY)
        cases = usage(project) + one_host(project, lab) + errors(project, lab) + several(project, lab)
        cases += held(project, lab)
    return {"engine": "model", "cases": cases}
