"""The lines that travel between the connector and the host script, and nothing else.

A request is one line of base64 over UTF-8 JSON; a chunk of an upload is a ``+`` line that carries its bytes with a
single base64. A reply is one marked line. Whatever else a host prints is kept apart as noise. Pure: bytes in, values
out.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from pyinfra_winrm.resource import Absent, Json, Present, State, Unknown
from pyinfra_winrm.secret import Secret

MARKER: Final = b"@@mailhost "

# A line that never ends would fill memory; the largest reply is a download piece of 1 MiB in two layers of base64.
LONGEST_LINE: Final = 8 * 1024 * 1024

# The last lines of noise are enough to explain a session that died.
NOISE_KEPT: Final = 20

ERROR_CODES: Final = frozenset(
    {
        "access-denied",
        "busy",
        "disk-full",
        "language-mode",
        "not-found",
        "other",
        "quota",
        "sharing-violation",
    }
)


class ProtocolError(Exception):
    """A line that is not of this protocol; the text says what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong on the host: one of ``ERROR_CODES``, the host's own sentence, what it is about."""

    code: str
    message: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; ``id`` 0 is a failure of the whole session."""

    id: int
    ok: bool
    fields: Mapping[str, Json]
    failure: Failure | None = None


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot travel in a request")


def encode_request(number: int, verb: str, fields: Mapping[str, Json]) -> bytes:
    """The line for one request; the only place where a ``Secret`` is revealed."""
    text = json.dumps({"id": number, "verb": verb, **fields}, default=_plain, separators=(",", ":"))
    return base64.b64encode(text.encode()) + b"\r\n"


def encode_chunk(number: int, data: bytes) -> bytes:
    """The line for one chunk of an upload: its number, then its bytes."""
    return b"+%d:%b\r\n" % (number, base64.b64encode(data))


def decode_request(line: bytes) -> dict[str, Any]:
    """What a host makes of one line; a chunk comes out as an ``upload.chunk`` with base64 ``data``."""
    line = line.strip()
    try:
        if line.startswith(b"+"):
            number, _, data = line[1:].partition(b":")
            return {"id": 0, "verb": "upload.chunk", "number": int(number), "data": data.decode("ascii")}
        request = json.loads(base64.b64decode(line, validate=True))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a request: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("verb"), str):
        raise ProtocolError("a request is an object with a verb")
    return request


def encode_reply(number: int, fields: Mapping[str, Json]) -> bytes:
    """The line that answers a request; ``fields`` holds ``ok`` and what comes with it."""
    text = json.dumps({"id": number, **fields}, separators=(",", ":"))
    return MARKER + b"%d %b\r\n" % (number, base64.b64encode(text.encode()))


def decode_reply(line: bytes) -> Reply:
    """One marked line as a reply."""
    marker, _, rest = line.strip().partition(b" ")
    number, _, encoded = rest.partition(b" ")
    if marker != MARKER.strip():
        raise ProtocolError("a reply starts with its marker")
    try:
        body = json.loads(base64.b64decode(encoded, validate=True).decode())
        identity = int(number)
    except (ValueError, RecursionError, binascii.Error) as error:
        raise ProtocolError(f"a damaged reply: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("ok"), bool):
        raise ProtocolError("a reply is an object that says whether it is ok")
    return Reply(identity, body["ok"], body, None if body["ok"] else _failure(body.get("error")))


def _failure(error: object) -> Failure:
    if not isinstance(error, dict):
        return Failure("other", "the host gave no reason")
    code = str(error.get("code"))
    return Failure(
        code if code in ERROR_CODES else "other",
        str(error.get("message") or "the host gave no reason"),
        str(error.get("what") or ""),
    )


def decode_state(item: object) -> State:
    """One item of a ``read`` reply, or the state an ``apply`` reply carries."""
    if isinstance(item, dict):
        match item.get("state"):
            case "present" if isinstance(item.get("value"), dict):
                return Present(item["value"])
            case "absent":
                return Absent()
            case "unknown":
                return Unknown(str(item.get("reason") or "no reason given"))
            case _:
                pass
    raise ProtocolError("a state is present with a value, absent, or unknown with a reason")


@dataclass(slots=True)
class ReplyReader:
    """Finds the replies in a stream of output that arrives cut at any byte."""

    noise: list[str] = field(default_factory=list)
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Takes what arrived and yields the replies that are complete."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = bytearray(rest)
        if len(self._rest) > LONGEST_LINE:
            self._rest.clear()
            raise ProtocolError(f"a line of more than {LONGEST_LINE} bytes")
        for line in lines:
            # Something a native program printed without a line end may stand before the marker.
            start = line.find(MARKER)
            if start >= 0:
                self._keep(line[:start])
                yield decode_reply(bytes(line[start:]))
            else:
                self._keep(line)

    def _keep(self, line: bytes | bytearray) -> None:
        text = bytes(line).decode("utf-8", "replace").strip()
        if text:
            self.noise.append(text)
            del self.noise[:-NOISE_KEPT]
