"""How one host is reached: the data keys of the inventory, checked and typed.

It guarantees that clear HTTP, Basic without TLS and two sources for one password are refused before anything is sent.
Opening the connection is left to ``transport``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from pyinfra.api.hiddenvalue import HiddenValue
from pyinfra.connectors.base import ConnectorData, DataMeta

from pyinfra_winrm.errors import ConfigurationError
from pyinfra_winrm.secret import Secret

Transport = Literal["ntlm", "kerberos", "basic"]
TRANSPORTS: Final = ("ntlm", "kerberos", "basic")

# WinRM's own ports; fixed since Windows 7.
PORTS: Final = {"https": 5986, "http": 5985}

# Seconds. A connection on a LAN opens in milliseconds; over a poor line in a few seconds.
CONNECT_TIMEOUT: Final = 15
# Seconds a Receive waits on the host before it is asked again; MaxTimeoutms is 60 s by default.
OPERATION_TIMEOUT: Final = 20
# Seconds on top of that before the host counts as silent.
READ_GRACE: Final = 15
# Seconds a read may take in all; a host that is slower is not well.
READ_TIMEOUT: Final = 300
# Seconds a change may take in all; what is longer belongs into a task of the host.
CHANGE_TIMEOUT: Final = 3600
# Seconds a run waits for another one to finish.
LOCK_WAIT: Final = 120
# Seconds of silence after which the host gives up on the controller and releases the lock.
LOCK_LEASE: Final = 45


class WinRMData(ConnectorData, total=False):
    """The data keys of a host; each is described in ``DATA_META``."""

    winrm_host: str
    winrm_user: str
    winrm_password: str | HiddenValue | Secret
    winrm_password_env: str
    winrm_password_file: str
    winrm_port: int
    winrm_scheme: str
    winrm_transport: str
    winrm_ca_file: str
    winrm_fingerprint: str
    winrm_connect_timeout: int
    winrm_operation_timeout: int
    winrm_read_timeout: int
    winrm_change_timeout: int
    winrm_lock_wait: int
    winrm_lock_lease: int
    winrm_print_differences: bool


DATA_META: Final[dict[str, DataMeta]] = {
    "winrm_host": DataMeta("Name or address to connect to; the part behind @winrm/ by default"),
    "winrm_user": DataMeta("User, as NAME, DOMAIN\\NAME or NAME@DOMAIN"),
    "winrm_password": DataMeta("The password itself, for programs that make their own inventory"),
    "winrm_password_env": DataMeta("Environment variable that holds the password"),
    "winrm_password_file": DataMeta("File whose first line is the password"),
    "winrm_port": DataMeta("Port; 5986 for https, 5985 for http"),
    "winrm_scheme": DataMeta("https, or http with encrypted messages (ntlm, kerberos)", "https"),
    "winrm_transport": DataMeta("ntlm, kerberos, or basic (https only)", "ntlm"),
    "winrm_ca_file": DataMeta("PEM file of the authority that signed the host's certificate"),
    "winrm_fingerprint": DataMeta("SHA-256 of the host's certificate; replaces the check of name and authority"),
    "winrm_connect_timeout": DataMeta("Seconds to open a connection", CONNECT_TIMEOUT),
    "winrm_operation_timeout": DataMeta(
        "Seconds a request may wait on the host before it is renewed", OPERATION_TIMEOUT
    ),
    "winrm_read_timeout": DataMeta("Seconds a read may take in all", READ_TIMEOUT),
    "winrm_change_timeout": DataMeta("Seconds a change may take in all", CHANGE_TIMEOUT),
    "winrm_lock_wait": DataMeta("Seconds to wait for another run on the same host", LOCK_WAIT),
    "winrm_lock_lease": DataMeta("Seconds of silence after which the host releases the lock", LOCK_LEASE),
    "winrm_print_differences": DataMeta("Print each field that is not as wanted", default=True),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """One host's connection, checked."""

    host: str
    user: str
    password: Secret
    port: int
    scheme: str
    transport: Transport
    ca_file: Path | None
    fingerprint: str | None
    connect_timeout: int
    operation_timeout: int
    read_timeout: int
    change_timeout: int
    lock_wait: int
    lock_lease: int

    @property
    def url(self) -> str:
        """The address of the WinRM service."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/wsman"


def _password(data: Mapping[str, Any], host: str, environment: Mapping[str, str]) -> Secret:
    sources = [key for key in ("winrm_password", "winrm_password_env", "winrm_password_file") if data.get(key)]
    if len(sources) != 1:
        raise ConfigurationError(
            f"{host}: the password comes from one of winrm_password_env, winrm_password_file and winrm_password; "
            f"given: {' and '.join(sources) or 'none'}"
        )
    value = data[sources[0]]
    if sources[0] == "winrm_password_env":
        if not environment.get(value):
            raise ConfigurationError(
                f"{host}: the environment variable {value} (winrm_password_env) is empty or not set"
            )
        return Secret(environment[value])
    if sources[0] == "winrm_password_file":
        try:
            return Secret(Path(value).expanduser().read_text(encoding="utf-8").splitlines()[0])
        except (OSError, UnicodeDecodeError, IndexError) as error:
            raise ConfigurationError(f"{host}: no password in {value} (winrm_password_file): {error}") from error
    if isinstance(value, HiddenValue):
        return Secret(str(value.unmask()))
    return value if isinstance(value, Secret) else Secret(value)


def _fingerprint(text: str | None, host: str) -> str | None:
    if not text:
        return None
    plain = text.removeprefix("SHA256:").replace(":", "").replace(" ", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ConfigurationError(f"{host}: winrm_fingerprint is the SHA-256 of the certificate, 64 hexadecimal digits")
    return plain


def _check_security(host: str, scheme: str, transport: str, *, pinned: bool, ca_file: str | None) -> None:
    if transport not in TRANSPORTS:
        raise ConfigurationError(f"{host}: winrm_transport is one of {', '.join(TRANSPORTS)}, not {transport!r}")
    if scheme not in PORTS:
        raise ConfigurationError(f"{host}: winrm_scheme is https or http, not {scheme!r}")
    if scheme == "http" and transport == "basic":
        raise ConfigurationError(f"{host}: basic over http would send the password in clear: use https, or ntlm")
    if scheme == "http" and (pinned or ca_file):
        raise ConfigurationError(f"{host}: winrm_fingerprint and winrm_ca_file need https")
    if pinned and ca_file:
        raise ConfigurationError(f"{host}: give winrm_fingerprint or winrm_ca_file, not both")
    if ca_file and not Path(ca_file).expanduser().is_file():
        raise ConfigurationError(f"{host}: no file {ca_file} (winrm_ca_file)")


def connection(data: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Connection:
    """The checked connection; raises ``ConfigurationError`` with what to change."""
    host = data["winrm_host"]
    scheme, transport = data["winrm_scheme"], data["winrm_transport"]
    fingerprint = _fingerprint(data.get("winrm_fingerprint"), host)
    ca_file = data.get("winrm_ca_file")
    _check_security(host, scheme, transport, pinned=fingerprint is not None, ca_file=ca_file)
    if not data.get("winrm_user"):
        raise ConfigurationError(f"{host}: no user: set winrm_user")
    operation_timeout = data["winrm_operation_timeout"]
    if operation_timeout < 1:
        raise ConfigurationError(f"{host}: winrm_operation_timeout is at least 1 second")
    return Connection(
        host=host,
        user=data["winrm_user"],
        password=_password(data, host, os.environ if environment is None else environment),
        port=data.get("winrm_port") or PORTS[scheme],
        scheme=scheme,
        transport=cast("Transport", transport),
        ca_file=Path(ca_file).expanduser() if ca_file else None,
        fingerprint=fingerprint,
        connect_timeout=data["winrm_connect_timeout"],
        operation_timeout=operation_timeout,
        read_timeout=data["winrm_read_timeout"],
        change_timeout=data["winrm_change_timeout"],
        lock_wait=data["winrm_lock_wait"],
        lock_lease=data["winrm_lock_lease"],
    )
