"""Preflight: what stops a deploy before anything is changed, with whose name and which way out."""

from __future__ import annotations

from typing import Any

import pytest

from pyinfra_winrm.kinds import Greeting
from pyinfra_winrm.resource import Present, Unknown
from tasks.facts import HTTP_SYS, Facts, PortOwner, parse
from tasks.preflight import findings, outbound, outbound_finding, secure_delivery
from tasks.settings import Settings, load
from tasks.translation import translator


def settings(**changes: Any) -> Settings:
    base: dict[str, Any] = {
        "domains": [{"name": "테스트.net"}],
        "public_ipv4": "192.0.2.25",
        "tls": {"source": "acme", "acme": {"accept_terms": True}},
    }
    return load(base | changes)


def said(wanted: Settings, **facts: Any) -> list[tuple[str, str]]:
    return [(finding.level, str(finding)) for finding in findings(wanted, Facts(**facts))]


def owner(port: int, image: str = "C:\\x\\other.exe", service: str = "") -> tuple[PortOwner, ...]:
    return (PortOwner(port, "0.0.0.0", image, service),)


def test_a_bare_server_2019_passes() -> None:
    assert said(settings()) == []


@pytest.mark.parametrize(
    ("facts", "what", "todo"),
    [
        ({"build": 14393, "caption": "Microsoft Windows Server 2016"}, "2016", "Server 2019"),
        ({"free_bytes": 1024**3}, "1.0 GB left", "free at least 4 GB"),
        ({"language_mode": "ConstrainedLanguage"}, "ConstrainedLanguage", "AppLocker"),
        ({"quotas": {"MaxShellsPerUser": 1}}, "MaxShellsPerUser is 1", "winrm set"),
    ],
)
def test_what_cannot_work_stops_and_says_what_to_do(facts: dict[str, Any], what: str, todo: str) -> None:
    ((level, text),) = said(settings(), **facts)
    assert level == "stop"
    assert what in text
    assert todo in text


@pytest.mark.parametrize("facts", [{"pending_reboot": ("windows update",)}, {"clock_offset": -90.0}])
def test_what_heals_or_can_wait_is_only_noted(facts: dict[str, Any]) -> None:
    assert [level for level, _ in said(settings(), **facts)] == ["note"]


def test_hmailserver_on_a_mail_port_stops_and_names_the_setting_that_takes_over() -> None:
    taken = owner(25, "C:\\Program Files (x86)\\hMailServer\\Bin\\hMailServer.exe", "hMailServer")
    ((level, text),) = said(settings(), ports=taken)
    assert level == "stop"
    assert "port 25 (smtp) belongs to hMailServer" in text
    assert 'take_over = "hmailserver"' in text
    assert said(settings(take_over="hmailserver"), ports=taken) == []


def test_iis_on_port_80_is_accepted_and_on_443_only_while_the_web_is_off() -> None:
    ports, services = (PortOwner(80, "::", HTTP_SYS), PortOwner(443, "::", HTTP_SYS)), {"W3SVC": {}}
    assert said(settings(), ports=ports, services=services) == []
    ((_, text),) = said(settings(web={"enabled": True}), ports=ports, services=services)
    assert "port 443 (web) belongs to IIS (http.sys)" in text


def test_another_web_server_on_port_80_is_accepted_when_its_folder_is_named() -> None:
    nginx = owner(80, "C:\\nginx\\nginx.exe", "nginx")
    assert [level for level, _ in said(settings(), ports=nginx)] == ["stop"]
    acme = {"accept_terms": True, "challenge": "webroot", "webroot": "C:/nginx/acme"}
    assert said(settings(tls={"acme": acme}), ports=nginx) == []


def test_another_program_behind_http_sys_stops_the_proof_of_names() -> None:
    ((level, text),) = said(settings(), ports=(PortOwner(80, "::", HTTP_SYS),))
    assert level == "stop"
    assert "port 80 (proof of host names) belongs to http.sys (not IIS)" in text


def test_a_stranger_on_a_port_we_need_is_named() -> None:
    ((level, text),) = said(settings(), ports=owner(993, "C:\\Dovecot\\imapd.exe"))
    assert (level, text.split(";")[0]) == ("stop", "port 993 (imaps) belongs to imapd.exe")


def test_mysql_on_3306_stops_an_installation_and_not_the_use_of_it() -> None:
    mysql = owner(3306, "C:\\MySQL\\bin\\mysqld.exe", "MySQL80")
    ((level, text),) = said(settings(), ports=mysql)
    assert level == "stop"
    assert 'use it: database = {"source": "existing", "service": "MySQL80", "port": 3306,' in text
    assert '{"env": "MYSQL_ROOT_PASSWORD"}}; or give ours another port: database = {"port": 3307}' in text
    ((_, text),) = said(settings(), ports=owner(3306, "C:\\x\\other.exe", "Other"))
    assert "move Other to another port" in text
    existing = {"source": "existing", "service": "MySQL80", "administrator_password": {"env": "X"}}
    assert said(settings(database=existing), ports=mysql) == []


