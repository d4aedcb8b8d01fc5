"""Whatever stands on the store, on SQLite, MariaDB and a real MySQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lib.stores import Scene, scene

ENGINES = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mysql", marks=pytest.mark.mysql),
]


@pytest.fixture(params=ENGINES)
def on(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    """An empty database of each engine."""
    return scene(request.param, tmp_path)
