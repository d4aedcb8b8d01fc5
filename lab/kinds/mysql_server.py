"""MySQL's data and configuration in the model: initialised beside their place, renamed once the server has answered."""

from __future__ import annotations

import re
import time

from lab.kinds import mysql
from lab.kinds.archive import clear
from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.errors import HostError
from lab.model.host import Host
from lab.model.processes import Running

_PORT = re.compile(r"(?m)^port=(\d+)")
PAUSE = 0.2  # seconds between two looks at a server that starts


def read(host: Host, key: Request) -> Item:
    """Hash of the configuration, whether there are data and a password, and who may use the data."""
    config = host.files.stat(key["config_file"])
    data = host.files.stat(key["data"])
    if config is None and data is None:
        return ABSENT
    return present(
        config_sha256=host.files.sha256(key["config_file"]) if config else "",
        initialised=data is not None,
        admin_port=_admin_port(host, key["admin_file"]),
        sddl=host.files.sddl(key["data"]) if data else "",
    )


def _admin_port(host: Host, path: str) -> int:
    """The port that the administrator's option file names; 0 without such a file."""
    if host.files.stat(path) is None:
        return 0
    found = _PORT.search(host.files.read(path).decode())
    return int(found[1]) if found else 0


def apply(host: Host, desired: Request) -> None:
    """Writes the configuration and initialises the data, or removes them."""
    config, data, admin = desired["config_file"], desired["data"], desired["admin_file"]
    if desired["state"] == "absent":
        _remove(host, desired)
        return
    wanted = desired["config"].encode()
    if host.files.stat(config) is None or host.files.read(config) != wanted:
        host.files.write(config, wanted)
    if host.files.stat(data) is None:
        _initialise(host, desired)
    elif host.files.stat(admin) is None:
        message = (
            f"'{data}' is there without its administrator's password in '{admin}': put it there, or remove the data."
        )
        raise HostError("other", message, admin)
    elif _admin_port(host, admin) != desired["port"]:
        text = _PORT.sub(f"port={desired['port']}", host.files.read(admin).decode())
        host.files.write(admin, text.encode())
    host.files.set_sddl(data, desired["sddl"])


def _remove(host: Host, desired: Request) -> None:
    if host.files.stat(desired["data"]) is not None and not desired["purge"]:
        raise HostError("other", f"'{desired['data']}' holds data: it is removed only with purge.", desired["data"])
    clear(host, desired["data"])
    for path in (desired["config_file"], desired["admin_file"]):
        if host.files.stat(path) is not None:
            host.files.delete(path)


def _initialise(host: Host, desired: Request) -> None:
    fresh, script = desired["data"] + ".new", desired["data"] + ".sql"
    server = f'"{desired["program"]}\\bin\\mysqld.exe" "--defaults-file={desired["config_file"]}" "--datadir={fresh}"'
    clear(host, fresh)
    host.files.create_directory(fresh)
    host.files.set_sddl(fresh, desired["sddl"])
    done = host.programs.run(f"{server} --initialize-insecure", timeout=desired["timeout"])
    if done["rc"] != 0:
        said = (done["err"] or done["out"]).decode("utf-8", "replace").strip().splitlines()
        raise HostError("other", f"mysqld --initialize-insecure: {said[-1] if said else done['rc']}", fresh)
    password = mysql.new_password()
    mysql.write_closed(host, script, first_statements(password).encode())
    mysql.write_closed(host, desired["admin_file"], mysql.options("root", password, desired["port"]))
    running = host.processes.start(host.processes.launch(f'{server} "--init-file={script}"'), "mysqld, first start")
    try:
        _until_it_answers(host, desired, running)
        mysql.ask(host, desired["program"], desired["admin_file"], "", "mysqladmin.exe", " shutdown")
        running.process.wait(desired["timeout"])
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        host.processes.forget(running.pid)
        host.files.delete(script)
    host.files.move(fresh, desired["data"])


def first_statements(password: str) -> str:
    """What the first start runs: root gets its password, from this host alone."""
    return (
        f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n"
        f"CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        f"ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
        "DROP USER IF EXISTS 'root'@'::1', ''@'localhost';\n"
    )


def _until_it_answers(host: Host, desired: Request, server: Running) -> None:
    until = time.monotonic() + desired["timeout"]
    while True:
        try:
            mysql.ask(host, desired["program"], desired["admin_file"], "SELECT 1;\n")
        except HostError as error:
            if server.process.poll() is not None:
                message = f"mysqld ended with {server.process.returncode} before it answered"
                raise HostError("other", message, desired["data"]) from error
            if time.monotonic() > until:
                message = f"MySQL did not answer within {desired['timeout']} s: {error.message}"
                raise HostError("other", message, desired["data"]) from error
            time.sleep(PAUSE)
        else:
            return
