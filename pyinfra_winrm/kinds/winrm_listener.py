"""The listener that remote management itself comes in by.

Read from the registry, where WS-Management keeps its listeners. Changing a listener cuts the sessions it carries: when
this run came in by it, a task of the host makes the change once the session has ended, and the run goes on over a new
one (``carrier``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.resource import Difference, Json, Kind, State


@dataclass(frozen=True, kw_only=True, slots=True)
class WinRMListener:
    """One listener of WS-Management.

    transport: ``HTTPS`` or ``HTTP``.
    address: ``*`` or ``IP:address``.
    port: where it listens.
    hostname: the certificate's name; HTTPS alone.
    thumbprint: the certificate in the machine's store; HTTPS alone.
    state: ``absent`` removes the listener.
    """

    kind: ClassVar[str] = "winrm_listener"
    transport: Literal["HTTPS", "HTTP"] = "HTTPS"
    address: str = "*"
    port: int = 5986
    hostname: str = ""
    thumbprint: str = ""
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if (
            self.state == "present"
            and self.transport == "HTTPS"
            and not re.fullmatch(r"[0-9A-Fa-f]{40}", self.thumbprint)
        ):
            raise InvalidResourceError(f"thumbprint {self.thumbprint!r} is not 40 hexadecimal digits")
        if not 0 < self.port < 65536:
            raise InvalidResourceError(f"port {self.port} is none")

    @property
    def label(self) -> str:
        """Transport and address."""
        return f"{self.transport} {self.address}"


def _key(listener: WinRMListener) -> Mapping[str, Json]:
    return {"transport": listener.transport, "address": listener.address}


def _desired(listener: WinRMListener) -> Mapping[str, Json]:
    return {
        **_key(listener),
        "state": listener.state,
        "port": listener.port,
        "hostname": listener.hostname,
        "thumbprint": listener.thumbprint.upper(),
    }


def _differences(listener: WinRMListener, state: State) -> tuple[Difference, ...]:
    wanted: dict[str, Json] = {"port": listener.port}
    if listener.transport == "HTTPS":
        wanted |= {"hostname": listener.hostname.casefold(), "thumbprint": listener.thumbprint.upper()}
    return compare(
        listener.state,
        state,
        wanted,
        lambda value: {
            "port": value["port"],
            "hostname": value["hostname"].casefold(),
            "thumbprint": value["thumbprint"].upper(),
        },
    )


def _carries(listener: WinRMListener) -> str:
    return listener.transport.lower()


KIND = Kind("winrm_listener", WinRMListener, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences, _carries)
