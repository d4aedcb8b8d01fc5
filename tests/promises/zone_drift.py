"""A DKIM, SPF or DMARC record that differs is named by the plan and by each command that looks, with what to enter."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from maild.cli.__main__ import main
from maild.dns.names import reverse
from maild.settings import load
from maild.store import AliasDomain, Domain, open_store
from maild.verify.keyring import StoredKeys
from maild.wrapping import read_wrap_key
from tests.lib.nameserver import NameServer
from tests.lib.site import Site, changes, site

ABOUT = "each changed, missing or doubled DKIM, SPF, DMARC record: the plan, maild dns check and diagnose name it"
DOMAINS = ("xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr")
OWNERS = {"SPF": "{}", "DMARC": "_dmarc.{}", "DKIM": "dkim._domainkey.{}", "DKIM, Ed25519": "dkim-ed._domainkey.{}"}
WAYS = ("changed", "missing", "doubled")
IP = "127.0.0.9"


def run(size: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="zone-drift-") as name, _server() as server:
        asked = by_commands(Path(name), server, size)
    with tempfile.TemporaryDirectory(prefix="zone-drift-plan-") as name, _server() as server:
        planned = by_the_plan(Path(name), server, size)
    return {
        "cases": asked + planned,
        "commands": ["dns check", "diagnose", "report"],
        "planned": planned,
        "kinds": list(OWNERS),
        "ways": list(WAYS),
    }


def chosen(size: str, step: int) -> list[tuple[str, str, str]]:
    """Domains, kinds of record and ways to be wrong."""
    cases = list(product(DOMAINS, OWNERS, WAYS))
    return cases[::step] if size == "small" else cases


def by_commands(folder: Path, server: NameServer, size: str) -> int:
    """The daemon's own commands."""
    settings = folder / "maild.toml"
    settings.write_text(
        f'hostname = "smtp.{DOMAINS[0]}"\npublic_ipv4 = "{IP}"\n[dns]\nservers = ["127.0.0.1#{server.port}"]\n'
        f"timeout_seconds = 2\nport = {server.port}\n"
    )
    asyncio.run(_fill(settings))
    zone = _said(["dns", "records", "--zone", "--settings", str(settings)])[1]
    _serve(server, zone)
    status, _ = _check(settings)
    assert status == 0, "our own records are said to be wrong"
    cases = chosen(size, 3)
    for domain, kind, way in cases:
        owner = OWNERS[kind].format(domain)
        _serve(server, _drifted(zone, _right(zone, owner), way))
        _named(settings, owner, way)
    return len(cases)


def by_the_plan(folder: Path, server: NameServer, size: str) -> int:
    """The plan of a lab whose resolver is our name server: in step with the right zone, drift with any other."""
    with site(folder / "lab") as where:
        where.changed = {"public_ipv4": IP}
        where.environment |= {"MAILHOST_LAB_DATABASE": "sqlite", "MAILHOST_LAB_DNS": f"127.0.0.1#{server.port}"}
        where.deployed()
        settings = where.lab.drive / "Mailhost" / "etc" / "maild.toml"
        zone = _said(["dns", "records", "--zone", "--settings", str(settings)])[1]
        _serve(server, zone)
        where.in_step()
        cases = chosen(size, 11)
        for domain, kind, way in cases:
            owner = OWNERS[kind].format(domain)
            right = _right(zone, owner)
            _serve(server, _drifted(zone, right, way))
            planned(where, owner, _value(right), way)
        assert f"{owner}): value: " in (text := where.plan().out)
        assert _value(right) in text, "a record to enter is cut"
        assert changes(where.deployed()) == 0, "a deploy enters no records, and is not stopped by them"
        _serve(server, zone)
        where.in_step()
    return len(cases)


def planned(where: Site, owner: str, value: str, way: str) -> None:
    """The plan says drift, and the record to enter."""
    told = where.plan("--json")
    assert told.status == 2, told.text[-2000:]
    rows = [row for row in told.json if row.get("task") == "dns"]
    assert len(rows) == 1, rows
    assert owner in rows[0]["label"], rows
    assert rows[0]["wanted"] == value, rows
    assert (rows[0]["current"] == "missing") is (way == "missing"), rows


def _right(zone: str, owner: str) -> str:
    return next(line for line in zone.splitlines() if line.startswith(f"{owner}. ") and " TXT " in line)


def _value(line: str) -> str:
    """The value of a TXT line of a zone file, its strings put together."""
    return "".join(re.findall(r'"([^"]*)"', line))


@contextlib.contextmanager
def _server() -> Iterator[NameServer]:
    server = NameServer()
    server.zone("127.in-addr.arpa", f"{reverse(IP)}. 60 IN PTR smtp.{DOMAINS[0]}.\n")
    try:
        yield server
    finally:
        server.close()


async def _fill(settings: Path) -> None:
    loaded = load(settings)
    store = await open_store(loaded.database)
    try:
        await store.directory.save_domain(Domain(name=DOMAINS[0]))
        await store.directory.save_alias_domain(AliasDomain(name=DOMAINS[1], domain=DOMAINS[0]))
        ring = StoredKeys(store.keys, read_wrap_key(loaded.dkim.wrap_key_file, create=True))
        for domain in DOMAINS:
            await ring.ensure(domain)
    finally:
        await store.close()


def _serve(server: NameServer, zone: str) -> None:
    for domain in DOMAINS:
        lines = [line for line in zone.splitlines() if line.partition(" ")[0].endswith(f"{domain}.")]
        server.zone(domain, "\n".join(lines) + "\n")


def _drifted(zone: str, right: str, way: str) -> str:
    """The zone with one record made wrong."""
    if "spf1" in right:
        other = right.replace("-all", "~all")
    elif "DMARC1" in right:
        other = right.replace("p=reject", "p=none", 1)
    else:
        place = right.index("p=") + 2
        other = right[:place] + ("B" if right[place] != "B" else "C") + right[place + 1 :]
    wrong = {"changed": other, "missing": "", "doubled": f"{right}\n{other}"}[way]
    assert wrong != right
    return zone.replace(right, wrong)


def _named(settings: Path, owner: str, way: str) -> None:
    status, told = _check(settings)
    bad = [row for row in told["records"] if not row["fine"]]
    assert status == 2, (owner, way, status)
    assert [row["host"] for row in bad] == [owner], (owner, way, bad)
    value = bad[0]["value"]
    assert value in _said(["dns", "check", "--settings", str(settings)])[1]
    _, text = _said(["diagnose", "--outside", "nowhere.invalid", "--settings", str(settings)])
    line = next((one for one in text.splitlines() if owner in one and "in order" not in one), "")
    assert line, (owner, way, text)
    assert value in text, (owner, way)
    _, report = _said(["report", "--json", "--settings", str(settings)])
    states = {row["owner"]: row["state"] for row in json.loads(report)["report"]["records"] if row["value"] == value}
    assert states[owner] == {"changed": "different", "missing": "missing", "doubled": "attention"}[way], (owner, way)


def _check(settings: Path) -> tuple[int, dict[str, list[dict[str, str]]]]:
    status, text = _said(["dns", "check", "--json", "--settings", str(settings)])
    return status, json.loads(text)


def _said(arguments: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main(arguments)
    return status, out.getvalue()
