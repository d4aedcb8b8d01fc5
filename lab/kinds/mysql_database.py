"""Databases of a MySQL server and their users, in the model: asked and told with the server's own client."""

from __future__ import annotations

from lab.kinds import mysql
from lab.kinds.states import ABSENT, Item, Request, present, unknown
from lab.model.errors import HostError
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """What is there; ``unknown`` while the server does not answer."""
    try:
        with mysql.administrator(host, key) as options:
            answer = mysql.ask(host, key["program"], options, key["query"], more=_port(key))
    except HostError as error:
        return unknown(f"MySQL does not answer: {error.message}")
    rows = [line.split("\t") for line in answer.splitlines()]
    database, user = (next((name for word, name in rows if word == wanted), "") for wanted in ("database", "user"))
    if not database and not user:
        return ABSENT
    return present(
        database=database,
        user=user,
        login=_login(host, key),
        privileges=[name for word, name in rows if word == "privilege"],
    )


def _port(key: Request) -> str:
    """The port as an option: it counts over the one in an option file."""
    return f" --port={key['port']}"


def _login(host: Host, key: Request) -> bool:
    """Whether the password in the file lets the user in."""
    if host.files.stat(key["password_file"]) is None:
        return False
    password = host.files.read(key["password_file"]).decode().strip()
    try:
        with mysql.option_file(host, key["password_file"], key["user"], password, key["port"]) as options:
            mysql.ask(host, key["program"], options, "SELECT 1;\n", more=_port(key))
    except HostError:
        return False
    return True


def apply(host: Host, desired: Request) -> None:
    """Makes database and user, or drops them."""
    with mysql.administrator(host, desired) as options:
        statements = list(desired["statements"])
        if desired["state"] == "present" and not _login(host, desired):
            password = mysql.new_password()
            if host.files.stat(desired["password_file"]) is None:
                mysql.write_closed(host, desired["password_file"], password.encode())
            else:
                host.files.write(desired["password_file"], password.encode())
            statements = [text.replace("{password}", password) for text in desired["password_statements"]] + statements
        mysql.ask(host, desired["program"], options, "".join(f"{text};\n" for text in statements), more=_port(desired))
    if desired["state"] == "absent" and host.files.stat(desired["password_file"]) is not None:
        host.files.delete(desired["password_file"])
