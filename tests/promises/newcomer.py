"""A fresh clone, ``make deploy``, and a summary that a newcomer understands; the bare command does the same."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.lib.programs import ROOT

ABOUT = (
    "a fresh clone deploys with make and ends with a summary in Korean; pyinfra alone through a terminal does the same"
)

LIMIT = 300.0  # seconds for clone to summary at full size, the issue's own bound
PATIENCE = 900  # seconds; ends what hangs
TOLD = (
    "열린 포트", "타입", "호스트", "우선순위", "상태", "역방향 DNS(PTR record)", "인증서", "메일 프로그램 설정",
    "받는 전자 메일 서버", "첫 비밀번호", "로그", "테스트.net (xn--9t4b11yi5a.net)", "연습용 서버", "v=DKIM1; k=rsa",
    "v=spf1 ip4:192.0.2.25 -all", "이 컴퓨터에서: IMAP 993: 정상", "rua=mailto:dmarc-reports@",
)  # fmt: skip
QUESTION = re.compile(rb"(?i)press enter")  # how pyinfra asks whether to go on
OURS = ("PYTHONPATH", "VIRTUAL_ENV", "XDG_CACHE_HOME")


def environment(home: Path) -> dict[str, str]:
    """What a newcomer's shell has: nothing of this checkout, an empty home, the way to the package index."""
    venv = str(Path(sys.executable).parent)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILHOST_") and name not in OURS}
    paths = [path for path in kept.get("PATH", "").split(os.pathsep) if path != venv]
    return kept | {"HOME": str(home), "PATH": os.pathsep.join(paths), "MAILHOST_LAB_LANGUAGE": "ko", "LANG": "C.UTF-8"}


def clone(target: Path) -> None:
    """What git has of this checkout, as a clone of it would."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target)], check=True)


def make(checkout: Path, variables: dict[str, str], size: str) -> str:
    """``make deploy``; in CI with this run's own packages instead of installing them again."""
    command = ["make", "deploy"]
    if size == "small":
        # make splits names at spaces, so the stamp lies outside; -o: what is installed is left alone
        stamp = checkout.parent.parent / "installed"
        stamp.touch()
        command += [f"VENV={Path(sys.executable).parent.parent}", f"STAMP={stamp}", "-o", str(stamp)]
    else:
        command += [f"PYTHON={sys.base_prefix}/bin/python3"]
    done = subprocess.run(
        command, cwd=checkout, env=variables, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def bare(checkout: Path, variables: dict[str, str], program: Path) -> tuple[int, str]:
    """``pyinfra inventory.py deploy.py`` at a terminal, with Enter to its question."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [program, "-m", "pyinfra", "inventory.py", "deploy.py"],
        cwd=checkout, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said, until, answered = b"", time.monotonic() + PATIENCE, False
    while time.monotonic() < until:
        ready, _, _ = select.select([ours], [], [], 1.0)
        if ready:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            said += piece
        if not answered and QUESTION.search(said):
            os.write(ours, b"\n")
            answered = True
        if process.poll() is not None and not ready:
            break
    process.wait(PATIENCE)
    os.close(ours)
    return process.returncode, said.decode("utf-8", "replace")


def understood(said: str) -> None:
    """Everything a newcomer has to know is in it."""
    missing = [word for word in TOLD if word not in said]
    assert not missing, (missing, said[-4000:])


def lab(checkout: Path, variables: dict[str, str], program: Path, *arguments: str) -> None:
    subprocess.run([program, "-m", "lab", *arguments], cwd=checkout, env=variables, capture_output=True, check=False)


def run(size: str) -> dict[str, object]:
    """Both sizes deploy twice from a bare lab; full size installs everything anew."""
    with tempfile.TemporaryDirectory(prefix="mailhost-newcomer-") as name:
        folder = Path(name)
        checkout, home = folder / "새 폴더" / "mailhost", folder / "home"
        home.mkdir()
        checkout.parent.mkdir()
        variables = environment(home)
        started = time.monotonic()
        clone(checkout)
        program = Path(sys.executable) if size == "small" else checkout / ".venv" / "bin" / "python"
        try:
            understood(make(checkout, variables, size))
            seconds = time.monotonic() - started
            assert size == "small" or seconds <= LIMIT, seconds
            lab(checkout, variables, program, "reset")
            status, said = bare(checkout, variables, program)
            assert status == 0, said[-4000:]
            understood(said)
        finally:
            lab(checkout, variables, program, "stop")
        status, said = bare(checkout, variables, program)
        assert status == 1, (status, said[-2000:])
        assert "python -m lab start" in said, said[-2000:]
        assert "Traceback" not in said, said[-2000:]
    return {"seconds_to_summary": round(seconds, 1), "words_found": len(TOLD)}
