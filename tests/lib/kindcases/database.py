"""Cases of the kinds that need a MySQL: its data and configuration, a database with its user."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

from lab.model.host import Host
from pyinfra_winrm.kinds import Archive, Directory, MySQLDatabase, MySQLServer, Service
from pyinfra_winrm.resource import Resource
from pyinfra_winrm.secret import Secret
from tests.lib.kindcases.case import Case, Change
from tests.lib.kindcases.material import Material

ROOT = "C:/Case/mysql"
ADMIN = f"{ROOT}/etc/admin.cnf"


def _server(port: int) -> MySQLServer:
    config = (
        f"[client]\nport=1\n\n[mysqld]\nport={port}\nbind-address=127.0.0.1\ndatadir={ROOT}/data\n"
        "innodb_buffer_pool_size=8M\n"
    )
    return MySQLServer(
        name="CaseMySQL",
        program=f"{ROOT}/program",
        config_file=f"{ROOT}/etc/my.ini",
        config=config,
        data=f"{ROOT}/data",
        admin_file=ADMIN,
    )


def _around(material: Material) -> tuple[Resource, ...]:
    return (Directory(path=f"{ROOT}/etc"), Archive(path=f"{ROOT}/program", download=material.download("mysql.zip")))


def server(material: Material) -> Case:
    base = _server(material.port)
    return Case(
        base=base,
        own=("acl/c:\\case\\mysql", "files/C:\\Case\\mysql\\etc", "files/C:\\Case\\mysql\\data"),
        generated=("files/C:\\Case\\mysql\\data", "files/C:\\Case\\mysql\\etc\\admin.cnf"),
        around=_around(material),
        changes={
            "name": Change(resource=replace(base, name="Other"), lines=("data.acl.entries",)),
            "program": Change(resource=replace(base, program="C:/Case/other")),
            "config_file": Change(
                resource=replace(base, config_file=f"{ROOT}/etc/other.ini"), lines=("config",), applies=False
            ),
            "config": Change(resource=replace(base, config=f"{base.config}# 주석\n"), lines=("config",)),
            "data": Change(resource=replace(base, data=f"{ROOT}/other"), lines=("data",), applies=False),
            "admin_file": Change(
                resource=replace(base, admin_file=f"{ROOT}/etc/other.cnf"), lines=("admin_file",), applies=False
            ),
            "timeout": Change(resource=replace(base, timeout=60)),
            "purge": Change(resource=replace(base, purge=True)),
            "state": Change(resource=replace(base, state="absent", purge=True), lines=("state",)),
        },
    )


def database(material: Material) -> Case:
    """The answers of MySQL are no part of the model's state: that it is as before is seen by the next plan."""
    made = _server(material.port)
    port = material.port
    base = MySQLDatabase(
        name="case",
        user="case",
        password_file=f"{ROOT}/etc/case.txt",
        program=made.program,
        port=port,
        admin_file=ADMIN,
    )
    run = (f"{ROOT}/program/bin/mysqld.exe", f"--defaults-file={made.config_file}", made.name)
    elsewhere, other = replace(base, name="other"), replace(base, user="other")
    second = replace(base, password_file=f"{ROOT}/etc/second.txt")

    def unreachable(**fields: object) -> Change:
        return Change(resource=replace(base, **fields), lines=("state",), applies=False)  # type: ignore[arg-type]

    def answering(_: Host) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)

    files = ("files/C:\\Case\\mysql\\data", "files/C:\\Case\\mysql\\etc\\case.txt")
    return Case(
        base=base,
        own=("acl/c:\\case\\mysql\\etc", *files),
        generated=files,
        around=(*_around(material), made, Service(name=made.name, command=run)),
        arrange=lambda _: None,
        changes={
            "name": Change(resource=elsewhere, lines=("name",), before=answering, undo=(base,)),
            "user": Change(resource=other, lines=("user",), undo=(replace(other, state="absent"), base)),
            "password_file": Change(
                resource=second,
                lines=("password_file",),
                own=("files/C:\\Case\\mysql\\etc\\second.txt",),
                undo=(replace(second, state="absent"), base),
            ),
            # the lab has one client, wherever it is asked for
            "program": Change(resource=replace(base, program="C:/Case/other"), applies=False),
            "port": unreachable(port=1),
            # the option file names its own user
            "admin_user": Change(resource=replace(base, admin_user="other")),
            "admin_file": unreachable(admin_file="C:/Case/other.cnf"),
            "admin_password": unreachable(admin_file="", admin_password=Secret("틀린 암호")),
            "privileges": Change(resource=replace(base, privileges=("SELECT", "TRIGGER")), lines=("privileges",)),
            "purge": Change(resource=replace(base, purge=True)),
            "state": Change(resource=replace(base, state="absent", purge=True), lines=("state",)),
        },
    )


def cases(material: Material) -> list[Case]:
    """All of them; each starts a server of its own."""
    return [server(material), database(material)]
