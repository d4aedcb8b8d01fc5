"""The backup that an upgrade begins with, and the way back from one that was left open."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyinfra_winrm.kinds import Reconcile
from tasks import before_upgrade, packing, release, restore
from tasks.facts import Facts
from tasks.settings import Settings, SettingsError, load

OLD = '"C:\\Mailhost\\releases\\old000000000\\python.exe" -X utf8 -m maild.cli service'
UPGRADE = Facts(services={"maild": {"image_path": OLD}}, now=1_800_000_000.0)


def settings(**changes: Any) -> Settings:
    return load({"domains": [{"name": "테스트.net"}], "public_ipv4": "192.0.2.25"} | changes)


@pytest.fixture(autouse=True)
def packed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = packing.PackedRelease("new123456789", "0.1.0", "maild==0.1.0\n", tmp_path / "wheels.zip")
    monkeypatch.setattr(release, "packed", lambda _settings: made)


def test_an_upgrade_begins_with_a_backup_by_the_release_that_serves() -> None:
    (encrypted,) = before_upgrade.resources(settings(backup={"recipient": "age1x"}), UPGRADE)
    assert encrypted.command[0] == "C:/Mailhost/releases/old000000000/python.exe"
    assert encrypted.desired == {
        "folder": "C:/Mailhost/backups",
        "name": "before-upgrade-smtp.xn--9t4b11yi5a.net-20270115T080000Z.age",
        "recipient": "age1x",
        "keep": 3,
    }
    (left_open,) = before_upgrade.resources(settings(), UPGRADE)
    assert (left_open.desired["name"][-5:], left_open.desired["recipient"]) == ("Z.tar", None)
    assert before_upgrade.path(settings(), UPGRADE) == f"C:/Mailhost/backups/{left_open.desired['name']}"


def test_the_backup_is_made_on_the_settings_of_the_release_that_makes_it() -> None:
    def file(facts: Facts) -> str:
        (made,) = before_upgrade.resources(settings(), facts)
        return made.command[made.command.index("--settings") + 1]

    assert file(UPGRADE) == "C:/Mailhost/etc/maild.toml"
    assert file(replace(UPGRADE, kept_settings=True)) == "C:/Mailhost/etc/maild-old000000000.toml"


def test_no_backup_comes_before_a_first_deploy_or_one_of_the_same_release() -> None:
    same = Facts(services={"maild": {"image_path": OLD.replace("old000000000", "new123456789")}})
    for facts in (Facts(), same):
        assert before_upgrade.resources(settings(), facts) == []
        assert before_upgrade.path(settings(), facts) == ""
    assert before_upgrade.resources(settings(backup={"before_upgrade": False}), UPGRADE) == []


def test_the_backup_is_made_before_the_settings_and_the_schema_change() -> None:
    tasks = re.findall(r'task="(\w+)"', (packing.TREE / "deploy.py").read_text(encoding="utf-8"))
    place = tasks.index("before_upgrade")
    assert tasks[place - 1] == "release"
    assert {"settings", "database", "objects"} <= set(tasks[place:])


def test_an_encrypted_backup_asks_for_its_key_and_an_open_one_does_not(tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_bytes(b"age-encryption.org/v1\n")
    with pytest.raises(SettingsError, match="restore_identity: this backup is encrypted"):
        restore.resources(settings(restore_from=str(file)), Facts())
    file.write_bytes(b"bodies/000000.pack\0")
    _, asked = restore.resources(settings(restore_from=str(file), restore_identity=""), Facts())
    assert isinstance(asked, Reconcile)
    assert asked.desired["identity"] is None
