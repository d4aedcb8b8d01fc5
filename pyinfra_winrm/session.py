"""One session with one host: one shell, one PowerShell, requests one after the other.

It guarantees that a read is asked again after a lost connection and a change never is, that scripts travel once and
only when they are needed, and that whatever goes wrong leaves as a ``HostError`` with one sentence. What is asked is
left to its callers.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import requests
import winrm.exceptions as raised

from pyinfra_winrm.errors import (
    HostError,
    HostTimeoutError,
    LostSessionError,
    RequestFailedError,
    UnreachableHostError,
    explain,
    is_lost,
)
from pyinfra_winrm.protocol import NOISE_KEPT, ProtocolError, Reply, ReplyReader, encode_request
from pyinfra_winrm.resource import Json
from pyinfra_winrm.scripts import command_line, host_script
from pyinfra_winrm.settings import Connection
from pyinfra_winrm.transport import Link, Wire

RAISED: Final = (
    raised.WinRMError, raised.WinRMTransportError, raised.WinRMOperationTimeoutError, requests.RequestException,
    OSError, ValueError, ProtocolError,
)  # fmt: skip

Clock = Callable[[], float]

HOST_SCRIPTS: Final = ("host", "seam")


@dataclass(slots=True)
class Session:
    """The session with one host; ``connect`` before use, ``close`` after it.

    script: finds the PowerShell of a kind by its name.
    """

    settings: Connection
    script: Callable[[str], str]
    link: Callable[[Connection], Link] = Wire
    clock: Clock = time.monotonic
    requests_made: int = 0
    generation: int = 0
    last_used: float = 0.0
    facts: Json = None
    _wire: Link | None = None
    _reader: ReplyReader = field(default_factory=ReplyReader)
    _stderr: list[str] = field(default_factory=list)
    _loaded: set[str] = field(default_factory=set)
    _number: int = 0
    _turn: threading.RLock = field(default_factory=threading.RLock)

    @property
    def name(self) -> str:
        """The host as messages name it."""
        return self.settings.host

    @property
    def connected(self) -> bool:
        """Whether there is a session; it may be lost without having been noticed."""
        return self._wire is not None

    def connect(self) -> None:
        """Opens the session; raises ``UnreachableHostError``."""
        with self._turn:
            self.close()
            wire = self.link(self.settings)
            try:
                wire.open(command_line())
                self._wire, self._reader, self._stderr = wire, ReplyReader(), []
                self._loaded, self.facts = set(), None
                self.generation += 1
            except HostError as error:
                self._drop()
                raise UnreachableHostError(str(error)) from error
            except RAISED as error:
                wire.close()
                self._wire = None
                raise UnreachableHostError(
                    f"{self.name}: {explain(error, url=self.settings.url, user=self.settings.user)}"
                ) from error

    def close(self) -> None:
        """Ends the session; never raises for a host that is gone."""
        with self._turn:
            self._drop()

    def read(self, verb: str, fields: Mapping[str, Json], *, kinds: tuple[str, ...] = (), timeout: int = 0) -> Reply:
        """Asks something that changes nothing; asked again, once, when the connection was lost."""
        with self._turn:
            timeout = timeout or self.settings.read_timeout
            try:
                return self._request(verb, fields, kinds, timeout, "")
            except LostSessionError:
                self.connect()
                return self._request(verb, fields, kinds, timeout, "")

    def change(
        self, verb: str, fields: Mapping[str, Json], *, about: str, kinds: tuple[str, ...] = (), timeout: int = 0
    ) -> Reply:
        """Asks for a change, exactly once; ``about`` is what the message names when it fails."""
        with self._turn:
            try:
                return self._request(verb, fields, kinds, timeout or self.settings.change_timeout, about)
            except LostSessionError as error:
                raise LostSessionError(
                    f"{error}; {about} may or may not be done: run again, a run starts from what it finds"
                ) from error

    def stream(self, lines: bytes, *, about: str) -> None:
        """Writes the lines of chunks, which have no answer of their own."""
        with self._turn:
            try:
                with self._translated():
                    self._live.send(lines)
                    self.last_used = self.clock()
            except LostSessionError as error:
                raise LostSessionError(f"{error}; {about} was cut: run again, the target is as it was") from error

    def mention(self, verb: str) -> None:
        """Says something on a session that is there; a lost one is left for the next request to notice."""
        with self._turn, contextlib.suppress(HostError):
            if self._wire is not None:
                self._exchange(verb, {}, self.settings.read_timeout, (), "")

    def _request(
        self, verb: str, fields: Mapping[str, Json], kinds: tuple[str, ...], timeout: int, about: str
    ) -> Reply:
        if self._wire is None:
            self.connect()
        reply = self._exchange(verb, fields, timeout, kinds, about)
        if reply.failure is not None:
            raise RequestFailedError(self.name, reply.failure, about)
        return reply

    def _exchange(
        self, verb: str, fields: Mapping[str, Json], timeout: int, kinds: tuple[str, ...], about: str
    ) -> Reply:
        until = self.clock() + timeout
        lines: list[bytes] = []
        loading: dict[int, str] = {}
        # A first read brings the host facts along: a plan wants both, and this saves it a request.
        riding = 0 if self._loaded or verb != "read" else self._next()
        for name in dict.fromkeys((*HOST_SCRIPTS, *kinds)):
            if name not in self._loaded:
                loading[self._next()] = name
                text = host_script(name) if name in HOST_SCRIPTS else self.script(name)
                lines.append(encode_request(self._number, "load", {"name": name, "script": text}))
        if riding:
            lines.append(encode_request(riding, "facts", {}))
        number = self._next()
        lines.append(encode_request(number, verb, fields))
        changing = bool(about)
        with self._translated(abandon=changing):
            self._live.send(b"".join(lines))
        while True:
            for reply in self._received(until, timeout, about or verb, abandon=changing):
                if reply.id == 0 and reply.failure is not None:
                    self._drop()
                    raise RequestFailedError(self.name, reply.failure)
                if reply.id == riding:
                    self.facts = reply.fields.get("facts")
                elif reply.id in loading:
                    self._take_loaded(loading[reply.id], reply)
                elif reply.id == number:
                    self.last_used = self.clock()
                    return reply

    def _take_loaded(self, name: str, reply: Reply) -> None:
        if reply.failure is not None:
            raise RequestFailedError(self.name, reply.failure, f"the script {name}.ps1")
        self._loaded.add(name)

    def _received(self, until: float, timeout: int, about: str, *, abandon: bool) -> list[Reply]:
        """The replies of one Receive; ends the program when the time is over."""
        left = until - self.clock()
        if left <= 0:
            wire, self._wire = self._live, None
            self._count(wire)
            wire.terminate()
            raise HostTimeoutError(
                f"{self.name}: {about} did not finish within {timeout} s and was stopped: "
                "give it more with _timeout, or see what holds it up on the host"
            )
        with self._translated(abandon=abandon):
            received = self._live.receive(max(1, int(left)))
            if received is None:
                return []
            out, err, done = received
            self._stderr += err.decode("utf-8", "replace").split("\n")
            del self._stderr[:-NOISE_KEPT]
            replies = list(self._reader.feed(out))
        if done and not replies:
            self._drop()
            raise LostSessionError(f"{self.name}: PowerShell ended{self._last_words()}")
        return replies

    def _last_words(self) -> str:
        """What a program that died wrote last; localised, so for people only."""
        said = " ".join(line.strip() for line in (*self._reader.noise, *self._stderr) if line.strip())
        text = re.sub(r"#< CLIXML|<[^>]*>|_x000[DA]_", " ", said)
        return f" and said: {' '.join(text.split())[-300:]}" if text.strip() else ", and said nothing"

    def _next(self) -> int:
        self._number += 1
        return self._number

    @property
    def _live(self) -> Link:
        if self._wire is None:
            raise LostSessionError(f"{self.name}: there is no session")
        return self._wire

    def _count(self, wire: Link) -> None:
        self.requests_made += wire.requests

    def _drop(self, *, abandon: bool = False) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            (wire.abandon if abandon else wire.close)()
            self._count(wire)

    @contextlib.contextmanager
    def _translated(self, *, abandon: bool = False) -> Iterator[None]:
        """``abandon``: what the host is in the middle of is a change, which is better finished than ended."""
        try:
            yield
        except HostError:
            raise
        except RAISED as error:
            self._drop(abandon=abandon)
            text = f"{self.name}: {explain(error, url=self.settings.url, user=self.settings.user)}"
            raise (LostSessionError if is_lost(error) else HostError)(text) from error
