"""Where the host's clock comes from.

Certificates, DKIM signatures and one-time codes all depend on the time, so the time service is told its servers and
started. Read from its registry key; the service's own tool prints in the host's language and is only told, never asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.resource import Difference, Json, Kind, State

# 0x8: ask as a client; without it the service may try symmetric mode, which public servers refuse
_FLAG = "0x8"


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSync:
    """The time service and its servers.

    servers: names or addresses, asked in order.
    state: ``absent`` hands the clock back to the domain hierarchy, Windows' own default.
    """

    kind: ClassVar[str] = "time_sync"
    servers: tuple[str, ...] = ("time.windows.com",)
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if self.state == "present" and not self.servers:
            raise InvalidResourceError("time synchronisation has no server")
        if bad := [server for server in self.servers if set(server) & set(' ,"')]:
            raise InvalidResourceError(f"time server {bad[0]!r} has a space, a comma or a quote")

    @property
    def label(self) -> str:
        """There is one a host."""
        return "time"


def _key(_sync: TimeSync) -> Mapping[str, Json]:
    return {"name": "W32Time"}


def _desired(sync: TimeSync) -> Mapping[str, Json]:
    peers = " ".join(f"{server},{_FLAG}" for server in sync.servers)
    return {**_key(sync), "state": sync.state, "peers": peers if sync.state == "present" else ""}


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    return {
        "servers": [peer.partition(",")[0] for peer in value["peers"].split()],
        "start": "automatic" if value["start"] == 2 else value["start"],
        "status": value["status"],
    }


def _differences(sync: TimeSync, state: State) -> tuple[Difference, ...]:
    wanted = {"servers": list(sync.servers), "start": "automatic", "status": "running"}
    return compare(sync.state, state, wanted if sync.state == "present" else {}, _current)


KIND = Kind("time_sync", TimeSync, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
