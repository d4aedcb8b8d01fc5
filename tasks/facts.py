"""What a host says of itself before anything is decided: build, disk, clock, ports and their owners, services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HTTP_SYS = "http.sys"  # Windows' own web server; IIS and others register with it, and it owns their ports as PID 4
IIS_SERVICE = "W3SVC"
HMAILSERVER = "hMailServer"


@dataclass(frozen=True, slots=True)
class PortOwner:
    """Who listens on a TCP port: the program, and the service it runs as when it is one."""

    port: int
    address: str
    image: str
    service: str = ""

    @property
    def name(self) -> str:
        """What a person would look for."""
        return self.service or self.image.replace("/", "\\").rpartition("\\")[2] or "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that tasks decide by. The defaults are a bare Server 2019's; ``now`` is the controller's clock."""

    build: int = 17763
    caption: str = "Microsoft Windows Server 2019 Standard"
    language_mode: str = "FullLanguage"
    code_page: int = 65001
    free_bytes: int = 100 * 1024**3
    pending_reboot: tuple[str, ...] = ()
    clock_offset: float = 0.0
    quotas: Mapping[str, int] = field(default_factory=dict)
    ports: tuple[PortOwner, ...] = ()
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    now: float = 0.0
    kept_settings: bool = False
    """Whether the release that serves has its own settings file kept beside the one in use."""

    def owner_of(self, port: int) -> PortOwner | None:
        """Who listens on a port."""
        return next((owner for owner in self.ports if owner.port == port), None)

    def service(self, name: str) -> Mapping[str, Any] | None:
        """What a service of the host is configured as, None when there is none of that name."""
        return next((value for found, value in self.services.items() if found.casefold() == name.casefold()), None)

    @property
    def has_iis(self) -> bool:
        """Whether IIS is there: it has port 80 or will have it again after the next start."""
        return self.service(IIS_SERVICE) is not None

    def program_of_service(self, name: str) -> str:
        """The folder above the ``bin`` that a service's program lies in, with forward slashes."""
        line = str((self.service(name) or {}).get("image_path", ""))
        program = line[1:].partition('"')[0] if line.startswith('"') else line.partition(" --")[0]
        folder = program.replace("\\", "/").rpartition("/")[0]
        return folder.removesuffix("/bin")


def parse(reply: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]], now: float) -> Facts:
    """The facts in a host's reply, with the services that were asked for; ``now`` is the controller's clock."""
    return Facts(
        build=int(reply["build"]),
        caption=str(reply["caption"]),
        language_mode=str(reply["language_mode"]),
        code_page=int(reply["code_page"]),
        free_bytes=int(reply["disk"]["free"]),
        pending_reboot=tuple(reply["pending_reboot"]),
        clock_offset=float(reply["time"]) - now if "time" in reply else 0.0,
        quotas={name: int(value) for name, value in reply["quotas"].items()},
        ports=tuple(_port(row) for row in reply["ports"]),
        services=services,
        now=now,
    )


def _port(row: Mapping[str, Any]) -> PortOwner:
    image = HTTP_SYS if int(row["pid"]) == 4 else str(row["image"])
    return PortOwner(int(row["port"]), str(row["address"]), image, str(row.get("service") or ""))
