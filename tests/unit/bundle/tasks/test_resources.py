"""What each task asks of a host, from settings and facts alone."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from maild.settings import load as load_maild
from pyinfra_winrm.kinds import (
    Archive,
    Directory,
    File,
    IISVirtualDirectory,
    MySQLDatabase,
    MySQLServer,
    Program,
    Service,
)
from pyinfra_winrm.kinds.acl import parse_sddl
from pyinfra_winrm.secret import Secret
from tasks import (
    certificates,
    challenge,
    configuration,
    database,
    directories,
    firewall,
    mysql,
    packing,
    release,
    schedule,
    service,
    system,
    takeover,
)
from tasks.facts import Facts
from tasks.rendering import FILES
from tasks.settings import Settings, SettingsError, load

HMAILSERVER = {
    "image_path": '"C:\\Program Files (x86)\\hMailServer\\Bin\\hMailServer.exe" RunAsService',
    "display_name": "hMailServer", "description": "", "account": "LocalSystem", "depends_on": ["RPCSS", "MySQL"],
    "failure_actions": "", "failure_flag": 0, "sid_type": 0, "environment": [],
}  # fmt: skip
BARE = Facts()
IIS = Facts(services={"W3SVC": {}})


def settings(**changes: Any) -> Settings:
    return load(
        {"domains": [{"name": "테스트.net", "aliases": ["테스트.co.kr"]}], "public_ipv4": "192.0.2.25"} | changes
    )


@pytest.fixture(autouse=True)
def packed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A release without the network."""
    (tmp_path / "wheels.zip").write_bytes(b"PK")
    made = packing.PackedRelease("abc123def456", "0.1.0", "maild==0.1.0\n", tmp_path / "wheels.zip")
    monkeypatch.setattr(release, "packed", lambda _settings: made)


def rules(wanted: Settings, facts: Facts = BARE) -> dict[str, Any]:
    (group,) = firewall.resources(wanted, facts)
    return {rule.name: rule.ports[0] for rule in group.rules}


def test_the_firewall_opens_what_listens_and_80_while_names_are_proven_there() -> None:
    assert rules(settings()) == {
        "smtp-25": 25,
        "submissions-465": 465,
        "submission-587": 587,
        "imaps-993": 993,
        "acme-80": 80,
    }


def test_a_listener_switched_on_is_a_rule_more_and_off_again_one_less() -> None:
    on = rules(settings(listeners={"pop3s": {"enabled": True}}))
    assert set(on) - set(rules(settings())) == {"pop3s-995"}


def test_the_firewall_leaves_80_to_iis_and_opens_443_for_the_web_alone() -> None:
    assert "acme-80" not in rules(settings(), IIS)
    assert "acme-80" not in rules(settings(tls={"source": "self_signed"}))
    assert rules(settings(web={"enabled": True}))["web-443"] == 443


def test_a_lab_opens_the_ports_it_really_listens_on() -> None:
    assert rules(settings(lab_port_base=20000))["smtp-25"] == 20025


def test_folders_come_parents_first_and_none_is_open_to_ordinary_users() -> None:
    folders = directories.resources(settings(), Facts())
    paths = [folder.path for folder in folders]
    assert paths[0] == "C:/Mailhost"
    assert all(path.rpartition("/")[0] in paths[:at] for at, path in enumerate(paths) if at)
    for folder in folders:
        assert folder.acl is not None
        descriptor = parse_sddl(folder.acl.sddl(folder=True))
        assert descriptor.protected
        assert not {entry.sid for entry in descriptor.entries} & {"S-1-1-0", "S-1-5-11", "S-1-5-32-545"}


def test_the_root_of_somebody_else_is_refused() -> None:
    assert not directories.resources(settings(), Facts())[0].adopt


def test_the_daemon_changes_only_its_data_and_logs() -> None:
    writes = [
        folder.path
        for folder in directories.resources(settings(), Facts())
        for allow in (folder.acl.entries if folder.acl else ())
        if allow.account == r"NT SERVICE\maild" and allow.rights != "read"
    ]
    assert writes == ["C:/Mailhost/data", "C:/Mailhost/logs"]


def test_mysql_comes_with_its_runtime_and_a_service_of_its_own_account() -> None:
    wanted = mysql.resources(settings(), Facts())
    assert [type(each) for each in wanted] == [Program, Directory, Directory, Archive, MySQLServer, Service]
    server, own = wanted[-2], wanted[-1]
    assert isinstance(server, MySQLServer)
    assert isinstance(own, Service)
    for line in (
        "bind-address=127.0.0.1",
        "innodb_flush_log_at_trx_commit=1",
        "sync_binlog=1",
        "skip-log-bin",
        "loose-mysqlx=0",
        "loose-mysqlx-cache-cleaner=OFF",
    ):
        assert line in server.config.splitlines()
    assert own.account == r"NT SERVICE\MailhostMySQL"


