"""A host of each engine and material to install on it, one of each for a test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyinfra_winrm.kinds import Directory
from tests.lib.kindcases.material import Material
from tests.lib.kindhost import ENGINES, KindHost, kind_host


@pytest.fixture(scope="module", params=ENGINES)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindHost]:
    """A Korean host with a folder of its own for the cases."""
    with kind_host(tmp_path_factory.mktemp("host"), request.param, "korean") as started:
        started.apply(Directory(path="C:/Case"))
        yield started


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """What kinds download and install."""
    return Material(tmp_path_factory.mktemp("material"))
