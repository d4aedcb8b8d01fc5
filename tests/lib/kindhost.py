"""A host of the lab's model with one of its engines in front, without WinRM in between: for tests of the kinds.

Requests and replies are the lines of the protocol on both engines, so that what a kind is told and what it answers has
been through JSON as it will be on a real host.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import hosts
from lab.engine.facts import facts
from lab.engine.model import ModelEngine
from lab.engine.pwsh import PwshEngine
from lab.engine.runlock import RunLock
from lab.kinds.calls import calls as kind_calls
from lab.model.host import Host
from lab.seam import Seam, calls
from lab.wsman.shells import CommandLine, Engine, Output, Process
from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.protocol import Failure, Reply, ReplyReader, decode_state, encode_chunk, encode_request
from pyinfra_winrm.resource import Difference, Resource, State
from pyinfra_winrm.scripts import command_line, host_script
from pyinfra_winrm.upload import CHUNK

ENGINES = ("model", "pwsh")
PATIENCE = 300.0  # seconds for the slowest request, a MySQL that initialises its data
PIECE = 1 << 20


class RefusedError(Exception):
    """The host refused a request."""

    def __init__(self, failure: Failure | None) -> None:
        super().__init__(failure.message if failure else "no reason")
        self.failure = failure


@dataclass
class KindHost:
    """A session with a host: reads, applies and uploads resources."""

    host: Host
    process: Process
    output: Output
    loaded: set[str] = field(default_factory=set)
    reader: ReplyReader = field(default_factory=ReplyReader)
    number: int = 0

    def ask(self, verb: str, **fields: Any) -> Reply:
        """One request and its reply; raises ``RefusedError``."""
        self.number += 1
        self.process.write(encode_request(self.number, verb, fields), False)
        while True:
            taken = self.output.take(PIECE, PATIENCE)
            assert taken is not None, f"no reply to {verb} within {PATIENCE} s: {self.reader.noise}"
            streams, code = taken
            for reply in self.reader.feed(streams.get("stdout", b"")):
                if reply.id in (self.number, 0):
                    if not reply.ok:
                        raise RefusedError(reply.failure)
                    return reply
            assert code is None, f"the session ended with {code}: {streams} {self.reader.noise}"

    def load(self, *kinds: str) -> None:
        """Sends the scripts of kinds that the session does not have yet."""
        for name in ("host", "seam"):
            if name not in self.loaded:
                self.ask("load", name=name, script=host_script(name))
                self.loaded.add(name)
        for name in kinds:
            if name not in self.loaded:
                self.ask("load", name=name, script=KINDS[name].script.read_text(encoding="utf-8"))
                self.loaded.add(name)

    def read(self, *resources: Resource) -> list[State]:
        """The states of resources, in one request."""
        self.load(*(resource.kind for resource in resources))
        items = [{"kind": resource.kind, "key": KINDS[resource.kind].key(resource)} for resource in resources]
        return [decode_state(item) for item in self.ask("read", items=items).fields["items"]]

    def differences(self, resource: Resource) -> tuple[Difference, ...]:
        """What a plan would show."""
        return KINDS[resource.kind].differences(resource, self.read(resource)[0])

    def apply(self, resource: Resource) -> tuple[Difference, ...]:
        """Changes the host; what is then still different, by the state that came back."""
        self.load(resource.kind)
        for upload in getattr(resource, "uploads", ()):
            self.upload(upload.source, upload.target)
        kind = KINDS[resource.kind]
        reply = self.ask("apply", kind=kind.name, key=kind.key(resource), desired=kind.desired(resource))
        return kind.differences(resource, decode_state(reply.fields["state"]))

    def upload(self, source: Path, target: str) -> None:
        """Sends a file."""
        data = source.read_bytes()
        self.load()
        self.ask("upload.begin", path=target)
        for number, at in enumerate(range(0, len(data), CHUNK)):
            self.process.write(encode_chunk(number, data[at : at + CHUNK]), False)
        self.ask("upload.end", sha256=hashlib.sha256(data).hexdigest(), patience=1)


def refused(host: KindHost, resource: Resource) -> RefusedError:
    """What the host says when it does not apply a resource."""
    with pytest.raises(RefusedError) as caught:
        host.apply(resource)
    return caught.value


def engine_of(name: str, host: Host, port: int, token: str) -> Engine:
    """The engine of that name."""
    if name == "pwsh":
        return PwshEngine(host, lambda: port, token)
    return ModelEngine(host, RunLock(host.files), lambda: facts(host))


@contextlib.contextmanager
def kind_host(folder: Path, engine: str, kind: str = "bare") -> Iterator[KindHost]:
    """A host in a folder, prepared as one of the lab's, with a session."""
    folder.mkdir(parents=True, exist_ok=True)
    host = Host(folder)
    hosts.prepare(host, kind)
    token = secrets.token_hex(8)
    seam = Seam({**calls(host), **kind_calls(host), "host.facts": lambda: facts(host)}, token)
    threading.Thread(target=seam.serve, daemon=True).start()
    output = Output()
    process = engine_of(engine, host, seam.port, token).start(
        CommandLine(command_line(), 65001, {}, None, False), output
    )
    try:
        yield KindHost(host, process, output)
    finally:
        process.terminate()
        host.close()
        seam.close()
