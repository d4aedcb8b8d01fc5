"""Restore, backup, rollback, uninstallation and objects: what they ask of a host, from settings alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.reconcile import read
from pyinfra_winrm.kinds import (
    Directory,
    File,
    IISVirtualDirectory,
    Junction,
    PythonRelease,
    Reconcile,
    ScheduledTask,
    Service,
)
from pyinfra_winrm.kinds.reconcile import KIND
from pyinfra_winrm.secret import Secret
from tasks import (
    agekey,
    certificates,
    configuration,
    deployment,
    objects,
    packing,
    pulling,
    release,
    report,
    restore,
    rollback,
    uninstall,
    verify,
)
from tasks.facts import Facts
from tasks.settings import Settings, SettingsError, load
from tasks.summary import Check

OLD = '"C:\\Mailhost\\releases\\old000000000\\python.exe" -X utf8 -m maild.cli service'


def settings(**changes: Any) -> Settings:
    domain = {"name": "테스트.net", "aliases": ["테스트.co.kr"], "accounts": [{"address": "id"}, {"address": "주문"}]}
    return load({"domains": [domain], "public_ipv4": "192.0.2.25"} | changes)


@pytest.fixture(autouse=True)
def packed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wheels.zip").write_bytes(b"PK")
    made = packing.PackedRelease("new123456789", "0.1.0", "maild==0.1.0\n", tmp_path / "wheels.zip")
    monkeypatch.setattr(release, "packed", lambda _settings: made)


def declared(wanted: Settings) -> Any:
    """The desired state as the daemon itself reads it."""
    (resource,) = objects.resources(wanted, Facts())
    secret = KIND.key(resource)["desired"]
    assert isinstance(secret, Secret)
    return read(secret.reveal().encode())


def test_the_daemon_reads_what_is_declared_and_roles_come_by_themselves() -> None:
    desired = declared(settings())
    assert [account.address for account in desired.accounts] == [
        "id@테스트.net",
        "주문@테스트.net",
        "dmarc-reports@테스트.net",
    ]
    assert {alias.address: alias.targets for alias in desired.aliases} == {
        "postmaster@테스트.net": ("id@테스트.net",),
        "abuse@테스트.net": ("id@테스트.net",),
    }
    assert [(key.domain, key.selector) for key in desired.dkim] == [
        ("테스트.net", "dkim"),
        ("테스트.net", "dkim-ed"),
        ("테스트.co.kr", "dkim"),
        ("테스트.co.kr", "dkim-ed"),
        ("reports.테스트.net", "dkim"),
        ("reports.테스트.net", "dkim-ed"),
    ]


def test_a_key_in_use_is_taken_over_by_the_domain_and_its_alias() -> None:
    keys = {"selector": "mail", "key_file": "C:/hMailServer/dkim_private.pem"}
    desired = declared(settings(domains=[{"name": "테스트.net", "aliases": ["테스트.co.kr"], "dkim": keys}]))
    assert [(key.domain, key.selector, key.algorithm, key.key_file) for key in desired.dkim[:4]] == [
        ("테스트.net", "mail", "rsa-sha256", "C:/hMailServer/dkim_private.pem"),
        ("테스트.net", "dkim-ed", "ed25519-sha256", None),
        ("테스트.co.kr", "mail", "rsa-sha256", "C:/hMailServer/dkim_private.pem"),
        ("테스트.co.kr", "dkim-ed", "ed25519-sha256", None),
    ]


def test_reports_come_from_a_signed_name_of_their_own_which_goes_when_they_are_off() -> None:
    off, on = declared(settings()), declared(settings(dmarc={"send_reports": True}))
    for desired, state in ((off, "absent"), (on, "present")):
        assert [(alias.name, alias.domain, alias.state) for alias in desired.alias_domains] == [
            ("테스트.co.kr", "테스트.net", "present"),
            ("reports.테스트.net", "테스트.net", state),
        ]
        assert [(key.domain, key.selector, key.state) for key in desired.dkim[4:]] == [
            ("reports.테스트.net", "dkim", state),
            ("reports.테스트.net", "dkim-ed", state),
        ]
    assert "reports.테스트.net" not in report.mail_hosts(settings())
    assert report.mail_hosts(settings(dmarc={"send_reports": True}))["reports.테스트.net"] == "smtp.테스트.net"


def test_a_role_that_is_declared_is_left_as_declared() -> None:
    domain = {
        "name": "테스트.net",
        "accounts": [{"address": "Postmaster"}],
        "forwards": [{"address": "abuse", "to": "x@y.net"}],
    }
    desired = declared(settings(domains=[domain]))
    assert [(alias.address, alias.targets) for alias in desired.aliases] == [("abuse@테스트.net", ("x@y.net",))]


def test_lists_routes_and_ranges_are_put_in_the_daemons_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTE", "비밀")
    domain = {
        "name": "테스트.net",
        "former_aliases": ["옛날.net"],
        "lists": [{"address": "all", "members": ["id@테스트.net"], "who": "owner", "owner": "id@테스트.net"}],
        "accounts": [{"address": "id", "state": "absent", "purge": True}],
    }
    desired = declared(
        settings(
            domains=[domain, {"name": "gone.net", "state": "absent", "purge": True}],
            routes=[
                {
                    "domain": "*.isp.kr",
                    "host": "relay.isp.kr",
                    "security": "tls",
                    "user": "u",
                    "password": {"env": "ROUTE"},
                }
            ],
            ip_ranges=[{"name": "사무실", "network": "203.0.113.0/24"}],
        )
    )
    assert (desired.lists[0].mode, desired.lists[0].announcers) == ("announcements", ("id@테스트.net",))
    assert [(alias.name, alias.state) for alias in desired.alias_domains] == [
        ("옛날.net", "absent"),
        ("reports.테스트.net", "absent"),
    ]
    assert (desired.routes[0].tls, desired.routes[0].auth, desired.routes[0].password) == (
        "implicit",
        "password",
        "비밀",
    )
    assert desired.ip_ranges[0].never_ban is True
    assert (desired.domains[1].state, desired.domains[1].purge) == ("absent", True)
    assert (desired.accounts[0].state, desired.accounts[0].purge) == ("absent", True)


def test_a_first_password_travels_as_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "비밀번호-1")
    domain = {"name": "테스트.net", "accounts": [{"address": "id", "first_password": {"env": "PW"}}]}
    (resource,) = objects.resources(settings(domains=[domain]), Facts())
    assert "비밀번호-1" not in repr(resource) + repr(KIND.key(resource))
    assert declared(settings(domains=[domain])).accounts[0].password == "비밀번호-1"


def test_a_restore_is_named_by_its_content_and_its_key_is_a_secret(tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    agekey.public_key(key)
    paths = []
    for content in (b"one", b"two"):
        (tmp_path / "b.age").write_bytes(content)
        file, asked = restore.resources(
            settings(restore_from=str(tmp_path / "b.age"), restore_identity=str(key)), Facts()
        )
        assert isinstance(file, File)
        assert isinstance(asked, Reconcile)
        assert asked.desired["from"] == file.path
        assert "AGE-SECRET-KEY" not in repr(asked)
        paths.append(file.path)
    assert paths[0] != paths[1]


def test_nothing_is_restored_unasked_and_a_missing_file_is_named(tmp_path: Path) -> None:
    assert restore.resources(settings(), Facts()) == []
    with pytest.raises(SettingsError, match="restore_from"):
        restore.resources(settings(restore_from=str(tmp_path / "no"), restore_identity="x"), Facts())


def test_a_backup_needs_a_key_and_says_how_to_make_one() -> None:
    with pytest.raises(SettingsError, match="age-keygen"):
        pulling.resource(settings(), "x.age")
    wanted = pulling.resource(settings(backup={"recipient": "age1x"}), pulling.name_of(settings(), "20261125T000000Z"))
    assert wanted.desired["name"] == "mailhost-smtp.xn--9t4b11yi5a.net-20261125T000000Z.age"
    assert wanted.desired["recipient"] == "age1x"


def test_the_labs_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    key = tmp_path / "lab" / "key.txt"
    made = agekey.public_key(key)
    assert made.startswith("age1")
    assert agekey.public_key(key) == made
    assert key.stat().st_mode & 0o077 == 0


def test_an_operators_key_is_made_outside_the_project_and_its_public_half_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert agekey.main([str(tmp_path / "mailhost.agekey")]) == 0
    assert capsys.readouterr().out.strip() == agekey.public_key(tmp_path / "mailhost.agekey")
    assert agekey.main(["mailhost.agekey"]) == 64
    assert not Path("mailhost.agekey").exists()
    assert agekey.main([]) == 64


def test_the_running_release_is_read_off_the_service() -> None:
    facts = Facts(services={"maild": {"image_path": OLD}})
    assert release.running(settings(), facts) == "old000000000"
    assert release.running(settings(), Facts()) is None


@given(st.text(max_size=60))
def test_any_command_line_of_a_service_can_be_looked_at(line: str) -> None:
    found = release.running(settings(), Facts(services={"maild": {"image_path": line}}))
    assert found is None or "/" not in found


def test_a_rollback_runs_service_and_tasks_from_the_release_before() -> None:
    wanted = rollback.resources(settings(backup={"recipient": "age1x"}), Facts(), "old000000000")
    *runs, shown = wanted
    runs.append(rollback.before(settings(), Facts(), "old000000000").service)
    assert {type(each) for each in runs} == {Service, ScheduledTask}
    assert {each.command[0] for each in runs if each.state == "present"} == {
        "C:/Mailhost/releases/old000000000/python.exe"
    }
    assert shown == Junction(path="C:/Mailhost/current", target="C:/Mailhost/releases/old000000000")


def test_the_settings_of_a_release_that_serves_are_kept_for_a_way_back_to_it() -> None:
    shown, kept = deployment.TASKS["serving"](settings(), Facts())
    assert isinstance(shown, Junction)
    assert isinstance(kept, File)
    assert kept.content == configuration.maild_toml(settings(), Facts())
    assert kept.path == rollback.before(settings(), Facts(), "new123456789").kept_path
    assert kept.acl == configuration.resources(settings(), Facts())[0].acl


def test_an_uninstallation_keeps_mail_unless_it_is_purged() -> None:
    kept = uninstall.resources(settings(), Facts(), ("a", "b"), purge=False)
    assert {each.state for each in kept} == {"absent"}
    assert not [each for each in kept if isinstance(each, Directory)]
    assert [each.id for each in kept if isinstance(each, PythonRelease)] == ["a", "b"]
    purged = uninstall.resources(settings(), Facts(), (), purge=True)
    assert [(each.path, each.purge) for each in purged if isinstance(each, Directory)] == [("C:/Mailhost", True)]


def test_a_mysql_that_was_there_before_stays() -> None:
    existing = {"source": "existing", "service": "MySQL80"}
    gone = uninstall.resources(settings(database=existing), Facts(), (), purge=False)
    assert [each.name for each in gone if isinstance(each, Service)] == ["maild"]


def test_the_other_releases_come_newest_first() -> None:
    assert uninstall.releases_of({"surplus": ["c", "b"], "held": ["a"]}) == ("c", "b", "a")


def test_what_is_seen_from_the_server_decides_and_what_is_seen_from_here_is_told() -> None:
    checks = [Check("host", "SMTP 25", fine=False, detail="refused"), Check("controller", "IMAP 993", fine=False)]
    assert verify.broken(checks) == ["SMTP 25 (refused)"]


def test_a_report_is_taken_apart_into_what_the_summary_shows() -> None:
    found = report.parse(
        {
            "records": [{"domain": "a.net", "type": "MX", "owner": "a.net", "value": "smtp.a.net", "preference": 10}],
            "certificates": [{"name": "smtp.a.net", "pending": "no A record"}],
            "checks": [{"what": "SMTP 25", "fine": True, "detail": ""}],
            "first_passwords": True,
        }
    )
    assert found.records[0].state == "unchecked"
    assert found.certificates[0].pending == "no A record"
    assert found.checks[0].origin == "host"


def test_each_domain_and_added_domain_names_its_mx_target() -> None:
    assert report.mail_hosts(settings()) == {"테스트.net": "smtp.테스트.net", "테스트.co.kr": "smtp.테스트.co.kr"}


def test_an_authority_is_asked_only_when_it_is_the_source() -> None:
    assert certificates.resources(settings(tls={"source": "self_signed"}), Facts()) == []
    (asked,) = certificates.resources(settings(), Facts())
    assert asked.command[-4:-2] == ("certs", "issue")
    (first,) = certificates.first(settings(), Facts())
    assert first.desired["names"] == ["smtp.테스트.net", "smtp.테스트.co.kr"]
    (given,) = certificates.first(settings(tls={"source": "files", "folder": "C:/pem"}), Facts())
    assert given.desired == {"names": [], "files": True}


def test_current_shows_a_new_release_at_once_only_where_none_serves() -> None:
    shown = Junction(path="C:/Mailhost/current", target="C:/Mailhost/releases/new123456789")
    assert shown in release.resources(settings(python={"file": __file__}), Facts())
    upgrading = release.resources(settings(python={"file": __file__}), Facts(services={"maild": {"image_path": OLD}}))
    assert [type(each) for each in upgrading] == [PythonRelease]
    assert release.serving(settings(), Facts()) == [shown]


def test_an_uninstallation_takes_the_path_off_iis_again() -> None:
    gone = uninstall.resources(settings(), Facts(services={"W3SVC": {}}), (), purge=False)
    assert [each.path for each in gone if isinstance(each, IISVirtualDirectory)] == ["/.well-known/acme-challenge"]