def test_no_mysql_is_installed_where_one_is_or_sqlite_will_do() -> None:
    assert mysql.resources(settings(database={"engine": "sqlite"}), Facts()) == []
    assert database.resources(settings(database={"engine": "sqlite"}), Facts()) == []
    assert mysql.resources(settings(database={"source": "existing"}), Facts()) == []


def test_an_existing_mysql_is_used_with_its_own_client_and_the_administrators_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROOT_PW", "비밀")
    existing = {"source": "existing", "service": "MySQL80", "administrator_password": {"env": "ROOT_PW"}}
    facts = Facts(services={"MySQL80": {"image_path": '"C:\\MySQL\\bin\\mysqld.exe" MySQL80'}})
    place, made = database.resources(settings(database=existing), facts)
    assert isinstance(place, File)
    assert place.once
    assert isinstance(made, MySQLDatabase)
    assert made.program == "C:/MySQL"
    assert made.admin_password is not None
    assert made.admin_password.reveal() == "비밀"
    assert "비밀" not in repr(made)


def test_an_existing_mysql_without_a_password_says_where_to_put_it() -> None:
    with pytest.raises(SettingsError, match="administrator_password"):
        database.resources(settings(database={"source": "existing"}), Facts())


def test_the_daemon_runs_from_its_release_and_after_its_database() -> None:
    (own,) = service.resources(settings(), Facts())
    assert own.command[0] == "C:/Mailhost/releases/abc123def456/python.exe"
    assert own.command[1:3] == ("-X", "utf8")
    assert own.depends_on == ("MailhostMySQL",)
    assert service.resources(settings(database={"engine": "sqlite"}), Facts())[0].depends_on == ()


def test_changed_settings_restart_the_daemon() -> None:
    (before,), (after,) = (service.resources(wanted, Facts()) for wanted in (settings(), settings(max_message_mb=20)))
    assert before.restart_on != after.restart_on


def test_every_setting_file_that_is_rendered_is_one_the_daemon_can_load(tmp_path: Path) -> None:
    for number, wanted in enumerate(
        (
            settings(),
            settings(language="ko", database={"engine": "sqlite"}, tls={"source": "self_signed"}),
            settings(
                smart_host={"host": "smtp.isp.kr", "user": "u", "password": {"env": "X"}},
                ip_ranges=[{"name": "사무실", "network": "203.0.113.0/24"}],
                dns_servers=["192.0.2.53"],
                dns_validating=True,
                policy={"scram": True},
                lab_port_base=20000,
                dmarc={"send_reports": True, "reports_domain": "보고.테스트.net"},
                trusted_sealers=["목록.example"],
            ),
        )
    ):
        file = tmp_path / f"{number}.toml"
        file.write_text(configuration.maild_toml(wanted, Facts()), encoding="utf-8")
        loaded = load_maild(file)
        assert loaded.hostname == "smtp.xn--9t4b11yi5a.net"
        assert loaded.dns.validating is wanted.dns_validating
        assert loaded.policy.scram is wanted.policy.scram
        assert [each.real_port for each in loaded.open_listeners] == [
            wanted.bound_port(each) for _, each in wanted.listeners.enabled()
        ]


def test_certificates_are_ordered_one_a_name() -> None:
    text = configuration.maild_toml(settings(), Facts())
    ordered = tomllib.loads(text)["acme"]["certificates"]
    assert [each["names"] for each in ordered] == [["smtp.xn--9t4b11yi5a.net"], ["smtp.xn--9t4b11yi5a.co.kr"]]


def test_iis_serves_the_proof_of_names_from_a_folder_it_may_read() -> None:
    assert tomllib.loads(configuration.maild_toml(settings(), IIS))["acme"]["webroot"] == "../web/acme"
    web, folder, config, shown = challenge.resources(settings(), IIS)
    assert isinstance(web, Directory)
    assert web.acl is not None
    assert {entry.account for entry in web.acl.entries} == {"SYSTEM", "Administrators", "S-1-5-32-568", "S-1-5-17"}
    assert (folder, config) == (
        Directory(path="C:/Mailhost/web/acme"),
        File(path="C:/Mailhost/web/acme/web.config", source=FILES / "acme-web.config"),
    )
    assert shown == IISVirtualDirectory(path="/.well-known/acme-challenge", folder="C:/Mailhost/web/acme")
    assert certificates.resources(settings(), IIS)[:-1] == [web, folder, config, shown]
    assert challenge.undone(settings(), IIS) == [
        IISVirtualDirectory(path="/.well-known/acme-challenge", state="absent")
    ]


