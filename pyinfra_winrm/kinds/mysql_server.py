r"""The data and configuration of a MySQL server, ready to be run by a service.

The data folder is initialised beside its place and renamed once the server has answered from it, so a folder that is
there is a whole one. The administrator's password is made on the host and written to an option file there; it never
travels. The service itself is a ``Service`` of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.acl import Acl, Allow, access_fields
from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, Present, State

# how long the server may take to answer from its new data
DEFAULT_TIMEOUT = 180


@dataclass(frozen=True, kw_only=True, slots=True)
class MySQLServer:
    r"""A MySQL server's data, configuration and administrator.

    name: the service that will run it; ``NT SERVICE\name`` is the account that gets the data.
    program: the unpacked MySQL, with ``bin`` in it.
    config_file: where my.ini goes.
    config: what is in it.
    data: the data folder; made when it is missing, never emptied.
    admin_file: an option file with the administrator's password; ``mysql --defaults-extra-file`` reads it.
    timeout: seconds the first start may take.
    purge: with ``state="absent"``, remove data and password too.
    state: ``absent`` removes the configuration.
    """

    kind: ClassVar[str] = "mysql_server"
    name: str
    program: str
    config_file: str
    config: str
    data: str
    admin_file: str
    timeout: int = DEFAULT_TIMEOUT
    purge: bool = False
    state: Wanted = "present"

    def __post_init__(self) -> None:
        for path in (self.program, self.config_file, self.data, self.admin_file):
            windows_path(path)
        if "\\" in self.config:
            raise InvalidResourceError(
                "my.ini takes a backslash for the start of an escape: write paths with forward slashes"
            )

    @property
    def label(self) -> str:
        """The service's name."""
        return self.name


def _data_acl(server: MySQLServer) -> str:
    return Acl(
        (Allow("SYSTEM", "full"), Allow("Administrators", "full"), Allow(f"NT SERVICE\\{server.name}", "modify"))
    ).sddl(folder=True)


def _key(server: MySQLServer) -> Mapping[str, Json]:
    return {
        "name": server.name,
        "config_file": windows_path(server.config_file),
        "data": windows_path(server.data),
        "admin_file": windows_path(server.admin_file),
    }


def _desired(server: MySQLServer) -> Mapping[str, Json]:
    return {
        **_key(server),
        "state": server.state,
        "program": windows_path(server.program),
        "port": _port(server.config),
        "config": server.config,
        "sddl": _data_acl(server),
        "timeout": server.timeout,
        "purge": server.purge,
    }


def _port(config: str) -> int:
    """The port that my.ini's server section names; MySQL's own otherwise."""
    section = re.search(r"(?ms)^\[mysqld\]$(.*?)(?=^\[|\Z)", config)
    port = re.search(r"(?m)^port\s*=\s*(\d+)", section[1]) if section else None
    return int(port[1]) if port else 3306


def _config(sha256: str) -> str:
    return f"sha256 {sha256[:16]}"


def _differences(server: MySQLServer, state: State) -> tuple[Difference, ...]:
    wanted: dict[str, Json] = {}
    if server.state == "present":
        wanted = {
            "config": _config(hashlib.sha256(server.config.encode()).hexdigest()),
            "data": "initialised",
            "admin_file": f"for port {_port(server.config)}",
            **{f"data.{name}": value for name, value in access_fields(_data_acl(server)).items()},
        }
    if isinstance(state, Present) and not state.value["initialised"]:
        wanted = {name: value for name, value in wanted.items() if not name.startswith("data.")}
    return compare(server.state, state, wanted, _current)


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    access = access_fields(value["sddl"]) if value["initialised"] else {}
    return {
        "config": _config(value["config_sha256"]) if value["config_sha256"] else "missing",
        "data": "initialised" if value["initialised"] else "missing",
        "admin_file": f"for port {value['admin_port']}" if value["admin_port"] else "missing",
        **{f"data.{name}": found for name, found in access.items()},
    }


KIND = Kind("mysql_server", MySQLServer, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
