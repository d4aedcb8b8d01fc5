"""A Postfix of the system's package, set up for the comparison: mail to a maildir, nothing looked up, nothing unsafe.

Its queue and delivery are its own defaults: the queue file is synced before 250, virtual(8) syncs what it delivers.
Needs root, as Postfix's own processes do.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lib.daemon import greeting
from tests.lib.ports import free_port

START_SECONDS = 30

MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions = static:all
virtual_mailbox_domains = bench.example
virtual_mailbox_base = {mail}
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
message_size_limit = 52428800
virtual_mailbox_limit = 0
alias_maps =
alias_database =
maillog_file = {log}
maillog_file_prefixes = {folder}
"""

MASTER = """\
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Entering starts it; ``port`` takes mail for box@bench.example."""

    def __init__(self, cores: set[int]) -> None:
        self.cores = cores
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="mailhost-postfix-"))

    def __enter__(self) -> Self:
        self._write()
        self._postfix("start")
        deadline = time.monotonic() + START_SECONDS
        while not greeting(self.port).startswith(b"220"):
            assert time.monotonic() < deadline, (self.folder / "maillog").read_text()[-2000:]
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._postfix("stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process id of master(8), which starts all others."""
        return int((self.folder / "queue" / "pid" / "master.pid").read_text())

    def delivered(self) -> int:
        """Messages in the maildir."""
        new = self.folder / "mail" / "box" / "new"
        return sum(1 for _ in new.iterdir()) if new.exists() else 0

    def _write(self) -> None:
        user = pwd.getpwnam("postfix")
        for name in ("etc", "queue", "data", "mail"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        os.chown(self.folder / "data", user.pw_uid, user.pw_gid)
        os.chown(self.folder / "mail", user.pw_uid, user.pw_gid)
        places = {name: self.folder / name for name in ("queue", "data", "mail")}
        main = MAIN.format(**places, uid=user.pw_uid, gid=user.pw_gid, log=self.folder / "maillog", folder=self.folder)
        (self.folder / "etc" / "main.cf").write_text(main)
        (self.folder / "etc" / "master.cf").write_text(MASTER.format(port=self.port))

    def _postfix(self, command: str) -> None:
        subprocess.run(
            [
                "taskset",
                "-c",
                ",".join(map(str, sorted(self.cores))),
                "postfix",
                "-c",
                str(self.folder / "etc"),
                command,
            ],
            check=True,
            capture_output=True,
        )
