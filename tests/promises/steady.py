"""A second deploy changes nothing, and neither does what people and the daemon do in between."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.lib.certificates import write_pair
from tests.lib.deploying import engines
from tests.lib.site import Site, changes, site
from tests.promises.nochange import Measured, nothing_changes

ABOUT = "a second deploy is 0 changes; what people and the daemon make is no drift; a dry run only shows"

CERTIFICATE = "smtp.xn--9t4b11yi5a.net"


def dry_run(where: Site) -> int:
    """On a bare server: fields are shown, nothing is changed."""
    shown = where.plan()
    assert shown.status == 2, shown.text[-3000:]
    for line in ("directory C:/Mailhost: state: absent -> present", "firewall_group Mailhost", "service maild"):
        assert line in shown.out, (line, shown.out[-3000:])
    assert where.lab.journal() == []
    assert not (where.lab.drive / "Mailhost").exists()
    return len(shown.out.splitlines())


def by_others(where: Site) -> list[str]:
    """An account made by hand, a changed password, a ban, a renewed certificate: each time the plan stays empty."""
    tls = where.lab.drive / "Mailhost" / "etc" / "tls"
    acts = {
        "account": lambda: where.maild("account", "add", "손님@테스트.net", "--stdin", given="비밀번호-5521\n"),
        "password": lambda: where.maild("account", "password", "id@테스트.net", "--stdin", given="새-비밀번호-8810\n"),
        "ban": lambda: where.maild("ban", "add", "203.0.113.7"),
    }
    for name, act in acts.items():
        done = act()
        assert done.status == 0, (name, done)
        where.in_step()
    write_pair(tls, CERTIFICATE, (CERTIFICATE,))
    where.in_step()
    return [*acts, "certificate"]


def on(engine: str, folder: Path, database: str) -> dict[str, object]:
    with site(folder / "lab", engine=engine) as where:
        where.environment["MAILHOST_LAB_DATABASE"] = database
        fields = dry_run(where)
        first = where.deployed()
        assert changes(first) > 5, first.text[-3000:]
        again = None

        def deploy() -> None:
            nonlocal again
            again = where.deployed()

        files = nothing_changes(Measured(where.lab.folder, where.lab.config), deploy)
        assert again is not None
        assert changes(again) == 0, again.text[-3000:]
        acts = by_others(where)
        told = where.deployed()
        assert changes(told) == 0, told.text[-3000:]
        for name in ("손님@테스트.net", "203.0.113.7"):
            assert name in told.text, (name, told.text[-2000:])
    return {"database": database, "fields_shown": fields, "files_compared": files, "acts": acts}


def run(size: str) -> dict[str, object]:
    """SQLite in CI; MariaDB and both engines at full size."""
    cases = [("model", "sqlite")] if size == "small" else [(engine, "mysql") for engine in engines()]
    found: dict[str, object] = {}
    for engine, database in cases:
        with tempfile.TemporaryDirectory(prefix="mailhost-steady-") as name:
            found[engine] = on(engine, Path(name), database)
    return found
