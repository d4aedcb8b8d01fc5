"""A DKIM, SPF or DMARC record that differs is named by every command that looks, with the record to enter."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
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

ABOUT = "each changed, missing or doubled DKIM, SPF, DMARC record: maild dns check, diagnose and report name it"
DOMAINS = ("xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr")
OWNERS = {"SPF": "{}", "DMARC": "_dmarc.{}", "DKIM": "dkim._domainkey.{}", "DKIM, Ed25519": "dkim-ed._domainkey.{}"}
WAYS = ("changed", "missing", "doubled")
IP = "127.0.0.9"


def run(size: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="zone-drift-") as name, _server() as server:
        settings = Path(name) / "maild.toml"
        settings.write_text(
            f'hostname = "smtp.{DOMAINS[0]}"\npublic_ipv4 = "{IP}"\n[dns]\nservers = ["127.0.0.1#{server.port}"]\n'
            "timeout_seconds = 2\n"
        )
        asyncio.run(_fill(settings))
        zone = _said(["dns", "records", "--zone", "--settings", str(settings)])[1]
        _serve(server, zone)
        status, _ = _check(settings, server)
        assert status == 0, "our own records are said to be wrong"
        cases = list(product(DOMAINS, OWNERS, WAYS))
        if size == "small":
            cases = cases[::3]
        for domain, kind, way in cases:
            owner = OWNERS[kind].format(domain)
            right = next(line for line in zone.splitlines() if line.startswith(f"{owner}. ") and " TXT " in line)
            _serve(server, _drifted(zone, right, way))
            _named(settings, server, owner, way)
    return {
        "cases": len(cases),
        "commands": ["dns check", "diagnose", "report"],
        "kinds": list(OWNERS),
        "ways": list(WAYS),
    }


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


def _named(settings: Path, server: NameServer, owner: str, way: str) -> None:
    status, told = _check(settings, server)
    bad = [row for row in told["records"] if not row["fine"]]
    assert status == 2, (owner, way, status)
    assert [row["host"] for row in bad] == [owner], (owner, way, bad)
    value = bad[0]["value"]
    assert value in _said(["dns", "check", "--port", str(server.port), "--settings", str(settings)])[1]
    places = ["--dns-port", str(server.port), "--outside", "nowhere.invalid", "--settings", str(settings)]
    _, text = _said(["diagnose", *places])
    line = next((one for one in text.splitlines() if owner in one and "in order" not in one), "")
    assert line, (owner, way, text)
    assert value in text, (owner, way)
    _, report = _said(["report", "--json", "--settings", str(settings)])
    states = {row["owner"]: row["state"] for row in json.loads(report)["report"]["records"] if row["value"] == value}
    assert way == "doubled" or states[owner] in {"different", "missing"}, (owner, way, states)


def _check(settings: Path, server: NameServer) -> tuple[int, dict[str, list[dict[str, str]]]]:
    status, text = _said(["dns", "check", "--json", "--port", str(server.port), "--settings", str(settings)])
    return status, json.loads(text)


def _said(arguments: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main(arguments)
    return status, out.getvalue()
