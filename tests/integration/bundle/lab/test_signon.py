"""Who is let in, by which way, and which side refuses the rest."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import spnego
import winrm
from winrm.exceptions import InvalidCredentialsError, WSManFaultError

from lab.certificates import ensure
from pyinfra_winrm.errors import UnreachableHostError
from pyinfra_winrm.secret import Secret
from pyinfra_winrm.session import Session
from pyinfra_winrm.settings import Connection
from tests.lib.deploying import Lab, running_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab


def plain(lab: Lab, transport: str, **more: object) -> winrm.protocol.Protocol:
    return winrm.protocol.Protocol(
        f"http://127.0.0.1:{lab.config.http}/wsman",
        transport=transport, username=lab.config.user, password=lab.config.password, proxy=None, **more,
    )  # fmt: skip


def session(lab: Lab, **changed: object) -> Session:
    fields = {
        "host": "127.0.0.1", "user": lab.config.user, "password": Secret(lab.config.password), "port": lab.config.https,
        "scheme": "https", "transport": "ntlm", "ca_file": Path(lab.config.ca), "fingerprint": None,
        "connect_timeout": 10, "operation_timeout": 10, "read_timeout": 60, "change_timeout": 60, "lock_wait": 1,
        "lock_lease": 10,
    }  # fmt: skip
    return Session(Connection(**fields | changed), script=lambda name: name)


def test_basic_over_http_is_refused_with_the_right_password_too(lab: Lab):
    with pytest.raises(InvalidCredentialsError):
        plain(lab, "basic").open_shell()


def test_clear_text_after_a_good_ntlm_sign_on_is_refused(lab: Lab):
    with pytest.raises(WSManFaultError, match="Unencrypted traffic is disabled"):
        plain(lab, "ntlm", message_encryption="never").open_shell()


def test_encrypted_ntlm_over_http_is_let_in(lab: Lab):
    client = plain(lab, "ntlm", message_encryption="always")
    client.close_shell(client.open_shell())


def test_half_a_handshake_is_no_sign_on(lab: Lab):
    connection = http.client.HTTPSConnection(
        "127.0.0.1", lab.config.https, timeout=10, context=ssl.create_default_context(cafile=lab.config.ca)
    )
    token = base64.b64encode(spnego.client("x", "y", protocol="ntlm").step() or b"").decode()
    connection.request("POST", "/wsman", b"", {"Authorization": f"Negotiate {token}"})
    first = connection.getresponse()
    first.read()
    assert first.status == 401
    connection.request("POST", "/wsman", b"<x/>", {"Content-Type": "application/soap+xml"})
    assert connection.getresponse().status == 401


@pytest.mark.parametrize("user", ["Administrator", "administrator", ".\\Administrator", "WIN-LAB\\Administrator"])
def test_the_account_is_known_by_each_of_its_names(lab: Lab, user: str):
    made = session(lab, user=user)
    made.connect()
    made.close()


def test_the_pinned_certificate_is_let_through_and_another_is_not(lab: Lab):
    made = session(lab, ca_file=None, fingerprint=lab.config.fingerprint)
    made.connect()
    made.close()
    with pytest.raises(UnreachableHostError, match="fingerprint"):
        session(lab, ca_file=None, fingerprint="ab" * 32).connect()


def test_an_unknown_authority_is_refused_by_the_client(lab: Lab, tmp_path: Path):
    other = ensure(tmp_path, "WIN-LAB")
    with pytest.raises(UnreachableHostError, match="unknown authority"):
        session(lab, ca_file=other.authority).connect()


def test_a_wrong_password_is_refused_by_the_server(lab: Lab):
    before = lab.call("lab.status")
    with pytest.raises(UnreachableHostError, match="refused the user"):
        session(lab, password=Secret("not-the-password")).connect()
    after = lab.call("lab.status")
    assert after["refused"]["credentials"] > before["refused"]["credentials"]
    assert after["served"] == before["served"]