@pytest.mark.parametrize(
    ("facts", "acme", "folder"),
    [
        (BARE, {}, None),
        (BARE, {"challenge": "webroot", "webroot": "C:/nginx/acme"}, "C:/nginx/acme"),
        (IIS, {"webroot": "C:/inetpub/acme"}, "C:/inetpub/acme"),
    ],
)
def test_a_folder_that_is_named_is_used_as_it_is(facts: Facts, acme: dict[str, str], folder: str | None) -> None:
    wanted = settings(tls={"acme": acme})
    assert challenge.webroot(wanted, facts) == folder
    assert challenge.resources(wanted, facts) == challenge.undone(wanted, facts) == []


def test_a_webroot_without_a_folder_and_without_iis_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"tls\.acme\.webroot: .*no folder is named"):
        challenge.webroot(settings(tls={"acme": {"challenge": "webroot"}}), BARE)


def test_the_port_of_the_proof_is_the_same_whoever_answers_there() -> None:
    for facts in (BARE, IIS):
        acme = tomllib.loads(configuration.maild_toml(settings(tls={"acme": {"challenge_port": 8080}}), facts))["acme"]
        assert (acme["challenge_port"], acme["check_reachable"]) == (8080, True)
    unchecked = settings(tls={"acme": {"check_reachable": False}})
    assert tomllib.loads(configuration.maild_toml(unchecked, BARE))["acme"]["check_reachable"] is False


def test_a_key_for_dns_updates_travels_as_a_secret_into_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSIG", "c2VjcmV0")
    wanted = settings(dns_updates={"server": "192.0.2.53", "key_name": "updates", "key_secret": {"env": "TSIG"}})
    (_, key) = configuration.resources(wanted, Facts())
    assert key.path == "C:/Mailhost/etc/secrets/dns-updates"
    assert isinstance(key.content, Secret)
    assert key.content.reveal() == "updates c2VjcmV0\n"
    assert "c2VjcmV0" not in repr(key)
    dkim = tomllib.loads(configuration.maild_toml(wanted, Facts()))["dkim"]
    assert (dkim["update_server"], dkim["update_key_file"]) == ("192.0.2.53", "secrets/dns-updates")
    assert "update_server" not in tomllib.loads(configuration.maild_toml(settings(), Facts()))["dkim"]


def test_a_smart_hosts_password_travels_as_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMART", "비밀번호")
    files = configuration.resources(
        settings(smart_host={"host": "smtp.isp.kr", "user": "u", "password": {"env": "SMART"}}), Facts()
    )
    assert [file.path.rpartition("/")[2] for file in files] == ["maild.toml", "smart-host"]
    assert "비밀번호" not in repr(files)


def test_renewal_is_scheduled_only_while_an_authority_is_asked() -> None:
    (task,) = schedule.renewal(settings(), Facts())
    assert [str(trigger) for trigger in task.triggers] == [
        "daily at 04:17 within 60 min",
        "daily at 16:17 within 60 min",
    ]
    assert task.command[4:7] == ("maild.cli", "certs", "renew")
    assert schedule.renewal(settings(tls={"source": "self_signed"}), Facts())[0].state == "absent"


def test_no_backup_is_made_that_anybody_could_read() -> None:
    assert schedule.backup(settings(), Facts())[0].state == "absent"
    (task,) = schedule.backup(settings(backup={"recipient": "age1xyz"}), Facts())
    assert "age1xyz" in task.command
    assert task.rerun_failed


def test_hmailserver_is_stopped_and_disabled_and_otherwise_left_as_it_is() -> None:
    facts = Facts(services={"hMailServer": HMAILSERVER})
    assert takeover.resources(settings(), facts) == []
    (taken,) = takeover.resources(settings(take_over="hmailserver"), facts)
    assert (taken.start, taken.status) == ("disabled", "stopped")
    assert taken.command == ("C:\\Program Files (x86)\\hMailServer\\Bin\\hMailServer.exe", "RunAsService")
    assert taken.depends_on == ("RPCSS", "MySQL")
    (back,) = takeover.undone(settings(take_over="hmailserver"), facts)
    assert (back.start, back.status) == ("automatic", "running")


def test_the_clock_and_the_event_log_are_prepared() -> None:
    clock, events = system.resources(settings(), Facts())
    assert clock.label == "time"
    assert events.label == "Application/maild"


@pytest.mark.parametrize(
    ("folder", "written"), [("C:/pem", "../../pem"), ("C:/Mailhost/etc/own", "own"), ("D:/인증서", "D:/인증서")]
)
def test_the_settings_file_names_folders_as_they_lie_from_it(folder: str, written: str) -> None:
    wanted = settings(tls={"source": "files", "folder": folder})
    assert tomllib.loads(configuration.maild_toml(wanted, BARE))["tls"]["folder"] == written
    assert tomllib.loads(configuration.maild_toml(settings(), BARE))["tls"]["folder"] == "tls"
