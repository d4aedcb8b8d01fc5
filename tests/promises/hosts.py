"""The whole job on a bare server, the tutorial's, one with hMailServer, a Korean one; what was there before stays."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.lib.deploying import engines
from tests.lib.nameserver import NameServer
from tests.lib.pebble import Pebble
from tests.lib.site import Site, changes, site

ABOUT = "deployed on the bare, the tutorial's, hMailServer's and the Korean host; 995 opens and closes in one deploy"

SQLITE = {"engine": "sqlite"}
# what a deploy may change outside its own folder: names that are ours, and what every installer leaves
OURS = (
    "Mailhost",
    "maild",
    "run.lock",
    "vc_redist",
    "VisualStudio",
    "Uninstall",
    "W32Time",
    "time",
    "desired-",
    "pyinfra-winrm",
    "acme-challenge",
)
CLIENT = '"C:\\Program Files\\MySQL\\MySQL Server 8.0\\bin\\mysql.exe" --no-defaults -h127.0.0.1 -uroot -N'
HOLDS = (
    "SELECT CONCAT('database ', schema_name) FROM information_schema.schemata "
    "UNION SELECT CONCAT('user ', user) FROM mysql.user"
)
SMTP_NAMES = ("smtp.xn--9t4b11yi5a.net", "smtp.xn--9t4b11yi5a.co.kr")


def strangers(where: Site, also: tuple[str, ...] = ()) -> list[str]:
    """The journal's lines about things that are not ours."""
    lines = (f"{row['kind']} {row['name']} {row['field']}" for row in where.lab.journal())
    return [line for line in lines if not any(name.casefold() in line.casefold() for name in (*OURS, *also))]


def rules(where: Site) -> set[str]:
    """The firewall rules of our group that are on."""
    found: dict[str, str] = where.lab.call("firewall.rules")
    return {name for name, text in found.items() if "EmbedCtxt=Mailhost" in text and "Active=TRUE" in text}


def listening(where: Site) -> set[int]:
    return {row["port"] for row in where.lab.call("ports.listening")}


def held(where: Site) -> set[str]:
    """What the MySQL of before has: databases and users."""
    line = f'{CLIENT} -P{where.port(3306)} -p{where.lab.config.password} -e "{HOLDS}"'
    done = where.lab.call("programs.run", command=line)
    assert done["rc"] == 0, done
    return set(done["out"].decode().splitlines())


def bare(folder: Path, engine: str) -> int:
    """995 switched on opens listener and rule in one deploy, switched off closes both."""
    with site(folder, engine=engine, database=SQLITE) as where:
        where.deployed()
        assert {25, 465, 587, 993} <= listening(where), listening(where)
        assert 995 not in listening(where)
        closed = rules(where)
        where.changed["listeners"] = {
            name: {"bind": "127.0.0.1"} for name in ("smtp", "submissions", "submission", "imaps")
        }
        where.changed["listeners"]["pop3s"] = {"bind": "127.0.0.1", "enabled": True}
        where.deployed()
        assert 995 in listening(where), listening(where)
        assert rules(where) - closed == {"Mailhost-pop3s-995"}, rules(where)
        del where.changed["listeners"]["pop3s"]
        where.deployed()
        assert 995 not in listening(where)
        assert rules(where) == closed
        where.in_step()
        assert strangers(where) == [], strangers(where)
    return 4


def tutorial(folder: Path, engine: str) -> int:
    """IIS and MySQL stay as they were; MySQL is used, and names are proven by a folder that IIS serves."""
    with site(folder, kind="tutorial", engine=engine) as where, authority(folder, where) as pebble:
        before = {name: where.service(name) for name in ("W3SVC", "MySQL80")}
        page = requests.get(f"http://127.0.0.1:{where.port(80)}/", timeout=60).content
        kept = held(where)
        where.environment["MYSQL_ROOT"] = where.lab.config.password
        where.changed["database"] = {
            "engine": "mysql", "source": "existing", "service": "MySQL80", "port": where.port(3306),
            "administrator_password": {"env": "MYSQL_ROOT"},
        }  # fmt: skip
        where.deployed()
        where.in_step_but_for_dns()
        after = {name: where.service(name) for name in before}
        assert before == after, (before, after)
        assert held(where) - kept == {"database maild", "user maild"}, held(where) - kept
        assert kept - held(where) == set(), kept - held(where)
        assert {80, 443, 3306, 25, 993} <= listening(where), listening(where)
        assert strangers(where) == [], strangers(where)
        depends: list[str] = where.lab.call("services.config", name="maild")["depends"]
        assert depends == ["MySQL80"], depends
        assert issued(where, pebble) == 2
        assert requests.get(f"http://127.0.0.1:{where.port(80)}/", timeout=60).content == page
        assert not [name for name in rules(where) if "acme" in name], rules(where)
        where.lab.call("system.set", name="blocked_outbound", value=[25])
        told = where.deployed()
        assert changes(told) == 0, told.text[-3000:]
        assert "no mail server outside answers on port 25" in told.text, told.text[-3000:]
        where.deployed("operate/uninstall.py")
        assert not where.lab.call("seam.web_folder", site="Default Web Site", path="/.well-known/acme-challenge")
        assert before == {name: where.service(name) for name in before}
    return 7


