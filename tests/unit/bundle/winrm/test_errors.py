"""What the libraries raise, as one sentence; and whether a new session may help."""

from __future__ import annotations

import socket

import pytest
import requests
import winrm.exceptions as raised

from pyinfra_winrm.errors import QUOTAS, SHELL_NOT_FOUND, RequestFailedError, explain, is_lost
from pyinfra_winrm.protocol import ERROR_CODES, Failure

URL = "https://server:5986/wsman"


def fault(code: int, reason: str) -> raised.WSManFaultError:
    return raised.WSManFaultError(500, "Bad HTTP response", "<xml/>", reason, wsman_fault_code=code)


def nested(inner: BaseException) -> requests.ConnectionError:
    outer = requests.ConnectionError("HTTPSConnectionPool(host='server', port=5986): Max retries exceeded")
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "said", "lost"),
    [
        (raised.InvalidCredentialsError("x"), "refused the user ops with this password", False),
        (fault(max(QUOTAS), "too many shells."), "a WinRM quota is exhausted: too many shells (raise", False),
        (fault(1, "The quota of this user"), "a WinRM quota is exhausted", False),
        (fault(5, "Access is denied."), "make it a member of Administrators", False),
        (fault(SHELL_NOT_FOUND, "no\n shell."), f"WinRM at {URL} answered: no shell (fault", True),
        (raised.WinRMTransportError("http", 400, ""), "HTTP status 400", True),
        (raised.WinRMTransportError("http", 503, ""), "HTTP status 503", False),
        (raised.WinRMOperationTimeoutError(), "did not answer in time", True),
        (nested(socket.gaierror(-2, "Name or service not known")), "no host of that name", True),
        (nested(ConnectionRefusedError()), "nothing listens at", True),
        (requests.ConnectTimeout(), "the host is down, or a firewall drops", True),
        (requests.ReadTimeout(), "did not answer in time", True),
        (requests.exceptions.ChunkedEncodingError("IncompleteRead"), "was cut", True),
        (ConnectionResetError(), "was cut", True),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED: self-signed"), "unknown authority", False),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED: Hostname mismatch"), "for another name", False),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED: has expired"), "has expired", False),
        (requests.exceptions.SSLError("SSL: WRONG_VERSION_NUMBER"), "no TLS with", False),
        (ValueError("odd"), "ValueError while talking to", False),
    ],
)
def test_exception_of_a_library_is_one_sentence(error: Exception, said: str, lost: bool) -> None:
    text = explain(error, url=URL, user="ops")
    assert said in text
    assert "\n" not in text
    assert is_lost(error) is lost


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
def test_failure_of_the_host_has_what_where_and_what_to_do(code: str) -> None:
    text = str(RequestFailedError("server", Failure(code, "It did not work.", "C:\\x"), "file C:/x"))
    assert text.startswith("server: file C:/x: C:\\x: It did not work")
    assert code == "other" or text.endswith(")")


def test_what_the_sentence_names_already_is_not_said_twice() -> None:
    error = RequestFailedError("server", Failure("other", "'C:\\x' is odd", "C:\\x"))
    assert str(error) == "server: 'C:\\x' is odd"
