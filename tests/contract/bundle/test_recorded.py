"""What real Windows hosts keep, read by our side: one model answers both engines and could be wrong on both."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from lab.model import acl as lab_acl
from lab.model.firewall import parse as lab_parse
from lab.model.firewall import text_of
from lab.model.services import failure_actions, parse_failure_actions
from pyinfra_winrm.kinds.acl import parse_sddl
from pyinfra_winrm.kinds.firewall_group import rule_fields
from pyinfra_winrm.kinds.scheduled_task import task_fields
from pyinfra_winrm.kinds.service import failure_fields

RECORDED = tomllib.loads((Path(__file__).parent / "recorded.toml").read_text(encoding="utf-8"))


def rows(table: str) -> list[Any]:
    return [pytest.param(row, id=row["source"][:40]) for row in RECORDED[table]]


@pytest.mark.parametrize("row", rows("failure_actions"))
def test_failure_actions_of_real_services_are_read(row: dict[str, Any]) -> None:
    packed = bytes.fromhex(row["hex"].replace(",", ""))
    reset, actions = failure_fields(packed)
    assert (reset, [list(pair) for pair in actions]) == (row["reset"], row["actions"])
    assert parse_failure_actions(packed.hex()) == {"reset": row["reset"], "actions": row["actions"]}


def test_failure_actions_are_written_as_windows_writes_them() -> None:
    row = RECORDED["failure_actions"][0]
    written = failure_actions(row["reset"], [tuple(pair) for pair in row["actions"]])
    assert written == row["hex"].replace(",", "")


@pytest.mark.parametrize("row", rows("firewall_rule"))
def test_firewall_rules_of_real_hosts_are_read(row: dict[str, Any]) -> None:
    fields = rule_fields(row["text"])
    assert {name: fields[name] for name in row["fields"]} == row["fields"]


@pytest.mark.parametrize("row", rows("firewall_rule"))
def test_the_model_keeps_every_field_of_a_real_rule(row: dict[str, Any]) -> None:
    version, _, rest = row["text"].partition("|")
    assert version.startswith("v2.")
    assert text_of(lab_parse(row["text"])).partition("|")[2] == rest


@pytest.mark.parametrize("row", rows("descriptor"))
def test_security_descriptors_of_real_hosts_are_read(row: dict[str, Any]) -> None:
    found = parse_sddl(row["text"])
    assert (found.owner, found.protected) == (row["owner"], row["protected"])
    assert sorted(map(str, found.entries)) == sorted(row["entries"])


@pytest.mark.parametrize("row", [row for row in RECORDED["descriptor"] if ";;;LA)" not in row["text"]])
def test_a_descriptor_means_the_same_once_the_model_has_printed_it(row: dict[str, Any]) -> None:
    owner, protected, entries = lab_acl.parse(row["text"])
    assert owner is not None
    assert entries is not None
    assert parse_sddl(lab_acl.Descriptor(owner, protected, entries).text()) == parse_sddl(row["text"])


@pytest.mark.parametrize("row", rows("task"))
def test_task_definitions_of_real_hosts_are_read(row: dict[str, Any]) -> None:
    fields = task_fields(row["xml"])
    assert {name: fields[name] for name in row["fields"]} == row["fields"]
