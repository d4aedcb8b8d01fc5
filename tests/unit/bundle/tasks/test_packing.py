"""Releases: the same bytes for the same content, every wheel by its hash, an id that follows from all of it."""

from __future__ import annotations

import hashlib
import re
import time
import zipfile
from pathlib import Path

import pytest

from tasks import packing
from tasks.downloads import fetched
from tasks.settings import SettingsError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    source = tmp_path / "maild"
    (source / "src" / "maild" / "__pycache__").mkdir(parents=True)
    (source / "src" / "maild" / "__init__.py").write_text("")
    (source / "src" / "maild" / "한글.txt").write_text("내용", encoding="utf-8")
    (source / "src" / "maild" / "__pycache__" / "x.pyc").write_bytes(b"x")
    (source / "pyproject.toml").write_text('version = "1.2.3"\n')
    return source


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of one wheel, fetched already."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "zstandard-0.25.0-cp311-linux.whl").write_bytes(b"wheel")
    monkeypatch.setattr(packing, "fetched_wheels", lambda _platform, _cache: folder)
    return folder


def release(checkout: Path, cache: Path) -> packing.PackedRelease:
    cache.mkdir(exist_ok=True)
    return packing.packed_release("local", checkout, "3.13.9", cache)


def test_a_release_holds_every_wheel_of_its_lock_and_the_daemon(checkout: Path, wheels: Path, tmp_path: Path) -> None:
    made = release(checkout, tmp_path / "cache")
    with zipfile.ZipFile(made.wheels) as archive:
        names = archive.namelist()
        daemon = archive.read("maild-1.2.3-py3-none-any.whl")
    assert names == [*(each.name for each in wheels.iterdir()), "maild-1.2.3-py3-none-any.whl"]
    assert f"maild==1.2.3 --hash=sha256:{hashlib.sha256(daemon).hexdigest()}" in made.requirements
    assert re.fullmatch("[0-9a-f]{12}", made.id)


@pytest.mark.usefixtures("wheels")
def test_the_same_checkout_gives_the_same_release_in_another_cache(checkout: Path, tmp_path: Path) -> None:
    first, second = release(checkout, tmp_path / "a"), release(checkout, tmp_path / "b")
    assert first.id == second.id
    assert first.wheels.read_bytes() == second.wheels.read_bytes()


@pytest.mark.usefixtures("wheels")
def test_a_changed_line_is_another_release(checkout: Path, tmp_path: Path) -> None:
    before = release(checkout, tmp_path / "cache").id
    (checkout / "src" / "maild" / "__init__.py").write_text("x = 1\n")
    assert release(checkout, tmp_path / "cache").id != before


def test_the_daemons_wheel_lists_its_files_and_leaves_out_what_python_left(checkout: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packing.packed_daemon(checkout, tmp_path)) as archive:
        names = archive.namelist()
        record = archive.read("maild-1.2.3.dist-info/RECORD").decode()
    assert "maild/한글.txt" in names
    assert not [name for name in names if "__pycache__" in name]
    assert [line.split(",")[0] for line in record.splitlines()] == names


def test_a_folder_that_is_no_checkout_says_so(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('version = "1"\n')
    with pytest.raises(SettingsError, match="holds no src/maild"):
        packing.packed_daemon(tmp_path, tmp_path)


def test_a_package_that_cannot_be_fetched_names_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "TREE", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "maild-linux.txt").write_text(f"zstandard==0.25.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SettingsError, match=r"requirements/maild-linux\.txt"):
        packing.fetched_wheels("local", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("wheels-*"))


def test_a_file_of_this_machine_is_uploaded_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "mysql.zip").write_bytes(b"PK")
    found = hashlib.sha256(b"PK").hexdigest()
    download = fetched("k", ("https://x/y",), None, "Oracle", str(tmp_path / "mysql.zip"))
    assert (download.source, download.sha256, download.urls) == (tmp_path / "mysql.zip", found, ())
    with pytest.raises(SettingsError, match="not the file whose hash is set"):
        fetched("k", (), "0" * 64, "Oracle", str(tmp_path / "mysql.zip"))
    with pytest.raises(SettingsError, match="there is no file"):
        fetched("k", (), None, "Oracle", str(tmp_path / "none.zip"))


def test_a_download_without_a_hash_is_pinned_to_its_publisher() -> None:
    assert fetched("k", ("https://x/y",), None, "Oracle", None).publisher == "Oracle"
    assert fetched("k", ("https://x/y",), "0" * 64, "Oracle", None).publisher == ""


def test_the_daemons_wheel_is_the_same_bytes_later(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = packing.packed_daemon(checkout, tmp_path / "a").read_bytes()
    later = time.localtime(time.time() + 86400)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    assert packing.packed_daemon(checkout, tmp_path / "b").read_bytes() == first


def test_two_runs_that_fetch_at_once_end_with_the_same_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.whl").write_text("same")
        packing._moved(tmp_path / name, tmp_path / "wheels")
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == ["a.whl"]
    with pytest.raises(FileNotFoundError):
        packing._moved(tmp_path / "gone", tmp_path / "nowhere")
