"""The settings of a host: what is refused, with which words, and what follows from what."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.settings import SecretSource, Settings, SettingsError, load
from tasks.settings.names import ascii_name, both_forms, unicode_name
from tasks.translation import language_of, translator

ROOT = Path(__file__).resolve().parents[4]


def data(**changes: Any) -> dict[str, Any]:
    return {"domains": [{"name": "테스트.net", "aliases": ["테스트.co.kr"]}]} | changes


def public_names(file: str) -> dict[str, Any]:
    values = runpy.run_path(str(ROOT / "group_data" / file))
    data = (str, int, float, bool, list, tuple, dict, type(None))
    return {name: value for name, value in values.items() if not name.startswith("_") and isinstance(value, data)}


def refusal(**changes: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load(data(**changes))
    return str(caught.value)


def test_all_py_shows_every_setting_with_the_default_that_the_model_has() -> None:
    shown = public_names("all.py")
    assert set(shown) == set(Settings.__struct_fields__)
    shown["domains"] = data()["domains"]
    assert load(shown) == load(data())


def test_lab_py_is_the_example_of_the_tutorial() -> None:
    settings = load(public_names("all.py") | public_names("lab.py"))
    assert settings.domains[0].name == "테스트.net"
    assert settings.domains[0].aliases == ("테스트.co.kr",)
    assert [account.address for account in settings.domains[0].accounts] == ["id", "주문"]
    assert {listener.bind for _, listener in settings.listeners.enabled()} == {"127.0.0.1"}
    assert settings.bound_port(settings.listeners.smtp) == settings.lab_port_base + 25


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    assert refusal(defualt_domain="테스트.net").endswith("did you mean default_domain?")
    nested = refusal(domains=[{"name": "테스트.net", "acounts": []}])
    assert nested.startswith("domains[0].acounts: ")
    assert nested.endswith("did you mean accounts?")


def test_a_mistyped_key_of_the_connection_is_refused_too() -> None:
    assert (
        refusal(winrm_fingerprnt="ab") == "winrm_fingerprnt: there is no such setting; did you mean winrm_fingerprint?"
    )
    assert load(data(winrm_user="Administrator", winrm_fingerprint="ab", ssh_user="root"))


def test_an_unknown_key_with_nothing_near_lists_what_there_is() -> None:
    assert "there are: enabled, failures" not in refusal(zzz=1)
    assert "keep_days" in refusal(logs={"zzz": 1})


def test_a_literal_secret_is_refused_and_not_repeated() -> None:
    said = refusal(domains=[{"name": "테스트.net", "accounts": [{"address": "id", "first_password": "hunter2-비밀"}]}])
    assert said.startswith("domains[0].accounts[0].first_password: a literal secret")
    assert "hunter2" not in said


def test_a_key_that_opens_backups_is_refused_and_not_repeated() -> None:
    said = refusal(backup={"recipient": "AGE-SECRET-KEY-1QQQ"})
    assert said.startswith("backup.recipient: this is no age public key")
    assert "1QQQ" not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"domains": [{"name": "테스트.net", "mail_host": "203.0.113.25"}]}, "is an address, where a name belongs"),
        (
            {"ip_ranges": [{"name": "office", "network": "203.0.113.0/99"}]},
            "ip_ranges[0].network: '203.0.113.0/99' is no",
        ),
        ({"language": "kr"}, "language: invalid enum value 'kr'; there are: 'ko', 'en'"),
        ({"tls": {"source": "file"}}, "there are: 'acme', 'files', 'self_signed'"),
        ({"domains": [{"name": "테스트.net", "state": "gone"}]}, "there are: 'present', 'absent'"),
        ({"smart_host": "smtp.example.com"}, "smart_host: expected `{...} | None`, got `str`"),
        ({"domains": {"name": "테스트.net"}}, "domains: expected `[...]`, got `{...}`"),
    ],
)
def test_a_newcomers_mistakes_are_answered_in_the_words_of_the_file(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"defualt_domain": "테스트.net"}, "defualt_domain: 그런 설정은 없습니다. 혹시 default_domain입니까?"),
        ({"language": "kr"}, "language: 쓸 수 없는 값입니다: 'kr'. 쓸 수 있는 것: 'ko', 'en'"),
        (
            {"smart_host": "smtp.example.com"},
            "smart_host: 값의 형식이 틀렸습니다(필요한 형식: `{...} | None`, 적힌 형식: `str`)",
        ),
        ({"domains": []}, 'domains: 도메인이 없습니다. 이렇게 적으십시오: domains = [{"name": "테스트.net"}]'),
        ({"public_ipv4": "::1"}, "public_ipv4: IPv6 주소입니다: ::1. public_ipv6에 적으십시오"),
        ({"backup": {"keep_days": 0}}, "backup.keep_days: 값이 범위를 벗어났습니다(허용 범위: >= 1)"),
    ],
)
def test_a_mistake_is_told_to_a_korean_reader_in_korean(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(data(**changes))
    assert caught.value.said(translator("ko")) == said


def test_the_language_is_that_of_the_settings_even_when_they_cannot_be_used() -> None:
    assert language_of({"language": "ko", "zzz": 1}, {"LANG": "C"}) == "ko"
    assert language_of({"language": "kr"}, {"LANG": "ko_KR.UTF-8"}) == "ko"
    assert language_of({}, {"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}) == "en"


def test_a_secret_file_inside_the_project_is_refused() -> None:
    said = refusal(database={"administrator_password": {"file": str(ROOT / "group_data" / "password")}})
    assert "could be committed" in said


def test_a_secret_is_read_from_where_the_reference_says(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("비밀번호\n", encoding="utf-8")
    assert SecretSource.parse("k", {"file": str(tmp_path / "s")}).read() == "비밀번호"
    assert SecretSource.parse("k", {"env": "X"}).read({"X": "y"}) == "y"
    assert SecretSource.parse("k", {"prompt": "which"}).read(ask=lambda question: question) == "which: "


@pytest.mark.parametrize("way", [{"env": "NOT_SET_ANYWHERE"}, {"file": "/nonexistent/secret"}])
def test_a_secret_that_is_not_there_names_the_setting_and_the_place(way: dict[str, str]) -> None:
    source = SecretSource.parse("database.administrator_password", way)
    with pytest.raises(SettingsError, match="administrator_password") as caught:
        source.read({})
    assert next(iter(way.values())) in str(caught.value)


def test_naming_one_field_of_a_listener_leaves_the_others() -> None:
    settings = load(data(listeners={"pop3s": {"enabled": True}}))
    assert [(name, listener.port) for name, listener in settings.listeners.enabled()] == [
        ("smtp", 25),
        ("submissions", 465),
        ("submission", 587),
        ("imaps", 993),
        ("pop3s", 995),
    ]
    assert settings.listeners.pop3s.tls == "implicit"


def test_out_of_the_box_nothing_listens_in_clear_text_and_25_takes_no_password() -> None:
    listeners = load(data()).listeners
    assert listeners.smtp.auth == "off"
    assert all(listener.tls != "none" for _, listener in listeners.enabled())
    assert not any(getattr(listeners, name).enabled for name in ("pop3s", "pop3", "imap"))


def test_names_follow_from_the_domains() -> None:
    settings = load(data())
    assert settings.server_name == "smtp.테스트.net"
    assert settings.completing_domain == "테스트.net"
    assert settings.mail_hosts == ("smtp.테스트.net", "smtp.테스트.co.kr")


def test_one_mail_host_given_stands_for_the_added_domain_too() -> None:
    settings = load(data(domains=[{"name": "테스트.net", "aliases": ["테스트.co.kr"], "mail_host": "mail.테스트.net"}]))
    assert settings.mail_hosts == ("mail.테스트.net",)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"domains": []}, "domains"),
        ({"domains": [{"name": "테스트"}]}, "domains[0].name"),
        ({"domains": [{"name": "테스트.net"}, {"name": "xn--9t4b11yi5a.net"}]}, "domains"),
        (
            {"domains": [{"name": "테스트.net", "accounts": [{"address": "id@테스트.net"}]}]},
            "domains[0].accounts[0].address",
        ),
        (
            {"domains": [{"name": "테스트.net", "accounts": [{"address": "id"}, {"address": "ID"}]}]},
            "domains[0].accounts",
        ),
        ({"domains": [{"name": "테스트.net", "state": "absent"}]}, "domains"),
        ({"public_ipv4": "299.299.299.299"}, "public_ipv4"),
        ({"public_ipv6": "192.0.2.1"}, "public_ipv6"),
        ({"default_domain": "else.net"}, "default_domain"),
        ({"tls": {"source": "files"}}, "tls.folder"),
        ({"listeners": {"submissions": {"port": 587}}}, "listeners.submission.port"),
        ({"web": {"enabled": True, "port": 993}}, "web.port"),
        ({"max_message_mb": "fifty"}, "max_message_mb"),
        ({"backup": {"at": "25:00"}}, "backup.at"),
        ({"language": "jp"}, "language"),
        ({"dns_validating": True}, "dns_validating"),
        ({"policy": {"scrum": True}}, "policy.scrum"),
    ],
)
def test_what_cannot_be_names_its_key(changes: dict[str, Any], key: str) -> None:
    assert refusal(**changes).split(": ")[0].startswith(key)


def test_what_belongs_to_the_connector_is_let_through() -> None:
    assert load(data(winrm_user="Administrator", uninstall_purge=True)) == load(data())


def test_both_forms_of_a_name_are_the_same_name() -> None:
    assert load({"domains": [{"name": "xn--9t4b11yi5a.net"}]}).domains[0].name == "테스트.net"
    assert both_forms("테스트.net") == "테스트.net (xn--9t4b11yi5a.net)"
    assert both_forms("example.org") == "example.org"


@given(st.text("가나다라마바사아자차카타파하abcxyz0189", min_size=1, max_size=12))
def test_names_survive_the_way_through_dns(label: str) -> None:
    assert unicode_name(ascii_name(f"{label}.net")) == f"{label}.net"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load(data()).language = "ko"  # type: ignore[misc]
    assert msgspec.structs.asdict(load(data()))["language"] == "en"
