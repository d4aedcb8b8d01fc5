"""The daemon with a Python of its own in a folder named by its content; what runs names that folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pyinfra_winrm.kinds import PythonRelease
from tasks import packing
from tasks.downloads import fetched
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings

PUBLISHER = "Python Software Foundation"


@lru_cache(maxsize=8)
def packed(settings: Settings) -> packing.PackedRelease:
    """The release that the settings ask for, packed once a run; every platform's wheels are fetched and checked."""
    source = Path(settings.release.source) if settings.release.source else packing.TREE / "maild"
    cache = packing.cache_folder()
    packing.fetched_wheels("win_amd64", cache)
    return packing.packed_release(settings.release.platform, source, settings.python.version, cache)


def folder(settings: Settings) -> str:
    """The release's folder on the host."""
    return Paths(settings.root).release(packed(settings).id)


def command(settings: Settings, *arguments: str) -> tuple[str, ...]:
    """A command line of the daemon's program; UTF-8 whatever the server's code page is."""
    return (f"{folder(settings)}/python.exe", "-X", "utf8", "-m", "maild.cli", *arguments)


def resources(settings: Settings, _facts: Facts) -> list[PythonRelease]:
    """The release, with the last few before it kept."""
    release, paths = packed(settings), Paths(settings.root)
    urls = tuple(url.format(version=settings.python.version) for url in settings.python.urls)
    return [
        PythonRelease(
            id=release.id,
            folder=paths.releases,
            python=fetched("python.file", urls, settings.python.sha256, PUBLISHER, settings.python.file),
            requirements=release.requirements,
            wheels=release.wheels,
            current=paths.current,
            keep=settings.release.keep,
        )
    ]
