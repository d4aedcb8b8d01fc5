"""``maild handover``: a backup under a given name, made once, with the last few of its series kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maild.backup import verify
from maild.cli.__main__ import main
from tests.lib.daemon import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.write()
    found.seed()
    return found


def ask(site: Site, name: str, *options: str, keep: int = 2) -> int:
    desired = {"folder": str(site.folder / "backups"), "name": name, "recipient": None, "keep": keep}
    (site.folder / "desired.json").write_text(json.dumps(desired), encoding="utf-8")
    given = ["--settings", str(site.folder / "maild.toml"), "--desired", str(site.folder / "desired.json"), "--json"]
    return main(["handover", *given, *options])


def test_a_backup_is_made_once_and_asked_for_without_being_made(site: Site) -> None:
    file = site.folder / "backups" / "upgrade-20260101T000000Z.tar"
    assert ask(site, file.name, "--dry") == 2
    assert not file.exists()
    assert ask(site, file.name) == 0
    assert verify(file, None).schema
    written = file.stat().st_mtime_ns
    assert (ask(site, file.name), ask(site, file.name, "--dry")) == (0, 0)
    assert file.stat().st_mtime_ns == written


def test_the_newest_of_a_series_stay_and_other_files_are_left_alone(site: Site) -> None:
    (site.folder / "backups").mkdir()
    (site.folder / "backups" / "smtp.example.net-20250101T000000Z.maild.age").touch()
    for day in (1, 3, 2, 4):
        assert ask(site, f"upgrade-2026010{day}T000000Z.tar") == 0
    assert sorted(file.name for file in (site.folder / "backups").iterdir()) == [
        "smtp.example.net-20250101T000000Z.maild.age",
        "upgrade-20260103T000000Z.tar",
        "upgrade-20260104T000000Z.tar",
    ]
