"""The network below the protocols: listeners, admission, TLS, connections, lines.

``Server`` opens listeners and makes a ``Session`` a connection; ``Stream`` is a session written as a coroutine.
"""

from maild.net.admission import Admission, Bounds
from maild.net.certificates import Certificate, Certificates
from maild.net.connection import Connection
from maild.net.errors import (
    BareLineEnd,
    Busy,
    CertificateError,
    LineTooLong,
    ListenError,
    NetError,
    StreamClosed,
    StreamStopped,
    StreamTimeout,
)
from maild.net.fair import FairQueue
from maild.net.lines import Lines
from maild.net.peer import Address, Network, Peer, address_of, network_of
from maild.net.server import Server, read_buffer
from maild.net.session import Session, Shared, TLSInfo
from maild.net.stream import Stream

__all__ = [
    "Address",
    "Admission",
    "BareLineEnd",
    "Bounds",
    "Busy",
    "Certificate",
    "CertificateError",
    "Certificates",
    "Connection",
    "FairQueue",
    "LineTooLong",
    "Lines",
    "ListenError",
    "NetError",
    "Network",
    "Peer",
    "Server",
    "Session",
    "Shared",
    "Stream",
    "StreamClosed",
    "StreamStopped",
    "StreamTimeout",
    "TLSInfo",
    "address_of",
    "network_of",
    "read_buffer",
]
