"""The daemon with a Python of its own in a folder named by its content; what runs names that folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pyinfra_winrm.kinds import Junction, PythonRelease
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


def running(settings: Settings, facts: Facts) -> str | None:
    """The id of the release that the service runs from, None when there is no service yet."""
    line = str((facts.service(settings.service) or {}).get("image_path", "")).replace("\\", "/")
    before = f"{Paths(settings.root).releases}/".casefold()
    at = line.casefold().find(before)
    return line[at + len(before) :].partition("/")[0] if at >= 0 else None


def replaced(settings: Settings, facts: Facts) -> str | None:
    """The id of the release that serves and is to make way; None when none serves, or the wanted one does."""
    before = running(settings, facts)
    return None if before == packed(settings).id else before


def shown(settings: Settings, release: str) -> Junction:
    """The name under which people find a release; nothing runs through it."""
    paths = Paths(settings.root)
    return Junction(path=paths.current, target=paths.release(release))


def serving(settings: Settings, _facts: Facts) -> list[Junction]:
    """The name that shows people the release of the settings, for when it serves."""
    return [shown(settings, packed(settings).id)]


def resources(settings: Settings, facts: Facts) -> list[PythonRelease | Junction]:
    """The release, with the last few before it kept; shown at once only where none serves that could be shown."""
    release, paths = packed(settings), Paths(settings.root)
    urls = tuple(url.format(version=settings.python.version) for url in settings.python.urls)
    return [
        PythonRelease(
            id=release.id,
            folder=paths.releases,
            python=fetched("python.file", urls, settings.python.sha256, PUBLISHER, settings.python.file),
            requirements=release.requirements,
            wheels=release.wheels,
            keep=settings.release.keep,
        ),
        *(serving(settings, facts) if running(settings, facts) is None else ()),
    ]
