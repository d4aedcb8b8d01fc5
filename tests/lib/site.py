"""A whole mail server on a lab of a test's own: deployed, planned and operated on as its administrator would.

Every command is the real one, in a process of its own, from the checkout; settings that a case changes stand in an
inventory of its own. Mail goes in and out by curl.
"""

from __future__ import annotations

import imaplib
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Any

from lab import lifecycle
from tests.lib.deploying import Lab, Ran
from tests.lib.programs import ROOT

PATIENCE = 600  # seconds; nothing is judged by it, it ends what hangs
ID_PASSWORD = "비밀-id-7391"
ORDER_PASSWORD = "비밀-주문-4822"
PEOPLE = {"id@테스트.net": ID_PASSWORD, "주문@테스트.net": ORDER_PASSWORD}

INVENTORY = """
from pathlib import Path
from lab import config
_lab = config.load(Path({folder!r}))
lab = [("@winrm/lab", {{
    "winrm_host": _lab.host, "winrm_port": _lab.https, "winrm_user": _lab.user, "winrm_password": _lab.password,
    "winrm_ca_file": _lab.ca, "lab_port_base": _lab.port_base, **{changed!r},
}})]
"""


@dataclass
class Site:
    """One lab, the checkout that deploys to it, and what the settings of this case change."""

    lab: Lab
    checkout: Path = ROOT
    changed: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    script: str = ""
    """Python that the deploying process runs with its inventory."""

    @property
    def inventory(self) -> Path:
        """Written anew for each run, so that a case may change ``changed`` in between."""
        path = self.lab.folder.with_name(self.lab.folder.name + "-inventory.py")
        text = INVENTORY.format(folder=str(self.lab.folder), changed=self.changed)
        path.write_text(text + self.script, encoding="utf-8")
        return path

    def variables(self) -> dict[str, str]:
        paths = os.pathsep.join([str(self.checkout), str(self.checkout / "maild" / "src")])
        return {
            **os.environ,
            "PYTHONPATH": paths,
            "MAILHOST_LAB": str(self.lab.folder),
            "MAILHOST_LAB_ID_PASSWORD": ID_PASSWORD,
            "MAILHOST_LAB_ORDER_PASSWORD": ORDER_PASSWORD,
            **self.environment,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.checkout,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Ran:
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return Ran(process.returncode, out, err)

    def deploy(self, file: str = "deploy.py", *options: str) -> Ran:
        return self.run("-m", "pyinfra", "-y", *options, str(self.inventory), file)

    def deployed(self, file: str = "deploy.py", *options: str) -> Ran:
        """A deploy that has to work."""
        ran = self.deploy(file, *options)
        assert ran.status == 0, ran.text[-6000:]
        return ran

    def plan(self, *options: str, file: str = "deploy.py") -> Ran:
        return self.run("-m", "pyinfra_winrm", "plan", *options, str(self.inventory), file)

    def in_step(self) -> None:
        ran = self.plan()
        assert ran.status == 0, ran.text[-4000:]

    def in_step_but_for_dns(self) -> None:
        """The host is as wanted; records that nobody has entered yet may be missing."""
        ran = self.plan("--json")
        assert ran.status in (0, 2), ran.text[-4000:]
        assert {row["task"] for row in ran.json if "field" in row} <= {"dns"}, ran.text[-4000:]

    @property
    def root(self) -> str:
        """The folder of the installation, below drive C."""
        return str(self.changed.get("root", "C:/Mailhost")).removeprefix("C:/")

    def port(self, number: int) -> int:
        return self.lab.config.port_base + number

    def service(self, name: str = "maild") -> dict[str, Any]:
        status: dict[str, Any] = self.lab.call("services.status", name=name)
        return status

    def maild(self, *arguments: str, given: str = "") -> Ran:
        """A command of the daemon's on the host, run by the release that the service runs from."""
        image = self.lab.call("services.config", name="maild")["image_path"]
        program = image.split('"')[1]
        words = " ".join(f'"{argument}"' for argument in arguments)
        line = f'"{program}" -X utf8 -m maild.cli {words} --settings C:/{self.root}/etc/maild.toml'
        done = self.lab.call("programs.run", command=line, stdin=given.encode())
        return Ran(done["rc"], done["out"].decode(), done["err"].decode())


@contextmanager
def site(folder: Path, kind: str = "bare", engine: str = "model", **changed: Any) -> Iterator[Site]:
    """A running lab in a folder, nothing deployed yet."""
    config = lifecycle.start(folder, engine=engine, kind=kind)
    try:
        yield Site(Lab(folder, config), changed=changed)
    finally:
        lifecycle.stop(folder)


def letter(sender: str, to: str, number: int = 0) -> bytes:
    """A Korean mail with an attachment of a Korean name."""
    message = EmailMessage(policy=SMTPUTF8)
    message["From"], message["To"] = sender, to
    message["Subject"] = f"안녕하세요 {number}"
    message["Message-ID"] = f"<{number}-{abs(hash((sender, to)))}@xn--9t4b11yi5a.net>"
    message["Date"] = "Tue, 24 Nov 2026 12:00:00 +0900"
    message.set_content(f"첫 메일입니다. 번호 {number}\n")
    message.add_attachment("가나다".encode("cp949"), maintype="text", subtype="plain", filename="주문서.txt")
    return message.as_bytes()


def curl(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["curl", "--silent", "--show-error", "--insecure", "--max-time", "60", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False)


def send(where: Site, sender: str, to: str, mail: bytes, password: str | None = None) -> None:
    """Through 587 as a person with a login."""
    done = curl(
        "--url", f"smtp://127.0.0.1:{where.port(587)}/client.example", "--ssl-reqd",
        "--user", f"{sender}:{PEOPLE[sender] if password is None else password}",
        "--mail-from", sender, "--mail-rcpt", to, "--upload-file", "-", given=mail,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def fetch(where: Site, person: str, number: int, password: str | None = None) -> bytes:
    """One message of the inbox by its number, through 993."""
    done = curl(
        "--user", f"{person}:{PEOPLE[person] if password is None else password}",
        f"imaps://127.0.0.1:{where.port(993)}/INBOX;MAILINDEX={number}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def inbox_ids(where: Site, person: str, password: str | None = None) -> list[str]:
    """The Message-IDs in an inbox, without their brackets."""
    secret = PEOPLE[person] if password is None else password
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4_SSL("127.0.0.1", where.port(993), ssl_context=context, timeout=60) as imap:
        imap.authenticate("PLAIN", lambda _: f"\0{person}\0{secret}".encode())
        _, (count,) = imap.select("INBOX", readonly=True)
        if not int(count or 0):
            return []
        _, rows = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    fields = [row[1].decode() for row in rows if isinstance(row, tuple)]
    return [match[1] for text in fields if (match := re.search(r"<([^>]*)>", text))]


def own_part(stored: bytes) -> bytes:
    """A message as it was sent: without the fields that servers put on top."""
    return stored[stored.index(b"From: ") :]


def changes(ran: Ran) -> int:
    """How many operations of a deploy changed something, by pyinfra's own count."""
    rows = re.findall(r"^ {4}(\S.*?) {2,}(\d+|-) +(\d+|-) +(\d+|-) *$", ran.err, re.MULTILINE)
    return sum(int(changed) for name, changed, _, _ in rows if name != "Grand total" and changed.isdigit())


def as_json(mapping: Mapping[str, Any]) -> str:
    return json.dumps(mapping, ensure_ascii=False)
