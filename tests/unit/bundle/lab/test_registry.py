from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.model.errors import HostError
from lab.model.host import Host
from tests.lib.labhost import bare_host

KEY = "HKLM\\SOFTWARE\\Mailhost"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with bare_host(tmp_path / "lab") as host:
        yield host


def test_keys_and_values_are_found_in_any_case_and_by_either_name_of_a_hive(host: Host):
    host.registry.set(KEY, "이름", "String", "메일")
    assert host.registry.get("HKEY_LOCAL_MACHINE\\software\\MAILHOST", "이름") == {"type": "String", "data": "메일"}
    assert host.registry.get("HKLM:\\Software\\mailhost", "이름") is not None
    assert host.registry.subkeys("HKLM\\SOFTWARE")[-1] == "Mailhost" or "Mailhost" in host.registry.subkeys(
        "HKLM\\SOFTWARE"
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("DWord", 2**32), ("DWord", "1"), ("QWord", 2**64), ("String", 1), ("MultiString", "a"), ("MultiString", [""]),
        ("Binary", "0"), ("Binary", "zz"), ("Nonsense", "a"),
    ],
)  # fmt: skip
def test_data_that_does_not_fit_its_type_is_refused(host: Host, kind: str, data: Any):
    with pytest.raises(HostError):
        host.registry.set(KEY, "x", kind, data)


def test_a_number_above_the_sign_bit_reads_back_as_itself(host: Host):
    host.registry.set(KEY, "x", "DWord", 0xFFFFFFFF)
    host.registry.set(KEY, "y", "DWord", -1)
    assert host.registry.data(KEY, "x") == host.registry.data(KEY, "y") == 0xFFFFFFFF


def test_the_type_is_part_of_a_value(host: Host):
    host.registry.set(KEY, "Path", "ExpandString", "%SystemRoot%")
    before = len(host.journal.entries())
    host.registry.set(KEY, "Path", "String", "%SystemRoot%")
    assert len(host.journal.entries()) == before + 1


def test_a_slash_is_part_of_a_name(host: Host):
    host.registry.set("HKLM\\SOFTWARE\\a/b", "x", "String", "")
    assert "a/b" in host.registry.subkeys("HKLM\\SOFTWARE")


def test_a_key_with_others_below_goes_only_when_asked_to(host: Host):
    host.registry.set(KEY + "\\State", "x", "String", "1")
    with pytest.raises(HostError):
        host.registry.delete_key(KEY)
    host.registry.delete_key(KEY, recursive=True)
    assert not host.registry.exists(KEY + "\\State")


def test_what_was_set_is_there_after_a_new_start(tmp_path: Path):
    with bare_host(tmp_path / "lab") as first:
        first.registry.set(KEY, "x", "MultiString", ["a", "b"])
    with bare_host(tmp_path / "lab") as second:
        assert second.registry.data(KEY, "x") == ["a", "b"]
