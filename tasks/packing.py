"""What a release is made of, packed on the control machine: the locked packages, and the daemon from a checkout.

Every wheel is checked against the hash in its lock. An archive is the same bytes for the same content, so that a host
is sent one only when something in it has changed; they are kept in the user's cache folder.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.settings.errors import SettingsError

Platform = Literal["win_amd64", "local"]

TREE = Path(__file__).resolve().parents[1]
EPOCH = (2020, 1, 1, 0, 0, 0)  # of every entry, so that the same content gives the same archive
ID_LENGTH = 12  # characters: Windows paths below a release must stay short
LOCKS: dict[Platform, str] = {"win_amd64": "maild-win_amd64.txt", "local": "maild-linux.txt"}
# the interpreter that the Windows lock was made for
WINDOWS = ("--platform", "win_amd64", "--python-version", "313", "--implementation", "cp")


@dataclass(frozen=True, slots=True)
class PackedRelease:
    """A release: its id follows from all that is in it.

    requirements: the lock with the daemon itself in it, every wheel by its hash.
    wheels: a ZIP of these wheels.
    """

    id: str
    version: str
    requirements: str
    wheels: Path


def cache_folder() -> Path:
    """Where archives are kept between runs."""
    base = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "mailhost"


def packed_release(platform: Platform, source: Path, python: str, cache: Path) -> PackedRelease:
    """The release of the checkout ``source`` for one platform, made unless the cache has it."""
    daemon = packed_daemon(source, cache)
    version = version_of(source)
    lock = (TREE / "requirements" / LOCKS[platform]).read_text(encoding="utf-8")
    requirements = f"{lock}maild=={version} --hash=sha256:{_hash_of(daemon)}\n"
    identifier = hashlib.sha256(f"{platform} {python}\n{requirements}".encode()).hexdigest()[:ID_LENGTH]
    target = cache / f"release-{identifier}.zip"
    if not target.exists():
        wheels = [*sorted(fetched_wheels(platform, cache).glob("*.whl")), daemon]
        _write_zip(target, {wheel.name: wheel for wheel in wheels}, zipfile.ZIP_STORED)
    return PackedRelease(identifier, version, requirements, target)


def fetched_wheels(platform: Platform, cache: Path) -> Path:
    """A folder with every wheel of a lock, each checked against the hash that the lock has for it."""
    lock = TREE / "requirements" / LOCKS[platform]
    interpreter = f"{sys.implementation.cache_tag}" if platform == "local" else "cp313"
    key = hashlib.sha256(lock.read_bytes() + interpreter.encode()).hexdigest()[:16]
    target = cache / f"wheels-{platform}-{key}"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as folder:
            _fetch(platform, lock, Path(folder) / "wheels")
            _moved(Path(folder) / "wheels", target)
    return target


def _moved(made: Path, target: Path) -> None:
    """Puts a finished folder in its place; another run that was first has put the same there."""
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _fetch(platform: Platform, lock: Path, folder: Path) -> None:
    choice = WINDOWS if platform == "win_amd64" else ()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--require-hashes", "--dest", str(folder), *choice, "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise SettingsError(
            f"requirements/{lock.name}",
            "the packages of the release could not be fetched ({problem})",
            "see that pip reaches its index, then run again",
            problem=said[-1] if said else "pip said nothing",
        )


def packed_daemon(source: Path, cache: Path) -> Path:
    """The daemon's own package of a checkout as a wheel."""
    package = source / "src" / "maild"
    files = {
        f"maild/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    if "maild/__init__.py" not in files:
        raise SettingsError(
            "release.source", "{source} holds no src/maild", "name the maild folder of a checkout", source=source
        )
    version = version_of(source)
    info = f"maild-{version}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.4\nName: maild\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: mailhost\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nmaild = maild.cli.__main__:main\n"
    record = [f"{name},sha256={_record_hash(body)},{len(body)}" for name, body in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    folder = cache / f"daemon-{hashlib.sha256(files[f'{info}/RECORD']).hexdigest()[:16]}"
    target = folder / f"maild-{version}-py3-none-any.whl"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_zip(target, files, zipfile.ZIP_DEFLATED)
    return target


def version_of(source: Path) -> str:
    """The version in the daemon's pyproject.toml."""
    for line in (source / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("version = "):
            return line.split('"')[1]
    raise SettingsError("release.source", "{source}/pyproject.toml names no version", source=source)


def _record_hash(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode("ascii")


def _write_zip(target: Path, files: Mapping[str, bytes | Path], compression: int) -> None:
    """Writes beside the target and renames, so that a cut run leaves nothing half-made under the final name."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".packing-", delete=False) as stream:
        with zipfile.ZipFile(stream, "w", compression) as archive:
            for name, body in files.items():
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type = compression
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, body if isinstance(body, bytes) else body.read_bytes())
        made = Path(stream.name)
    made.replace(target)


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