@contextmanager
def authority(folder: Path, where: Site) -> Iterator[Pebble]:
    """A certificate authority that looks for its answers at IIS, and the name server that it asks."""
    names = NameServer()
    try:
        for name in SMTP_NAMES:
            host, _, zone = name.partition(".")
            names.zone(zone, f"{host} 60 IN A 127.0.0.1\n")
        files = folder.with_name("authority")
        files.mkdir()
        with Pebble(files, names, challenge_port=where.port(80)) as pebble:
            where.environment |= {
                "MAILHOST_LAB_ACME": pebble.directory,
                "MAILHOST_LAB_ACME_CA": str(pebble.ca),
                "MAILHOST_LAB_ACME_PORT": str(where.port(80)),
                "MAILHOST_LAB_DNS": names.server.replace(":", "#"),
            }
            yield pebble
    finally:
        names.close()


def issued(where: Site, pebble: Pebble) -> int:
    """How many of the names are shown with a certificate of the authority's."""
    context = ssl.create_default_context(cadata=pebble.root().decode())
    for name in SMTP_NAMES:
        with socket.create_connection(("127.0.0.1", where.port(993)), timeout=30) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    return len(SMTP_NAMES)


def hmailserver(folder: Path, engine: str) -> int:
    """Refused before any change, named with its owner; taken over when asked, its data untouched."""
    with site(folder, kind="hmailserver", engine=engine, database=SQLITE) as where:
        data = sorted((where.lab.drive / "Program Files (x86)" / "hMailServer" / "Data").rglob("*.eml"))
        kept = [path.read_bytes() for path in data]
        refused = where.deploy()
        assert refused.status == 1, refused.text[-3000:]
        assert "belongs to hMailServer" in refused.text, refused.text[-3000:]
        assert 'take_over = "hmailserver"' in refused.text
        assert "Traceback" not in refused.text, refused.text
        assert where.lab.journal() == [], where.lab.journal()
        where.changed["take_over"] = "hmailserver"
        where.deployed()
        where.in_step()
        config: dict[str, Any] = where.lab.call("services.config", name="hMailServer")
        assert (config["start"], where.service("hMailServer")["state"]) == ("disabled", "stopped"), config
        assert [path.read_bytes() for path in data] == kept
        assert strangers(where, ("hMailServer",)) == [], strangers(where, ("hMailServer",))
        where.deployed("operate/uninstall.py")
        config = where.lab.call("services.config", name="hMailServer")
        assert (config["start"], where.service("hMailServer")["state"]) == ("auto", "running"), config
    return 5


def korean(folder: Path, engine: str) -> int:
    """Code page 949 and a Korean user; the summary is Korean."""
    with site(folder, kind="korean", engine=engine, database=SQLITE, language="ko") as where:
        ran = where.deployed()
        for word in ("열린 포트", "타입", "우선순위", "받는 전자 메일 서버", "첫 비밀번호"):
            assert word in ran.text, (word, ran.text[-3000:])
        where.in_step()
    return 2


def run(size: str) -> dict[str, object]:
    """On the model engine; at full size on both."""
    found: dict[str, object] = {}
    for engine in engines() if size == "full" else ["model"]:
        with tempfile.TemporaryDirectory(prefix="mailhost-hosts-") as name:
            folder = Path(name)
            cases = {job.__name__: job(folder / job.__name__, engine) for job in (bare, tutorial, hmailserver, korean)}
        found[engine] = {"hosts": len(cases), "cases": sum(cases.values())}
    return found
