"""Under Windows' Python: the daemon's network, policy and protocol tests, and maild as a service of the manager."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lib.daemon import PASSWORDS, TEST_NET, Site
from tests.lib.winpy import WindowsPython, windows_python
from tests.lib.wire import Wire

PATIENCE = 300
"""Seconds for something that must come under Wine; nothing is judged by it."""
SUITES = (
    "tests/unit/maild/net",
    "tests/unit/maild/policy",
    "tests/unit/maild/log",
    "tests/unit/maild/settings",
    "tests/unit/maild/smtp/test_body.py",
    "tests/unit/maild/smtp/test_grammar.py",
    "tests/unit/maild/smtp/test_recipients.py",
    "tests/unit/maild/smtp/test_senders.py",
    "tests/unit/maild/smtp/test_session.py",
    "tests/unit/maild/smtp/test_targets.py",
)

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def windows() -> WindowsPython:
    return windows_python()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.5)


@pytest.mark.parametrize("suite", SUITES)
def test_the_daemon_s_tests_pass_on_windows_python(windows: WindowsPython, suite: str) -> None:
    done = windows.python("-m", "pytest", "-q", "-p", "no:cacheprovider", suite)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.fixture
def service(windows: WindowsPython, tmp_path: Path) -> Iterator[Site]:
    """A site whose daemon is registered as the service maild, not yet started."""
    site = Site(tmp_path)
    site.write()
    site.seed()
    command = f"{windows.executable} -X utf8 -m maild.cli service --settings {windows.path(site.settings)}"
    windows.program("sc", "delete", "maild")
    made = windows.program("sc", "create", "maild", "binPath=", command)
    assert made.returncode == 0, made.stderr
    yield site
    windows.program("sc", "stop", "maild")
    until(lambda: "STOPPED" in windows.program("sc", "query", "maild").stdout)
    windows.program("sc", "delete", "maild")


def log(site: Site) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (site.folder / "logs").glob("maild_*.log"))


def test_the_service_starts_takes_mail_reloads_and_stops(windows: WindowsPython, service: Site) -> None:
    assert windows.program("sc", "start", "maild").returncode == 0
    until(lambda: (service.folder / "logs").exists() and "The mail store is open." in log(service))
    assert "RUNNING" in windows.program("sc", "query", "maild").stdout
    with Wire(service.ports["submissions"], tls=True) as wire:
        wire.ask("EHLO client.example")
        assert wire.log_in(f"id@{TEST_NET}", PASSWORDS["id"]).startswith("235")
        wire.ask(f"MAIL FROM:<id@{TEST_NET}>")
        wire.ask(f"RCPT TO:<other@{TEST_NET}>")
        wire.ask("DATA")
        wire.send(f"From: id@{TEST_NET}\r\n\r\nfrom Windows\r\n.\r\n")
        assert wire.reply().startswith("250")
        asked = windows.python("-m", "maild.cli", "reload", "--settings", windows.path(service.settings))
        assert asked.returncode == 0, asked.stderr
        until(lambda: "The settings were loaded again." in log(service))
        assert wire.ask("NOOP").startswith("250")
    windows.program("sc", "stop", "maild")
    until(lambda: "STOPPED" in windows.program("sc", "query", "maild").stdout)
    assert "Servers stopped." in log(service)


def test_started_by_hand_it_says_what_it_is_for(windows: WindowsPython, tmp_path: Path) -> None:
    done = windows.python("-m", "maild.cli", "service", "--settings", windows.path(tmp_path / "maild.toml"))
    assert done.returncode == 69
    assert "not started by the service manager" in done.stderr
