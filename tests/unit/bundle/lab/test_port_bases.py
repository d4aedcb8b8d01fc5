"""Which ports a lab takes, and that a stopped one keeps them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from lab import config


@pytest.fixture(autouse=True)
def own_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MAILHOST_LAB_PORT_BASE", raising=False)


def stopped_lab(folder: Path) -> int:
    folder.mkdir()
    return config.free_base(folder)


def test_a_stopped_lab_keeps_its_ports_from_the_next_one(tmp_path: Path) -> None:
    first = stopped_lab(tmp_path / "one")
    assert config.free_base(tmp_path / "two") != first
    assert config.free_base(tmp_path / "one") == first


def test_ports_of_a_lab_whose_folder_is_gone_are_free_again(tmp_path: Path) -> None:
    first = stopped_lab(tmp_path / "one")
    (tmp_path / "one").rmdir()
    assert config.free_base(tmp_path / "two") == first
