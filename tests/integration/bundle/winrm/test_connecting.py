"""Connecting to a real listener: what is trusted, what is refused, and the one sentence for each."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pyinfra_winrm import transport
from pyinfra_winrm.errors import ConfigurationError, UnreachableHostError
from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.session import Session
from pyinfra_winrm.settings import DATA_META, connection
from tests.lib.deploying import PASSWORD_VARIABLE, Lab, running_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("connecting") / "lab") as running:
        yield running


def session(lab: Lab, **changed: Any) -> Session:
    data = {key: meta.default for key, meta in DATA_META.items()} | lab.data() | changed
    settings = connection(data, {PASSWORD_VARIABLE: lab.config.password})
    return Session(settings, lambda name: KINDS[name].script.read_text(encoding="utf-8"))


def answers(opened: Session) -> bool:
    opened.connect()
    try:
        return opened.read("ping", {}).ok
    finally:
        opened.close()


def test_pinned_certificate_is_trusted_whatever_its_name_and_issuer(lab: Lab) -> None:
    assert answers(session(lab))
    assert answers(session(lab, winrm_transport="basic"))


def test_authority_file_is_trusted_for_the_names_in_the_certificate(lab: Lab) -> None:
    assert answers(session(lab, winrm_fingerprint=None, winrm_ca_file=lab.config.ca))
    assert answers(session(lab, winrm_fingerprint=None, winrm_ca_file=lab.config.ca, winrm_host="localhost"))


def test_http_carries_encrypted_messages_only(lab: Lab) -> None:
    plain = {"winrm_scheme": "http", "winrm_port": lab.config.http, "winrm_fingerprint": None}
    assert answers(session(lab, **plain))
    with pytest.raises(ConfigurationError, match="would send the password in clear"):
        session(lab, **plain, winrm_transport="basic")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"winrm_user": "nobody"}, "refused the user nobody with this password"),
        ({"winrm_password_env": None, "winrm_password": "wrong"}, "refused the user Administrator with this password"),
        ({"winrm_fingerprint": None}, "is from an unknown authority"),
        ({"winrm_fingerprint": "11" * 32}, "somebody is in between"),
        ({"winrm_host": "no-such-host.invalid"}, "no host of that name"),
        ({"winrm_port": 1}, "nothing listens at https://127.0.0.1:1/wsman"),
    ],
)
def test_host_that_is_not_reached_is_one_sentence(lab: Lab, changed: dict[str, Any], said: str) -> None:
    opened = session(lab, **changed)
    with pytest.raises(UnreachableHostError) as caught:
        opened.connect()
    text = str(caught.value)
    assert said in text
    assert text.startswith(f"{opened.name}: ")
    assert "\n" not in text


def test_kerberos_without_its_library_says_what_to_install(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAVE_KERBEROS", False)
    opened = session(lab, winrm_transport="kerberos")
    with pytest.raises(
        UnreachableHostError, match=r"127.0.0.1: .*not installed here: pip install 'pywinrm\[kerberos\]'"
    ):
        opened.connect()


def test_kerberos_is_spoken_where_its_library_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAVE_KERBEROS", True)
    chosen = transport._protocol(session(lab, winrm_transport="kerberos", winrm_fingerprint=None).settings).transport
    assert chosen.auth_method == "kerberos"
    assert not chosen.kerberos_delegation


def test_tls_spoken_to_a_plain_port_is_one_sentence(lab: Lab) -> None:
    with pytest.raises(UnreachableHostError, match="no TLS with https://127"):
        session(lab, winrm_port=lab.config.http).connect()


def test_port_that_never_answers_is_one_sentence(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        opened = session(lab, winrm_port=port, winrm_connect_timeout=1, winrm_operation_timeout=1)
        with pytest.raises(UnreachableHostError, match="did not answer in time"):
            opened.connect()


def test_session_is_reopened_after_its_connection_was_cut_under_encrypted_http(lab: Lab) -> None:
    opened = session(lab, winrm_scheme="http", winrm_port=lab.config.http, winrm_fingerprint=None)
    opened.connect()
    lab.fault("cut-after", verb="ping")
    assert opened.read("ping", {}).ok
    assert opened.generation == 2
    opened.close()
    assert lab.call("lab.status")["shells"] <= 2