@pytest.mark.parametrize(("address", "levels"), [("192.168.0.10", ["note"]), ("172.32.0.1", []), ("192.0.2.25", [])])
def test_an_inner_address_in_the_place_of_the_public_one_is_noted(address: str, levels: list[str]) -> None:
    found = said(settings(public_ipv4=address))
    assert [level for level, _ in found] == levels
    assert all(address in text for _, text in found)


def test_our_own_listeners_are_no_strangers() -> None:
    ours = (*owner(25, "c:\\mailhost\\releases\\ab\\python.exe"), *owner(3306, "D:\\x.exe", "MailhostMySQL"))
    assert said(settings(), ports=ours) == []


def test_terms_that_nobody_accepted_stop() -> None:
    ((level, text),) = said(settings(tls={"source": "acme"}))
    assert level == "stop"
    assert "accept_terms" in text


def test_stops_come_first() -> None:
    levels = [level for level, _ in said(settings(), pending_reboot=("x",), build=1)]
    assert levels == ["stop", "note"]


def test_facts_of_a_reply_name_http_sys_by_its_process() -> None:
    reply = {
        "build": 17763, "caption": "c", "language_mode": "FullLanguage", "code_page": 949, "disk": {"free": 1},
        "pending_reboot": [], "quotas": {}, "ports": [{"port": 80, "address": "::", "pid": 4, "image": "System"}],
        "time": 1060.0,
    }  # fmt: skip
    line = '"C:\\Program Files\\MySQL\\bin\\mysqld.exe" --defaults-file=x MySQL80'
    facts = parse(reply, {"MySQL80": {"image_path": line}}, 1000.0)
    assert facts.clock_offset == 60.0
    assert facts.owner_of(80) == PortOwner(80, "::", HTTP_SYS)
    assert not facts.has_iis
    assert facts.program_of_service("mysql80") == "C:/Program Files/MySQL"


def test_a_korean_reader_is_told_in_korean() -> None:
    taken = owner(25, "C:\\hMailServer.exe", "hMailServer")
    (finding,) = findings(settings(language="ko"), Facts(ports=taken))
    said_in_korean = finding.said(translator("ko"))
    assert said_in_korean.startswith("25번 포트(smtp)를 hMailServer가 쓰고 있습니다. ")
    assert 'take_over = "hmailserver"' in said_in_korean


def way_out(said: str = "", failure: str = "", **changes: Any) -> str | None:
    """What is said of the way out when a mail server outside has answered so."""
    wanted = settings(**changes)
    found = outbound_finding(wanted, outbound(wanted), Present({"said": said, "failure": failure}))
    return found and f"{found.level}: {found}"


def test_a_blocked_port_25_is_told_with_its_remedy_and_stops_nothing() -> None:
    assert outbound(settings()) == Greeting(
        hosts=("gmail-smtp-in.l.google.com", "mx1.naver.com"), port=25, expects="220"
    )
    assert way_out(said="220 mx.google.com ESMTP") is None
    blocked = way_out(failure="mx1.naver.com: No connection within 5 s.")
    assert blocked is not None
    assert blocked.startswith(
        "note: no mail server outside answers on port 25 (mx1.naver.com: No connection within 5 s.)"
    )
    assert "set smart_host" in blocked
    assert "554 no" in str(way_out(said="554 no"))
    assert "unknown" in str(outbound_finding(settings(), outbound(settings()), Unknown("x")))


def test_nobody_outside_is_called_offline_or_where_another_server_sends() -> None:
    offline = settings(dns_offline=True)
    assert outbound(offline) is None
    assert "not tried (dns_offline)" in str(outbound_finding(offline, None, None))
    for silent in (settings(smart_host={"host": "smtp.isp.kr"}), settings(outbound_check=[])):
        assert outbound(silent) is None
        assert outbound_finding(silent, None, None) is None


@pytest.mark.parametrize(
    ("language", "begins"), [("en", "DANE off: no validating resolver; "), ("ko", "DANE을 쓰지 않습니다. ")]
)
def test_a_host_without_a_validating_resolver_is_told_that_dane_is_off(language: str, begins: str) -> None:
    found = secure_delivery(settings(language=language))
    assert found is not None
    assert found.level == "note"
    assert found.said(translator(language)).startswith(begins)
    assert secure_delivery(settings(dns_servers=["192.0.2.53"], dns_validating=True)) is None
