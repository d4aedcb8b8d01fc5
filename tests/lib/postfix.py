"""A private Postfix: takes mail for one domain into a maildir and hands its own mail to one host.

Runs from folders of its own beside any Postfix of the machine; needs root, as Postfix does.
"""

from __future__ import annotations

import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lib.daemon import greeting
from tests.lib.ports import free_port
from tests.lib.programs import find_server_program

PATIENCE_SECONDS = 60
MASTER = """\
127.0.0.1:{port} inet n - n - {processes} smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running instance."""

    folder: Path
    port: int
    domain: str

    def messages(self) -> list[bytes]:
        """What lies in the maildir."""
        return [path.read_bytes() for path in sorted((self.folder / "mail").rglob("new/*"))]

    def send(self, sender: str, recipient: str, message: bytes) -> None:
        """Queues a message as a local user would, with its sendmail."""
        subprocess.run(
            ["/usr/sbin/sendmail", "-C", str(self.folder / "etc"), "-f", sender, recipient],
            input=message, check=True, capture_output=True,
        )  # fmt: skip

    def log(self) -> str:
        """Its mail log."""
        path = self.folder / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def postfix(
    folder: Path, domain: str, *, relay_port: int | None = None, settings: str = "", processes: int = 100
) -> Iterator[Postfix]:
    """Runs one; ``relay_port`` on 127.0.0.1 gets all mail that is not for its domain."""
    port = free_port()
    etc = folder / "etc"
    owner = pwd.getpwnam("postfix")
    for name, user in (("etc", 0), ("queue", 0), ("data", owner.pw_uid), ("mail", owner.pw_uid)):
        (folder / name).mkdir(parents=True)
        shutil.chown(folder / name, user)
    for place in (folder, *folder.parents):
        if place.stat().st_mode & 0o755 != 0o755 and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
    (etc / "master.cf").write_text(MASTER.format(port=port, processes=processes))
    (etc / "main.cf").write_text(_main(folder, domain, relay_port, owner, settings))
    command = str(find_server_program("postfix"))
    subprocess.run([command, "-c", str(etc), "start"], check=True, capture_output=True)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not greeting(port).startswith(b"220"):
            assert time.monotonic() < deadline, (folder / "mail.log").read_text()
            time.sleep(0.1)
        yield Postfix(folder, port, domain)
    finally:
        subprocess.run([command, "-c", str(etc), "stop"], check=False, capture_output=True)


def _main(folder: Path, domain: str, relay_port: int | None, owner: pwd.struct_passwd, settings: str) -> str:
    relay = f"relayhost = [127.0.0.1]:{relay_port}\n" if relay_port else ""
    return (
        f"compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
        f"command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n"
        f"setgid_group = postdrop\nmaillog_file = {folder}/mail.log\nmaillog_file_prefixes = {folder}\n"
        f"myhostname = mx.{domain}\nmydestination =\nlocal_recipient_maps =\nlocal_transport = error:none\n"
        f"inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nalias_maps =\n"
        f"virtual_mailbox_domains = {domain}\nvirtual_mailbox_base = {folder}/mail\n"
        f"virtual_mailbox_maps = static:box/\n"
        f"virtual_uid_maps = static:{owner.pw_uid}\nvirtual_gid_maps = static:{owner.pw_gid}\n"
        f"virtual_minimum_uid = 1\nsmtputf8_enable = yes\nsmtp_tls_security_level = may\n"
        f"smtpd_relay_restrictions = permit_mynetworks, reject\n{relay}{settings}"
    )
