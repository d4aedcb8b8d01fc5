from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.hosts.bare import RULES
from lab.model import firewall
from lab.model.errors import HostError
from lab.model.host import Host
from tests.lib.labhost import bare_host

RULE = "v2.29|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=25|LPort=1000-1010|Name=메일|EmbedCtxt=Mailhost|"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with bare_host(tmp_path / "lab") as host:
        yield host


@pytest.mark.parametrize("text", [RULE, *RULES.values()])
def test_a_stored_rule_reads_back(text: str):
    assert firewall.text_of(firewall.parse(text)) == text


words = st.text(alphabet="ab1,.-한 ", min_size=1, max_size=8)
fields = st.fixed_dictionaries(
    {"Action": words, "Active": st.sampled_from(["TRUE", "FALSE"])},
    optional={"LPort": st.lists(words, min_size=1, max_size=3), "Name": words, "RA4": st.lists(words, min_size=1)},
)


@given(fields)
def test_any_rule_reads_back(rule: dict):
    assert firewall.parse(firewall.text_of(rule)) == rule


def test_a_bar_in_a_field_and_another_version_are_refused():
    with pytest.raises(HostError):
        firewall.text_of({"Name": "a|b"})
    with pytest.raises(HostError):
        firewall.parse("v3.0|Action=Allow|")


def test_what_lets_a_port_in_is_found_by_number_and_range(host: Host):
    host.firewall.set("smtp", RULE)
    assert host.firewall.admits(25) == ["smtp"]
    assert host.firewall.admits(1005) == ["smtp"]
    assert host.firewall.admits(26) == []
    host.firewall.set("smtp", RULE.replace("Active=TRUE", "Active=FALSE"))
    assert host.firewall.admits(25) == []
    assert list(host.firewall.rules("Mailhost")) == ["smtp"]
    host.firewall.delete("smtp")
    with pytest.raises(HostError):
        host.firewall.delete("smtp")
