"""What diagnose says of certificates that win-acme or a person looks after, and not maild."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from maild.certs import renewal
from maild.certs.pairs import Found
from maild.diagnosis import outside
from maild.diagnosis.result import Line, State
from maild.settings import Settings, load
from tests.lib.daemon import Site

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
NAME = "smtp.xn--9t4b11yi5a.net"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    site = Site(tmp_path)
    site.write()
    for file in (tmp_path / "tls").glob("*.pem"):
        file.unlink()
    return load(tmp_path / "maild.toml")


def said(settings: Settings) -> Line:
    (line,) = asyncio.run(outside.certificates(settings, NOW))
    return line


@pytest.mark.parametrize(("days", "state"), [(-1, State.FINDING), (13, State.FINDING), (30, State.FINE)])
def test_a_file_of_others_is_renewed_where_it_comes_from(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: int, state: State
) -> None:
    (settings.tls.folder / f"{NAME}-chain.pem").touch()
    found = Found((NAME,), 1, NOW - dt.timedelta(days=60), NOW + dt.timedelta(days=days), "an authority", False)
    monkeypatch.setattr(renewal, "in_place", lambda _: found)
    line = said(settings)
    assert line.state is state
    assert line.remedy.startswith("Renew it where it comes from") == (state is State.FINDING)


def test_a_file_that_cannot_be_used_is_to_be_looked_at(settings: Settings) -> None:
    (settings.tls.folder / f"{NAME}-chain.pem").write_text("no certificate")
    assert said(settings).remedy.startswith("See that its chain and its key are there")


def test_an_empty_folder_says_what_belongs_there(settings: Settings) -> None:
    assert said(settings).remedy == "Put NAME-chain.pem and NAME-key.pem there."
