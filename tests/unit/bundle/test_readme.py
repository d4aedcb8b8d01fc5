"""The READMEs tell what is so: their settings load, their targets and files are there, in both languages the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tasks.settings import load

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("README.md", "README.ko.md")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def examples(name: str) -> list[dict[str, Any]]:
    """What each Python block of a page sets."""
    found: list[dict[str, Any]] = []
    for block in re.findall(r"```python\n(.*?)```", page(name), re.DOTALL):
        values: dict[str, Any] = {}
        exec(re.sub(r"^ +", "", block, flags=re.MULTILINE), values)  # noqa: S102 - our own page
        found.append({key: value for key, value in values.items() if not key.startswith("__")})
    return found


@pytest.mark.parametrize("name", PAGES)
def test_the_settings_that_a_page_shows_can_be_used(name: str) -> None:
    inventory, settings = examples(name)
    ((host, data),) = inventory["servers"]
    assert host.startswith("@winrm/")
    assert set(data) == {"winrm_user", "winrm_password_env", "winrm_fingerprint"}
    loaded = load(settings | data)
    assert loaded.public_ipv4 == host.removeprefix("@winrm/")
    assert loaded.tls.acme.accept_terms


@pytest.mark.parametrize("name", PAGES)
def test_the_settings_in_the_text_can_be_used(name: str) -> None:
    domains = [{"name": "테스트.net"}]
    shown = re.findall(r"`((?:database|tls|backup) = \{[^`]*\})`", page(name).replace("\n", " "))
    for text in shown:
        values: dict[str, Any] = {}
        exec(text.replace("…", '"C:/pem"') if '"folder": …' in text else text, values)  # noqa: S102 - our own page
        values.pop("__builtins__")
        load({"domains": domains} | values)
    assert shown


@pytest.mark.parametrize("name", PAGES)
def test_every_target_that_a_page_names_is_in_the_makefile(name: str) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {target for line in re.findall(r"`[^`]*`", page(name)) for target in re.findall(r"\bmake ([a-z-]+)", line)}
    assert named
    assert named - known == set()


def test_every_target_of_the_makefile_is_in_the_table() -> None:
    known = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert known - set(re.findall(r"`make ([a-z-]+)", page("README.md"))) == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_names_is_there(name: str) -> None:
    files = re.findall(r"(?<![\w/\\.])(?:files|docs|operate|requirements)/[\w./-]+\w", page(name))
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_both_pages_show_the_same_commands_for_the_server() -> None:
    blocks = [re.findall(r"```(?:sh|powershell)\n(.*?)```", page(name), re.DOTALL) for name in PAGES]
    assert set(blocks[0]) <= set(blocks[1])
