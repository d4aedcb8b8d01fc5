"""The settings file: defaults, refusals that name the nearest key, paths, the documented example."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.settings import Settings, SettingsError, example, load, parse

FOLDER = Path("/srv/mail/etc")


def test_hostname_alone_is_enough() -> None:
    settings = parse('hostname = "mail.example.net"', FOLDER)
    assert {listener.port for listener in settings.open_listeners} == {25, 465, 587, 993}
    assert settings.auto_ban.failures == 3


def test_only_port_25_takes_mail_without_login_and_offers_none() -> None:
    settings = parse('hostname = "mail.example.net"', FOLDER)
    assert {listener.port: listener.auth for listener in settings.listeners if listener.protocol == "smtp"} == {
        25: "off",
        465: "required",
        587: "required",
    }


def test_the_documented_example_loads_to_the_defaults() -> None:
    assert parse(example(), FOLDER) == parse('hostname = "mail.example.net"', FOLDER)


def test_every_key_is_described() -> None:
    def keys(info: msgspec.inspect.Type) -> None:
        while isinstance(info, msgspec.inspect.Metadata):
            info = info.type
        if isinstance(info, msgspec.inspect.VarTupleType):
            keys(info.item_type)
        if isinstance(info, msgspec.inspect.StructType):
            for field in info.fields:
                assert isinstance(field.type, msgspec.inspect.Metadata), (info.cls, field.name)
                keys(field.type)

    keys(msgspec.inspect.type_info(Settings))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hostnam = 'x'", "unknown key `hostnam`; did you mean `hostname`?"),
        ("hostname='a.b'\n[limits]\nmessage_byte = 3", "`limits.message_byte`; did you mean `message_bytes`?"),
        ("hostname='a.b'\n[[listeners]]\nnaem = 'x'", "`listeners[0].naem`; did you mean `name`?"),
        ("hostname='a.b'\n[policy.greylisting]\nenable=true", "`policy.greylisting.enable`; did you mean `enabled`?"),
        ("hostname='a.b'\n[limits]\nmessage_bytes = 3", "`limits.message_bytes`"),
        ("hostname='a b'", "`hostname`"),
        ("hostname=", "at end of document"),
        ("hostname='a.b'\n[database]\nengine='mysql'", "password_file"),
        ("hostname='a.b'\n[dmarc]\nsend_reports=true", "reports_domain"),
        ("hostname='a.b'\npublic_ipv4='::1'", "public_ipv4"),
        ("hostname='a.b'\n[auto_ban]\nnever=['10.0.0.1/8']", "auto_ban.never"),
        (
            "hostname='a.b'\n[[listeners]]\nname='x'\nprotocol='http'\nport=80\ntls='none'",
            "http needs tls = `implicit`",
        ),
        (
            "hostname='a.b'\n[[listeners]]\nname='x'\nprotocol='smtp'\nport=25\ntls='none'",
            "a password never goes in clear text",
        ),
        (
            "hostname='a.b'\n[[listeners]]\nname='x'\nprotocol='imap'\nport=993\n[[listeners]]\nname='y'\nprotocol='pop3'\nport=993",
            "share port 993",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse(text, FOLDER)
    assert says in str(raised.value)


def test_relative_paths_are_below_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "maild.toml"
    file.write_text('hostname = "a.b"\n[database]\nfile = "../data/메일.db"\n', encoding="utf-8")
    settings = load(file)
    assert settings.database.file == tmp_path / "../data/메일.db"
    assert settings.tls.folder == tmp_path / "tls"
    assert settings.logs.folder == tmp_path / "logs"


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "maild.toml"
    file.write_bytes(b"\xef\xbb\xbfhostname = 'a.b'\r\n")
    assert load(file).hostname == "a.b"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(tmp_path / "none.toml")


@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_settings_error(text: str) -> None:
    with contextlib.suppress(SettingsError):
        parse(text, FOLDER)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(st.sampled_from([field.name for field in msgspec.structs.fields(Settings)]), VALUES)
def test_any_value_of_a_key_is_taken_or_refused_as_settings_error(name: str, value: object) -> None:
    tree = {"hostname": "a.b", name: value}
    text = "\n".join(f"{key} = {_toml(item)}" for key, item in tree.items() if item is not None)
    with contextlib.suppress(SettingsError):
        parse(text, FOLDER)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value if item is not None) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08x}" for letter in value if not 0xD800 <= ord(letter) < 0xE000) + '"'
    return repr(value)
