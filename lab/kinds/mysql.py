"""Talking to a MySQL server of the model with its own client, the way the kinds' PowerShell does.

Passwords travel in option files that are there only while a client runs, statements on its input.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager

from lab.kinds.states import Request
from lab.model.errors import HostError
from lab.model.host import Host

_SIGNS = string.ascii_letters + string.digits
_LENGTH = 32
# only SYSTEM and Administrators
CLOSED = "O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)"


def new_password() -> str:
    """A password of letters and digits, 190 bits."""
    return "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))


def options(user: str, password: str, port: int) -> bytes:
    """An option file for a client."""
    return f'[client]\nuser={user}\npassword="{password}"\nhost=127.0.0.1\nport={port}\n'.encode()


def write_closed(host: Host, path: str, data: bytes) -> None:
    """A file that only administrators read."""
    host.files.write(path, data)
    host.files.set_sddl(path, CLOSED)


@contextmanager
def option_file(host: Host, beside: str, user: str, password: str, port: int) -> Iterator[str]:
    """An option file for as long as a client needs it."""
    path = f"{beside}.{user}.client"
    write_closed(host, path, options(user, password, port))
    try:
        yield path
    finally:
        host.files.delete(path)


def ask(host: Host, program: str, options_file: str, statements: str, client: str = "mysql.exe", more: str = "") -> str:
    """What the client prints; raises with its error when it fails."""
    batch = " --batch --skip-column-names" if client == "mysql.exe" else ""
    line = f'"{program}\\bin\\{client}" "--defaults-extra-file={options_file}" --connect-timeout=5{batch}{more}'
    done = host.programs.run(line, stdin=statements.encode(), timeout=60)
    if done["rc"] != 0:
        said = done["err"].decode("utf-8", "replace").strip()
        raise HostError("other", said.splitlines()[-1] if said else f"{client} ended with {done['rc']}", program)
    return str(done["out"].decode())


@contextmanager
def administrator(host: Host, key: Request) -> Iterator[str]:
    """The option file of the administrator, a given one or one for the given password."""
    if key["admin_file"]:
        if host.files.stat(key["admin_file"]) is None:
            raise HostError("not-found", f"'{key['admin_file']}' is not there yet", key["admin_file"])
        yield key["admin_file"]
        return
    with option_file(host, key["password_file"], key["admin_user"], key["admin_password"], key["port"]) as path:
        yield path
