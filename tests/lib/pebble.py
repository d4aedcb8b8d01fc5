"""Debian's pebble as a private ACME server: its API certificate is made here, its DNS is a name server of the test."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.lib.certificates import write_pair
from tests.lib.nameserver import NameServer
from tests.lib.ports import free_port
from tests.lib.programs import find_server_program

LIFE_SECONDS = 90 * 24 * 3600
READY_SECONDS = 60


@dataclass
class Pebble:
    """The server; ``challenge_port`` is where it looks for HTTP-01 answers."""

    folder: Path
    names: NameServer
    challenge_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port, self.management = free_port(), free_port()

    @property
    def directory(self) -> str:
        """The directory's URL."""
        return f"https://localhost:{self.port}/dir"

    @property
    def ca(self) -> Path:
        """What a client of its API has to trust."""
        return self.folder / "pebble-chain.pem"

    def root(self) -> bytes:
        """The root that its certificates lead to."""
        answer = requests.get(f"https://localhost:{self.management}/roots/0", verify=str(self.ca), timeout=10)
        return answer.content

    def __enter__(self) -> Self:
        write_pair(self.folder, "pebble", ("localhost",), days=365)
        config = {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self.port}",
                "managementListenAddress": f"127.0.0.1:{self.management}",
                "certificate": str(self.ca),
                "privateKey": str(self.folder / "pebble-key.pem"),
                "httpPort": self.challenge_port,
                "tlsPort": free_port(),
                "certificateValidityPeriod": LIFE_SECONDS,
            }
        }
        (self.folder / "pebble.json").write_text(json.dumps(config))
        program = find_server_program("pebble")
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-config", self.folder / "pebble.json", "-dnsserver", self.names.server, "-strict"],
            env=os.environ | {"PEBBLE_VA_NOSLEEP": "1"},
            stdout=(self.folder / "pebble.log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                requests.get(self.directory, verify=str(self.ca), timeout=5)
            except requests.ConnectionError:
                assert self._process.poll() is None, (self.folder / "pebble.log").read_text()
                time.sleep(0.05)
            else:
                return self
        raise AssertionError("pebble did not become ready")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def settings_of(pebble: Pebble, certificates: dict[str, tuple[str, ...]], *, more: str = "", terms: bool = True) -> str:
    """The tables of the settings file that order from this server."""
    rows = "".join(
        f"[[acme.certificates]]\nname = {json.dumps(name)}\nnames = {json.dumps(list(hosts))}\n"
        for name, hosts in certificates.items()
    )
    address, _, port = pebble.names.server.partition(":")
    return (
        f'[acme]\nenabled = true\ndirectory = "{pebble.directory}"\nca_file = "{pebble.ca}"\n'
        f'contact = "postmaster@테스트.net"\nterms_agreed = {str(terms).lower()}\nhttp_bind = "127.0.0.1"\n'
        f"http_port = {pebble.challenge_port}\nchallenge_port = {pebble.challenge_port}\n{more}{rows}"
        f'[dns]\nservers = ["{address}#{port}"]\n'
    )
