"""The data keys of a host: what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyinfra.api.hiddenvalue import HiddenValue

from pyinfra_winrm.errors import ConfigurationError
from pyinfra_winrm.secret import Secret
from pyinfra_winrm.settings import connection
from tests.lib.scriptedhost import DATA, settings

WITHOUT = {key: value for key, value in DATA.items() if key != "winrm_password"}


def test_ntlm_over_https_on_the_usual_port_is_the_default() -> None:
    found = settings()
    assert (found.url, found.transport) == ("https://server:5986/wsman", "ntlm")
    assert settings(winrm_scheme="http").url == "http://server:5985/wsman"
    assert settings(winrm_host="fd00::1", winrm_port=9).url == "https://[fd00::1]:9/wsman"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"winrm_scheme": "http", "winrm_transport": "basic"}, "would send the password in clear"),
        ({"winrm_transport": "plaintext"}, "winrm_transport is one of ntlm, kerberos, basic"),
        ({"winrm_scheme": "ftp"}, "winrm_scheme is https or http"),
        ({"winrm_scheme": "http", "winrm_fingerprint": "ab" * 32}, "need https"),
        ({"winrm_fingerprint": "abc"}, "64 hexadecimal digits"),
        ({"winrm_ca_file": "/no/such/ca.pem"}, "no file /no/such/ca.pem"),
        ({"winrm_user": ""}, "set winrm_user"),
        ({"winrm_operation_timeout": 0}, "at least 1 second"),
        ({"winrm_password_env": "X"}, "given: winrm_password and winrm_password_env"),
    ],
)
def test_what_cannot_work_or_is_not_safe_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^server: ") as caught:
        settings(**changed)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_fingerprint_is_taken_as_people_paste_it() -> None:
    plain = "0123456789abcdef" * 4
    pasted = "SHA256:" + ":".join(plain.upper()[i : i + 2] for i in range(0, 64, 2))
    assert settings(winrm_fingerprint=pasted).fingerprint == plain


def test_password_comes_from_one_source(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("암호 1\nignored\n", encoding="utf-8")
    for given in (
        {"winrm_password": "암호 1"},
        {"winrm_password": HiddenValue("암호 1")},
        {"winrm_password": Secret("암호 1")},
        {"winrm_password_env": "PASSWORD"},
        {"winrm_password_file": str(file)},
    ):
        found = connection(WITHOUT | given, {"PASSWORD": "암호 1"})
        assert found.password.reveal() == "암호 1"
        assert "암호" not in repr(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "given: none"),
        ({"winrm_password_env": "NOT_SET"}, "NOT_SET"),
        ({"winrm_password_file": "/no/such/file"}, "/no/such/file"),
    ],
)
def test_missing_password_is_named_by_its_source(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        connection(WITHOUT | given, {})
