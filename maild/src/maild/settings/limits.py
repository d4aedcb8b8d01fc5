"""Every bound on what a client may use: sizes, counts, times.

Each is a key with its unit in its name; the reasons stand beside them. They protect the server from one client, and
clients from each other.
"""

from __future__ import annotations

from typing import Annotated

from maild.settings.base import Table, key


class Limits(Table, frozen=True, kw_only=True):
    """Bounds for sessions and messages."""

    message_bytes: Annotated[int, key("Largest message, announced as SIZE", ge=64 * 1024)] = 50 * 1024 * 1024
    unfinished_bytes: Annotated[
        int,
        key("Memory for all messages still being received; beyond it senders wait and then get 452", ge=1024 * 1024),
    ] = 64 * 1024 * 1024
    recipients: Annotated[int, key("Recipients of one message; RFC 5321 4.5.3.1.8 asks for 100 at least", ge=100)] = (
        1000
    )
    messages_per_session: Annotated[int, key("Messages in one SMTP session", ge=1)] = 1000
    errors_per_session: Annotated[int, key("Refused commands before an SMTP session ends", ge=3)] = 20
    header_bytes: Annotated[int, key("Header of one message", ge=16 * 1024)] = 512 * 1024
    hops: Annotated[int, key("Received lines before a message counts as looping; RFC 5321 6.3: 100 or more", ge=30)] = (
        100
    )
    connections: Annotated[int, key("Connections at once, all listeners together", ge=10)] = 4000
    connections_per_address: Annotated[int, key("Connections at once of one IPv4 address or IPv6 /64", ge=1)] = 50
    handshakes: Annotated[int, key("TLS handshakes computed at once; 0: as many as there are cores", ge=0)] = 0
    handshakes_waiting: Annotated[int, key("TLS handshakes that may wait; further ones are cut", ge=10)] = 1000
    logins_waiting: Annotated[int, key("Password checks that may wait; further ones get a temporary error", ge=10)] = (
        1000
    )
    handshake_seconds: Annotated[int, key("Time a TLS handshake may take", ge=5)] = 30
    smtp_idle_seconds: Annotated[int, key("Silence in an SMTP session; RFC 5321 4.5.3.2.7 asks for 300", ge=10)] = 300
    smtp_total_seconds: Annotated[int, key("Length of an SMTP session", ge=60)] = 3600
    imap_idle_seconds: Annotated[int, key("Silence in an IMAP session; RFC 9051 5.4 asks for 1800", ge=60)] = 1860
    imap_login_seconds: Annotated[int, key("Silence in an IMAP session before login", ge=10)] = 60
    pop3_idle_seconds: Annotated[int, key("Silence in a POP3 session; RFC 1939 3 asks for 600", ge=60)] = 600
    drain_seconds: Annotated[int, key("Time running transactions get when the daemon stops", ge=0)] = 10
