"""What can go wrong on the network, as one family."""

from __future__ import annotations


class NetError(Exception):
    """The root of this package's errors."""


class Busy(NetError):  # noqa: N818
    """The queue is full and this job was the one to go."""


class CertificateError(NetError):
    """A certificate cannot be used; the text names it and says why."""


class ListenError(NetError):
    """A port cannot be listened on; the text says which and why."""


class LineTooLong(NetError):  # noqa: N818
    """A line exceeds its bound."""


class BareLineEnd(NetError):  # noqa: N818
    """A CR without LF or a LF without CR stood in a line."""


class StreamClosed(NetError):  # noqa: N818
    """The client is gone."""


class StreamStopped(NetError):  # noqa: N818
    """The daemon ends and no command is under way: say goodbye."""


class StreamTimeout(NetError):  # noqa: N818
    """The client was silent for too long."""
