"""The ports the daemon answers on and the certificates it shows there.

A listener has a public ``port`` (what firewall, DNS and clients know) and may be bound elsewhere. Nothing listens in
clear text by default but port 25, which offers STARTTLS and no authentication.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from maild.settings.base import Table, key

Protocol = Literal["smtp", "imap", "pop3", "http"]
TLSMode = Literal["none", "implicit", "starttls", "starttls-required"]
Auth = Literal["off", "optional", "required"]


class Listener(Table, frozen=True, kw_only=True):
    """One port: what is spoken on it, how it is encrypted, whether one may or must log in."""

    name: Annotated[str, key("Name of the listener in logs and messages", min_length=1)]
    protocol: Annotated[Protocol, key("smtp, imap, pop3 or http")]
    port: Annotated[int, key("The port as clients know it", ge=1, le=65535)]
    tls: Annotated[
        TLSMode,
        key("implicit: TLS from the first byte; starttls: offered; starttls-required: nothing goes without; none"),
    ] = "implicit"
    auth: Annotated[
        Auth,
        key("smtp only. off: mail from strangers, no login; required: mail from users only; optional: both"),
    ] = "required"
    bind: Annotated[str, key("Address to listen on; :: is every IPv6 and IPv4 address")] = "::"
    bind_port: Annotated[int, key("Port to really listen on, 0: the same as port", ge=0, le=65535)] = 0
    enabled: Annotated[bool, key("false keeps the listener in the file and closed")] = True

    @property
    def real_port(self) -> int:
        """The port that is bound."""
        return self.bind_port or self.port


class TLS(Table, frozen=True, kw_only=True):
    """Certificates and the versions of TLS that are spoken."""

    folder: Annotated[Path, key("Folder of NAME-chain.pem and NAME-key.pem, one pair a certificate")] = Path("tls")
    default: Annotated[str, key("NAME shown to a client that names no host; empty: the one for hostname")] = ""
    minimum: Annotated[Literal["1.2", "1.3"], key("The oldest version of TLS accepted")] = "1.2"


STANDARD_LISTENERS = (
    Listener(name="smtp", protocol="smtp", port=25, tls="starttls", auth="off"),
    Listener(name="submissions", protocol="smtp", port=465, tls="implicit"),
    Listener(name="submission", protocol="smtp", port=587, tls="starttls-required"),
    Listener(name="imaps", protocol="imap", port=993, tls="implicit"),
    Listener(name="pop3s", protocol="pop3", port=995, tls="implicit", enabled=False),
    Listener(name="pop3", protocol="pop3", port=110, tls="starttls-required", enabled=False),
    Listener(name="imap", protocol="imap", port=143, tls="starttls-required", enabled=False),
    Listener(name="https", protocol="http", port=443, tls="implicit", auth="off", enabled=False),
)
