"""What the plan says of a state, kind by kind, where the cases on a host do not reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_winrm.kinds import (
    KINDS,
    Archive,
    Daily,
    Directory,
    Download,
    File,
    FirewallGroup,
    FirewallRule,
    Greeting,
    IISVirtualDirectory,
    InvalidResourceError,
    Junction,
    MySQLDatabase,
    MySQLServer,
    Program,
    PythonRelease,
    Reconcile,
    RegistryValue,
    ScheduledTask,
    Service,
    TimeSync,
    WinRMListener,
)
from pyinfra_winrm.kinds.firewall_group import rule_fields
from pyinfra_winrm.kinds.program import version_of
from pyinfra_winrm.kinds.reconcile import not_managed
from pyinfra_winrm.kinds.scheduled_task import minutes, task_fields, task_xml
from pyinfra_winrm.kinds.service import failure_fields
from pyinfra_winrm.resource import Absent, Difference, Present, Unknown
from pyinfra_winrm.secret import Secret

PINNED = Download(urls=("https://example.net/x.zip",), sha256="0" * 64)
EXAMPLES: list[Any] = [
    Directory(path="C:/x"),
    File(path="C:/x", content="x"),
    Junction(path="C:/x", target="C:/y"),
    IISVirtualDirectory(path="/x", folder="C:/x"),
    Service(name="x", command=("C:/x.exe",)),
    FirewallGroup(name="x", rules=(FirewallRule(name="r", ports=(1,)),)),
    ScheduledTask(name="x", command=("C:/x.exe",)),
    RegistryValue(key="HKLM/SOFTWARE/x", name="n", value="v"),
    TimeSync(),
    WinRMListener(thumbprint="A" * 40),
    Archive(path="C:/x", download=PINNED),
    Program(name="x", download=PINNED, detect_key="HKLM/SOFTWARE/x"),
]


@pytest.mark.parametrize("resource", EXAMPLES, ids=lambda each: each.kind)
def test_absent_and_unknown_are_one_line_each(resource: Any) -> None:
    differences = KINDS[resource.kind].differences
    assert differences(resource, Absent()) == (Difference("state", "absent", "present"),)
    (unknown,) = differences(resource, Unknown("MySQL is down"))
    assert (unknown.field, unknown.current, unknown.wanted) == ("state", "unknown: MySQL is down", "present")


@pytest.mark.parametrize(
    "make",
    [
        lambda: File(path="C:/x"),
        lambda: Junction(path="C:/x"),
        lambda: Greeting(hosts=(), port=25, expects="220"),
        lambda: IISVirtualDirectory(path="/x"),
        lambda: IISVirtualDirectory(path="x", folder="C:/x"),
        lambda: File(path="C:/x", content="a", source=Path("b")),
        lambda: Service(name="x"),
        lambda: Service(name="a/b", command=("x",)),
        lambda: FirewallRule(name="x", ports=()),
        lambda: FirewallRule(name="a|b", ports=(1,)),
        lambda: FirewallRule(name="x", ports=(1,), remote_addresses=("300.1.1.1",)),
        lambda: FirewallGroup(name="x", rules=(FirewallRule(name="A", ports=(1,)), FirewallRule(name="a", ports=(2,)))),
        lambda: RegistryValue(key="HKXX/x", name="n", value="v"),
        lambda: RegistryValue(key="HKLM/x", name="n", value="v", type="dword"),
        lambda: Daily("24:00"),
        lambda: TimeSync(servers=()),
        lambda: WinRMListener(thumbprint="12"),
        Download,
        lambda: Download(urls=("https://x",)),
        lambda: Download(urls=("http://x",), publisher="X"),
        lambda: Download(urls=("https://x",), sha256="A" * 64),
        lambda: Archive(path="C:/x", download=Download(urls=("https://x",), publisher="X")),
        lambda: PythonRelease(id="much-too-long", folder="C:/x", state="absent"),
        lambda: MySQLServer(
            name="x", program="C:/p", config_file="C:/c", config="datadir=C:\\x", data="C:/d", admin_file="C:/a"
        ),
        lambda: MySQLDatabase(name="a b", user="u", password_file="C:/p", program="C:/p", admin_file="C:/a"),
        lambda: MySQLDatabase(name="a", user="u", password_file="C:/p", program="C:/p"),
        lambda: MySQLDatabase(
            name="a", user="u", password_file="C:/p", program="C:/p", admin_file="C:/a", privileges=("ALL",)
        ),
        lambda: Reconcile(name="x", command=()),
    ],
)
def test_what_no_host_could_have_is_refused_where_it_is_written(make: Any) -> None:
    with pytest.raises(InvalidResourceError):
        make()


def test_a_secret_file_names_no_content() -> None:
    file = File(path="C:/x", content=Secret("4711"))
    state = Present({"sha256": "0" * 64, "sddl": "O:BAD:"})
    (difference,) = KINDS["file"].differences(file, state)
    assert difference.secret
    assert "4711" not in repr(KINDS["file"].desired(file))


def test_a_stopped_service_is_not_asked_what_it_was_started_with() -> None:
    service = Service(name="x", command=("C:/x.exe",), status=None, restart_on="new")
    value = {
        "image_path": '"C:\\x.exe"', "display_name": "x", "description": "", "account": "LocalSystem", "start": 2,
        "delayed": 0, "depends_on": [], "failure_actions": "", "failure_flag": 1, "sid_type": 1, "environment": [],
        "status": "stopped", "started_with": "old",
    }  # fmt: skip
    fields = [line.field for line in KINDS["service"].differences(service, Present(value))]
    assert fields == ["failure.restart_after", "failure.reset_after"]
    running = {**value, "status": "running"}
    assert "restart_on" in [line.field for line in KINDS["service"].differences(service, Present(running))]


@given(st.binary(max_size=80))
def test_failure_actions_cut_anywhere_are_read_as_far_as_they_go(packed: bytes) -> None:
    reset, actions = failure_fields(packed)
    assert reset >= 0
    assert all(delay >= 0 for _, delay in actions)


@given(st.text(max_size=200))
def test_a_firewall_string_of_any_kind_is_read(text: str) -> None:
    try:
        rule_fields(text)
    except InvalidResourceError:
        return


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("10.0.0.0/8", "10.0.0.0/255.0.0.0"),
        ("192.0.2.1", "192.0.2.1/255.255.255.255"),
        ("2001:db8::/32", "2001:DB8::/32"),
    ],
)
def test_an_address_is_the_same_in_windows_words(address: str, stored: str) -> None:
    rule = FirewallRule(name="r", ports=(25,), remote_addresses=(address,), display_name="r")
    version = "RA6" if ":" in address else "RA4"
    text = f"v2.29|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=25|{version}={stored}|Name=r|EmbedCtxt=x|"
    group = FirewallGroup(name="x", rules=(rule,))
    assert KINDS["firewall_group"].differences(group, Present({"rules": {"x-r": text}})) == ()


def test_a_task_reads_back_as_it_was_written() -> None:
    task = ScheduledTask(
        name="x", command=("C:/x.exe", "a b", '"'), description="<설명> & mehr", triggers=(Daily("03:00", 2, 5),)
    )
    fields = task_fields(task_xml(task))
    assert fields["description"] == "<설명> & mehr"
    assert fields["command"] == 'C:\\x.exe "a b" "\\""'
    assert fields["triggers"] == ["every 2 days at 03:00 within 5 min"]


@pytest.mark.parametrize(
    ("text", "number"), [("PT72H", 4320), ("P3D", 4320), ("PT1H30M", 90), ("PT30S", 0.5), ("nonsense", 0)]
)
def test_a_duration_is_minutes(text: str, number: float) -> None:
    assert minutes(text) == number


def test_versions_compare_as_numbers() -> None:
    assert version_of("v14.40.33810.00") > version_of("14.38") > version_of("v14.5")
    assert version_of("14.40") == version_of("v14.40.0.0")


def test_what_nobody_declared_is_named_apart_and_is_no_difference() -> None:
    state = Present({"changes": [], "not_managed": [{"object": "ban", "name": "192.0.2.1"}, "account x"]})
    reconcile = Reconcile(name="x", command=("C:/x.exe",))
    assert KINDS["reconcile"].differences(reconcile, state) == ()
    assert not_managed(state) == ("ban 192.0.2.1", "account x")
    assert not_managed(Absent()) == ()


def test_what_an_absent_state_names_is_a_line_while_it_is_there() -> None:
    change = {"object": "account", "name": "id@테스트.net", "field": "state", "current": "present", "wanted": "absent"}
    gone = Reconcile(name="x", command=("C:/x.exe",), state="absent")
    kind = KINDS["reconcile"]
    assert kind.key(gone)["arguments"] == "--absent"
    assert kind.differences(gone, Present({"changes": [change], "not_managed": []})) == (
        Difference("account id@테스트.net.state", "present", "absent"),
    )
    assert kind.differences(gone, Absent()) == ()
    assert [line.field for line in kind.differences(gone, Unknown("no such option"))] == ["state"]


def test_a_database_is_gone_when_its_user_is_unless_it_is_purged() -> None:
    gone = MySQLDatabase(name="d", user="u", password_file="C:/p", program="C:/p", admin_file="C:/a", state="absent")
    left = Present({"database": "d", "user": "", "login": False, "privileges": []})
    assert KINDS["mysql_database"].differences(gone, left) == ()
    purged = MySQLDatabase(
        name="d", user="u", password_file="C:/p", program="C:/p", admin_file="C:/a", state="absent", purge=True
    )
    assert [line.field for line in KINDS["mysql_database"].differences(purged, left)] == ["state"]
