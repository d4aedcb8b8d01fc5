"""A Dovecot of the system's package, set up for the comparison: one user, the same hash scheme, TLS, durable writes.

Mail is a maildir for the everyday rows and an mbox for the large mailbox, whose indexes Dovecot keeps either way. Needs
root, as Dovecot's own processes do.
"""

from __future__ import annotations

import getpass
import os
import pwd
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from maild.policy import hash_password
from tests.lib.certificates import write_pair
from tests.lib.ports import free_port

START_SECONDS = 30
USER, PASSWORD = "box@bench.example", "benchmark-password"
STRANGERS = 1000
"""Further users ``box0@``, ``box1@``, ...: each logs in once, so that no login is a remembered one."""

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
default_login_user = dovenull
default_internal_user = dovecot
mail_location = {location}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
mail_fsync = always
auth_cache_size = 10M
auth_mechanisms = plain
disable_plaintext_auth = no
mail_max_userip_connections = 10000
passdb {{
  driver = passwd-file
  args = {folder}/passwd
}}
userdb {{
  driver = passwd-file
  args = {folder}/passwd
}}
service imap-login {{
  service_count = 0
  client_limit = 10000
  process_limit = 2
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 10000
  client_limit = 1
  service_count = 100
}}
service anvil {{
  client_limit = 21000
}}
service auth {{
  client_limit = 21000
}}
"""


class Dovecot:
    """The server in a folder of its own."""

    def __init__(self, *, mbox: bool = False) -> None:
        self._mbox = mbox
        self.port = free_port()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        assert self._folder is not None
        return Path(self._folder.name)

    @property
    def inbox(self) -> Path:
        """The maildir, or the mbox."""
        return self.folder / "mail" / ("INBOX" if self._mbox else "Maildir")

    def fill(self, messages: list[bytes]) -> None:
        """Puts messages into the inbox, before the start."""
        if self._mbox:
            with self.inbox.open("wb") as file:
                for message in messages:
                    file.write(b"From a@b Wed Nov 25 03:00:00 2026\n" + message.replace(b"\r\n", b"\n") + b"\n")
        else:
            (self.inbox / "cur").mkdir(parents=True)
            for name in ("new", "tmp"):
                (self.inbox / name).mkdir()
            for number, message in enumerate(messages):
                (self.inbox / "cur" / f"{number:07}.bench:2,").write_bytes(message)
        owner = pwd.getpwnam("mail")
        subprocess.run(["chown", "-R", f"{owner.pw_uid}:{owner.pw_gid}", self.folder / "mail"], check=True)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="mailhost-bench-dovecot-")
        self.folder.chmod(0o755)
        (self.folder / "mail").mkdir()
        return self

    def start(self) -> None:
        """Starts it and waits for its port."""
        owner = pwd.getpwnam("mail")
        write_pair(self.folder / "tls", "bench", ("localhost",))
        hashed, (local, _, domain) = hash_password(PASSWORD), USER.partition("@")
        users = [USER, *(f"{local}{number}@{domain}" for number in range(STRANGERS))]
        (self.folder / "passwd").write_text("".join(f"{user}:{{ARGON2ID}}{hashed}:::::\n" for user in users))
        location = f"mbox:{self.folder}/mail:INBOX={self.inbox}" if self._mbox else f"maildir:{self.inbox}"
        (self.folder / "dovecot.conf").write_text(
            CONFIG.format(
                folder=self.folder,
                certificate=self.folder / "tls" / "bench-chain.pem",
                key=self.folder / "tls" / "bench-key.pem",
                location=location,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                port=self.port,
            )
        )
        assert getpass.getuser() == "root", "Dovecot needs root"
        command = ["dovecot", "-c", self.folder / "dovecot.conf"]
        subprocess.run(command, check=True, timeout=START_SECONDS, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """Every process of it."""
        master = int((self.folder / "run" / "master.pid").read_text())
        found = subprocess.run(["pgrep", "-g", str(os.getpgid(master))], capture_output=True, text=True, check=False)
        return [int(each) for each in found.stdout.split()]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        subprocess.run(["doveadm", "-c", self.folder / "dovecot.conf", "stop"], check=False, capture_output=True)
        time.sleep(0.5)
        assert self._folder is not None
        self._folder.cleanup()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
