"""From one release to the next under load, back by itself when the next does not serve, back by hand, away again."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from maild.backup import Manifest, verify
from tests.lib.deploying import Ran
from tests.lib.load import Load
from tests.lib.programs import ROOT
from tests.lib.site import Site, inbox_ids, site

ABOUT = (
    "an upgrade, backed up, with a migration, under load; one that fails and goes back; a rollback; an uninstallation"
)

VERSIONS = ROOT / "maild" / "src" / "maild" / "store" / "migrations" / "versions"
MAIL = {"sqlite": "data/mail.db", "mysql": "mysql/data/maild"}
LONGEST_GAP = 10.0  # seconds without an accepted message, the issue's own bound
MIGRATION = '''"""Adds a column that nobody needs: a real migration that only expands."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("favourite_colour", sa.String(length=32), nullable=True))
'''
# the ports open but one: what a release is that starts and does not serve
# a setting that the later release introduces: the one before refuses a file that has it
NEW_SETTING = {"dns_updates": {"server": "127.0.0.1", "key_name": "updates", "key_secret": {"env": "TSIG_SECRET"}}}
OLDER = (
    '    refuse_unknown_keys(tree, msgspec.inspect.type_info(Settings), "")\n',
    '    if tree.get("dkim", {}).get("update_server"):\n        raise SettingsError("unknown key `update_server`")\n',
)
BROKEN = ("self._settings.open_listeners)", "[one for one in self._settings.open_listeners if one.port != 465])")


def another(folder: Path, version: str, *, migration: bool = False, broken: bool = False, older: bool = False) -> Path:
    """A copy of the daemon's source that is another release."""
    source = folder / version
    shutil.copytree(ROOT / "maild", source, ignore=shutil.ignore_patterns("__pycache__"))
    project = source / "pyproject.toml"
    project.write_text(
        project.read_text(encoding="utf-8").replace('version = "0.1.0"', f'version = "{version}"'), encoding="utf-8"
    )
    if migration:
        versions = source / "src" / "maild" / "store" / "migrations" / "versions"
        head = newest_schema(versions)
        later = f"{int(head) + 1:04d}"
        (versions / f"{later}_colour.py").write_text(MIGRATION.format(revision=later, before=head), encoding="utf-8")
    if broken:
        patch(source / "src" / "maild" / "app.py", BROKEN[0], BROKEN[1])
    if older:
        patch(source / "src" / "maild" / "settings" / "load.py", OLDER[0], OLDER[0] + OLDER[1])
    return source


def patch(file: Path, text: str, replacement: str) -> None:
    """Changes one place of a release's source."""
    before = file.read_text(encoding="utf-8")
    assert text in before, f"{file.name} has changed: the place to patch is gone"
    file.write_text(before.replace(text, replacement), encoding="utf-8")


def newest_schema(versions: Path) -> str:
    """The revision that a release's migrations lead to."""
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


def backed_up(where: Site, ran: Ran, suffix: str, identity: str | None) -> Manifest:
    """What the one new backup of an upgrade holds; it is for administrators alone."""
    folder = where.lab.drive / "Mailhost" / "backups"
    made = [path for path in folder.glob("before-upgrade-*") if path.suffix == suffix]
    assert len(made) == 1, (made, ran.text[-2000:])
    rights: str = where.lab.call("files.sddl", path=f"C:\\Mailhost\\backups\\{made[0].name}")
    assert set(re.findall(r";;;([^)]+)\)", rights)) == {"SY", "BA"}, rights
    if ran.status == 0:
        assert made[0].name in ran.text, ran.text[-3000:]
    return verify(made[0], identity)


def running(where: Site) -> str:
    """The release that the service runs from, which is the one that ``current`` shows people."""
    image: str = where.lab.call("services.config", name="maild")["image_path"]
    assert where.service()["state"] == "running", where.service()
    shown: str = where.lab.call("files.stat", path="C:\\Mailhost\\current")["target"]
    release = image.split("\\")[3]
    assert shown.rpartition("\\")[2] == release, (shown, image)
    return release


def found(where: Site, load: Load) -> int:
    """Every message answered 250 is in the mailbox exactly once, and of the others at most one."""
    there = Counter(name for name in inbox_ids(where, "id@테스트.net") if name.startswith("load-"))
    missing = [name for name in load.accepted if there[name] != 1]
    assert not missing, (missing[:5], {name: there[name] for name in missing[:5]})
    assert set(there) <= {*load.accepted, *load.unsure}, sorted(set(there) - {*load.accepted, *load.unsure})[:5]
    return sum(there.values())


def up(where: Site, folder: Path) -> dict[str, object]:
    """N to N+1 with a migration and a new setting while mail comes in."""
    before = running(where)
    where.environment["MAILHOST_LAB_MAILD"] = str(another(folder, "0.2.0", migration=True))
    where.environment["TSIG_SECRET"] = "c2VjcmV0"
    where.changed |= NEW_SETTING
    with Load(where.port(25)) as load:
        load.wait(5)
        ran = where.deployed()
        load.wait(len(load.accepted) + 5)
    key = (where.lab.folder / "backup-key.txt").read_text(encoding="utf-8")
    backup = backed_up(where, ran, ".age", key)
    assert backup.schema == newest_schema(VERSIONS), backup
    assert backup.messages >= 5, backup
    after = running(where)
    assert after != before
    where.in_step()
    assert load.gap <= LONGEST_GAP, load.gap
    return {
        "backed_up": backup.messages,
        "accepted": len(load.accepted),
        "found": found(where, load),
        "longest_gap_s": round(load.gap, 2),
    }


def fails(where: Site, folder: Path) -> None:
    """N+2 opens all ports but one: the run fails, names both, and N+1 serves again; no key, an open backup."""
    before = running(where)
    good = where.environment["MAILHOST_LAB_MAILD"]
    where.environment["MAILHOST_LAB_MAILD"] = str(another(folder, "0.3.0", migration=True, broken=True))
    where.changed["backup"] = {"recipient": None}
    ran = where.deploy()
    assert ran.status == 1, ran.text[-3000:]
    assert "does not serve" in ran.text, ran.text[-3000:]
    assert "SMTP 465" in ran.text, ran.text[-3000:]
    assert "serves again" in ran.text, ran.text[-3000:]
    assert running(where) == before
    assert backed_up(where, ran, ".tar", None).messages >= 5
    del where.changed["backup"]
    where.environment["MAILHOST_LAB_MAILD"] = good
    where.deployed()
    where.in_step()


def back(where: Site) -> None:
    """An explicit rollback runs the release before, on the later one's schema and on the settings it knows itself."""
    before = running(where)
    file = where.lab.drive / "Mailhost" / "etc" / "maild.toml"
    assert "update_server" in file.read_text(encoding="utf-8")
    where.deployed("operate/rollback.py")
    assert running(where) != before
    assert "update_server" not in file.read_text(encoding="utf-8")
    assert inbox_ids(where, "id@테스트.net")


def away(where: Site, mail: str) -> None:
    """An uninstallation takes what is ours and keeps what holds the mail; purged, nothing is left."""
    entries = len(where.lab.journal())
    where.deployed("operate/uninstall.py")
    assert not where.lab.call("services.exists", name="maild")
    assert not [name for name, text in where.lab.call("firewall.rules").items() if "EmbedCtxt=Mailhost" in text]
    assert not [name for name in where.lab.call("services.names") if "Mailhost" in name]
    assert (where.lab.drive / "Mailhost" / mail).exists()
    assert not list((where.lab.drive / "Mailhost" / "releases").iterdir())
    gone = [f"{row['kind']} {row['name']} {row['field']}" for row in where.lab.journal()[entries:]]
    assert gone, "an uninstallation is in no journal"
    others = [line for line in gone if "mailhost" not in line.casefold() and "maild" not in line.casefold()]
    assert not others, others
    where.deployed("operate/uninstall.py", "--data", "uninstall_purge=true")
    assert not (where.lab.drive / "Mailhost").exists()


def run(size: str) -> dict[str, object]:
    """SQLite in CI, MariaDB too at full size."""
    result: dict[str, object] = {}
    for database in ("sqlite",) if size == "small" else ("sqlite", "mysql"):
        with tempfile.TemporaryDirectory(prefix="mailhost-upgrade-") as name:
            folder = Path(name)
            with site(folder / "lab") as where:
                where.environment |= {
                    "MAILHOST_LAB_DATABASE": database,
                    "MAILHOST_LAB_MAILD": str(another(folder, "0.1.0", older=True)),
                }
                where.deployed()
                result[database] = up(where, folder)
                fails(where, folder)
                back(where)
                away(where, MAIL[database])
    return result
