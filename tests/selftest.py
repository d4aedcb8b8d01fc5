"""The contract ring on a real host: each kind that needs nothing but Windows, made, found in step, changed, removed.

``python -m tests.selftest @winrm/HOST [--inventory FILE] [--report FILE]`` takes the host's data from the inventory.
All objects are named ``MailhostSelfTest`` and are gone afterwards; nothing else of the host is touched, and what cannot
be tried without touching more (time, listeners, installers, databases) is named as not tried. Exit status 0 when all
held, 1 when something did not, 64 on wrong usage.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyinfra_winrm.errors import HostError
from pyinfra_winrm.kinds import (
    KINDS,
    Acl,
    Allow,
    AtStartup,
    Daily,
    Directory,
    EventSource,
    FailureActions,
    File,
    FirewallGroup,
    FirewallRule,
    RegistryValue,
    ScheduledTask,
    Service,
)
from pyinfra_winrm.resource import Resource
from pyinfra_winrm.run import HostRun
from pyinfra_winrm.secret import Secret
from pyinfra_winrm.settings import DATA_META, connection

NAME = "MailhostSelfTest"
FOLDER = f"C:/ProgramData/{NAME}"
PROGRAM = "C:/Windows/System32/svchost.exe"
CLOSED = Acl((Allow("SYSTEM", "full"), Allow("Administrators", "full")))
WRONG_USAGE = 64
PATIENCE = 120  # seconds for one change


def resources() -> list[list[Any]]:
    """For each kind that is tried the values it goes through; the first is made, the last is gone again."""
    folder = Directory(path=FOLDER, acl=CLOSED)
    file = File(path=f"{FOLDER}/설정.txt", content="첫 줄\n", acl=CLOSED)
    value = RegistryValue(key=f"HKLM/SOFTWARE/{NAME}", name="값", value=(1 << 32) - 1, type="dword")
    source = EventSource(name=NAME)
    rule = FirewallRule(name="one", ports=(65321,), remote_addresses=("192.0.2.0/24",), description="시험")
    group = FirewallGroup(name=NAME, rules=(rule, FirewallRule(name="two", ports=("65322-65323",), enabled=False)))
    task = ScheduledTask(
        name="시험", folder=f"/{NAME}", command=(PROGRAM, "a b"), triggers=(Daily("04:17"),), enabled=False
    )
    service = Service(
        name=NAME,
        command=(PROGRAM, "-k", NAME),
        account=f"NT SERVICE\\{NAME}",
        start="disabled",
        status="stopped",
        environment={"시험": "한 글"},
    )
    reader = replace(CLOSED, entries=(*CLOSED.entries, Allow(f"NT SERVICE\\{NAME}", "read")))
    return [
        [folder, replace(folder, acl=reader)],
        life(file, replace(file, content=Secret("둘째\r\n")), replace(file, content="", acl=reader)),
        life(value, replace(value, value=("하나", "둘"), type="multi"), replace(value, value=b"\0\xff", type="binary")),
        life(source, replace(source, message_file=f"{FOLDER}/none.dll")),
        life(group, replace(group, rules=(replace(rule, ports=(65324,), action="block"),))),
        life(task, replace(task, triggers=(AtStartup(3),), description="설명")),
        life(service, replace(service, start="delayed", failure=FailureActions((1, 2), 60))),
        [replace(folder, state="absent", purge=True)],
    ]


def life(first: Any, *later: Any) -> list[Any]:
    """The values of one object, and its end."""
    return [first, *later, replace(first, state="absent")]


def host_data(inventory: Path, name: str) -> dict[str, Any]:
    """The data of one host of an inventory, with the connector's defaults."""
    found: dict[str, Any] = {}
    for group in runpy.run_path(str(inventory)).values():
        for host in group if isinstance(group, list | tuple) else ():
            known, data = host if isinstance(host, tuple) else (host, {})
            if known == name and isinstance(data, Mapping):
                found = dict(data)
    defaults = {key: meta.default for key, meta in DATA_META.items()}
    return {**defaults, "winrm_host": name.removeprefix("@winrm/"), **found}


def tried(run: HostRun) -> Iterator[dict[str, Any]]:
    """Goes through the values of every kind; one line for each."""
    for values in resources():
        for value in values:
            started = time.monotonic()
            line = {"kind": value.kind, "label": value.label, "state": value.state}
            said = attempt(run, value)
            yield line | {"ok": not said, "said": said, "seconds": round(time.monotonic() - started, 2)}


def attempt(run: HostRun, value: Resource) -> str:
    """Applies one value and plans it again; what went wrong, or nothing."""
    try:
        run.apply(value, PATIENCE)
        drifting, found = run.drifting(NAME, [value])
    except HostError as error:
        return str(error)
    return "; ".join(drift.field_line() for drift in found) if drifting else ""


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.selftest", description=__doc__)
    parser.add_argument("host", help="@winrm/NAME, as the inventory has it")
    parser.add_argument("--inventory", type=Path, default=Path("inventory.py"))
    parser.add_argument("--report", type=Path)
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as asked:
        return WRONG_USAGE if asked.code else 0
    run = HostRun(chosen.host, connection(host_data(chosen.inventory, chosen.host)), KINDS, print)
    try:
        run.session.connect()
        lines = list(tried(run))
        facts = dict(run.facts())
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        run.close()
    for line in lines:
        print(
            f"{'ok    ' if line['ok'] else 'FAILED'} {line['kind']:16} {line['state']:8} {line['label']} {line['said']}"
        )
    not_tried = sorted(set(KINDS) - {line["kind"] for line in lines})
    failed = sum(not line["ok"] for line in lines)
    report = {"host": chosen.host, "facts": facts, "lines": lines, "not tried": not_tried, "failed": failed}
    where = chosen.report or Path(f"selftest-{chosen.host.removeprefix('@winrm/')}.json")
    where.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"{len(lines) - failed} held, {failed} failed; not tried: {', '.join(not_tried)}; report: {where}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
