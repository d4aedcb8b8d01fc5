"""What a lab looks like from outside: ports, services, tasks, rules, files and the journal's end, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from lab import lifecycle
from lab.config import LabConfig
from lab.model.firewall import parse

JOURNAL_LINES = 20


def where(folder: Path, found: LabConfig) -> str:
    """How to reach the lab."""
    return (
        f"lab '{found.kind}' on the {found.engine} engine, process {found.pid}\n"
        f"  WinRM     https://{found.host}:{found.https}/wsman\n"
        f"            http://{found.host}:{found.http}/wsman, encrypted messages only\n"
        f"  user      {found.user}, password in {folder / 'lab.json'}\n"
        f"  authority {found.ca}\n"
        f"  SHA-256   {found.fingerprint}\n"
        f"  ports     127.0.0.1:{found.port_base} + port; drive C: is {folder / 'c'}"
    )


def text(folder: Path, part: str = "all") -> str:
    """One part of the host, or all of it."""
    parts = {"ports": _ports, "services": _services, "tasks": _tasks, "firewall": _firewall, "journal": _journal}
    chosen = parts if part == "all" else {part: parts[part]}
    sections = []
    for name, lines in chosen.items():
        sections.append("\n".join([f"{name}:", *(f"  {line}" for line in lines(folder))]))
    return "\n".join(sections)


def _ports(folder: Path) -> Iterator[str]:
    for row in lifecycle.call(folder, "ports.listening"):
        yield f"{row['port']:>6}  {row['address']:15} {row['pid']:>7}  {row['service'] or row['image']}"


def _services(folder: Path) -> Iterator[str]:
    for name in lifecycle.call(folder, "services.names"):
        config = lifecycle.call(folder, "services.config", name=name)
        status = lifecycle.call(folder, "services.status", name=name)
        yield f"{name:20} {status['state']:8} {config['start']:12} {config['account']:24} {config['image_path']}"


def _tasks(folder: Path) -> Iterator[str]:
    for path in lifecycle.call(folder, "tasks.paths"):
        info = lifecycle.call(folder, "tasks.info", path=path)
        yield f"{path:40} last result {info['last_result']:#x}"


def _firewall(folder: Path) -> Iterator[str]:
    for name, stored in lifecycle.call(folder, "firewall.rules").items():
        rule = parse(stored)
        ports = ",".join(rule.get("LPort", ["any"]))
        active = "on" if rule.get("Active") == "TRUE" else "off"
        kind = f"{rule.get('Dir', ''):4} {rule.get('Action', ''):6}"
        yield f"{name:40} {kind} {ports:10} {active:4} {rule.get('EmbedCtxt', '')}"


def _journal(folder: Path) -> Iterator[str]:
    for entry in lifecycle.call(folder, "journal.entries")[-JOURNAL_LINES:]:
        old, new = (json.dumps(entry[side], ensure_ascii=False)[:60] for side in ("old", "new"))
        yield f"{entry['kind']} {entry['name']}: {entry['field']}: {old} -> {new}"
