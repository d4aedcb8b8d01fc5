"""Mail goes both ways with the software of others, and DANE and MTA-STS hold behind a validating resolver."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import smtplib
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from maild.mail import header
from maild.store import QueueItem, open_store
from tests.lib.certificates import write_pair
from tests.lib.daemon import HOSTNAME, PASSWORDS, TEST_NET, Running, Site
from tests.lib.dnssec import validating
from tests.lib.exchange import OTHER, Exchange, exchange, wait_for
from tests.lib.postfix import postfix

ABOUT = "swaks, curl, msmtp, smtplib, Postfix both ways, a second maild with STARTTLS, DANE and MTA-STS"
POLICY_ADDRESS = "127.0.0.77"
"""Where mta-sts.example.org answers, port 443 there being nobody else's."""


def run(_: str) -> dict[str, object]:
    """Every peer once; the size makes no difference."""
    with tempfile.TemporaryDirectory(prefix="maild-peers-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        said = {**clients(folder / "clients"), **with_postfix(folder / "postfix"), **second_maild(folder / "second")}
    return {"cases": len(said), "peers": said}


def mail(subject: str) -> bytes:
    return (
        f"From: id@{TEST_NET}\r\nTo: 받는 이 <friend@{OTHER}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"안녕하세요, {subject}.\r\n.점\r\n"
    ).encode()


def body_of(message: bytes) -> bytes:
    return message[header.body_start(message) :].replace(b"\r\n", b"\n")


# Clients that hand mail in


def clients(folder: Path) -> dict[str, str]:
    """swaks, curl, msmtp and smtplib at our ports."""
    ways: dict[str, Callable[[Site, Path], None]] = {
        "swaks on 25 with STARTTLS": swaks_25,
        "swaks on 587": swaks_587,
        "curl on 465": curl_465,
        "msmtp on 587": msmtp_587,
        "msmtp on 587 with SCRAM": msmtp_scram,
        "smtplib on 465": smtplib_465,
    }
    site = Site(folder / "site", more="[policy]\nverify = false\nscram = true\n")
    site.folder.mkdir(parents=True)
    site.write()
    site.seed()
    with Running(site) as ours:
        for name, way in ways.items():
            way(site, folder)
            received = arrived(ours, name)
            assert body_of(received) == body_of(mail(name)), name
    return dict.fromkeys(ways, "arrived as it was")


def arrived(running: Running, subject: str) -> bytes:
    """The message of that subject in the INBOX of other@테스트.net."""

    async def look() -> list[bytes]:
        store = await open_store(running.site.database_settings(), migrate=False)
        try:
            account = await store.directory.account_named("other", TEST_NET)
            assert account is not None
            rows = await store.messages.range(account.inbox_id, 1, 10_000)
            found = [await store.messages.read(row.blob_id) for row in rows]
            return [each for each in found if header.value(each, "Subject") == subject.encode()]
        finally:
            await store.close()

    return wait_for(lambda: asyncio.run(look()), lambda found: len(found) == 1)[0]


def secret() -> str:
    return PASSWORDS["other"]


def call(*command: str, message: bytes = b"") -> None:
    done = subprocess.run(command, input=message, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, (command, done.stdout.decode()[-2000:], done.stderr.decode()[-2000:])


def as_other(subject: str) -> bytes:
    """The same message with an author who may send it."""
    return mail(subject).replace(f"From: id@{TEST_NET}".encode(), f"From: other@{TEST_NET}".encode())


def saved(folder: Path, message: bytes) -> Path:
    path = folder / "message.eml"
    path.write_bytes(message)
    return path


def dotted(message: bytes) -> bytes:
    """What stands between DATA and its end: swaks would change more of it than the dots."""
    return message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def swaks_25(site: Site, folder: Path) -> None:
    stranger = mail("swaks on 25 with STARTTLS").replace(f"id@{TEST_NET}".encode(), b"friend@example.org")
    call(
        "swaks", "--server", f"127.0.0.1:{site.ports['smtp']}", "--tls", "--from", "friend@example.org",
        "--to", f"other@{TEST_NET}", "--data", f"@{saved(folder, dotted(stranger))}", "--no-data-fixup",
    )  # fmt: skip


def swaks_587(site: Site, folder: Path) -> None:
    call(
        "swaks", "--server", f"127.0.0.1:{site.ports['submission']}", "--tls", "--auth", "PLAIN",
        "--auth-user", f"other@{TEST_NET}", "--auth-password", secret(), "--from", f"other@{TEST_NET}",
        "--to", f"other@{TEST_NET}", "--data", f"@{saved(folder, dotted(as_other('swaks on 587')))}", "--no-data-fixup",
    )  # fmt: skip


def curl_465(site: Site, folder: Path) -> None:
    call(
        "curl", "-sS", f"smtps://{HOSTNAME}:{site.ports['submissions']}", "--resolve",
        f"{HOSTNAME}:{site.ports['submissions']}:127.0.0.1", "--cacert", str(site.ca),
        "--user", f"other@{TEST_NET}:{secret()}", "--mail-from", f"other@{TEST_NET}",
        "--mail-rcpt", f"other@{TEST_NET}", "--upload-file", str(saved(folder, as_other("curl on 465"))),
    )  # fmt: skip


def msmtp_587(site: Site, folder: Path) -> None:
    msmtp(site, "msmtp on 587", "plain")
    assert folder.exists()


def msmtp_scram(site: Site, folder: Path) -> None:
    """The verifier is there since the account logged in with PLAIN."""
    msmtp(site, "msmtp on 587 with SCRAM", "scram-sha-256")
    assert folder.exists()


def msmtp(site: Site, subject: str, mechanism: str) -> None:
    call(
        "msmtp", "--host=localhost", f"--port={site.ports['submission']}", "--tls=on", "--tls-starttls=on",
        f"--tls-trust-file={site.ca}", f"--auth={mechanism}", f"--user=other@{TEST_NET}",
        f"--passwordeval=echo {secret()}", f"--from=other@{TEST_NET}", f"other@{TEST_NET}",
        message=as_other(subject).replace(b"\r\n", b"\n"),
    )  # fmt: skip


def smtplib_465(site: Site, folder: Path) -> None:
    context = ssl.create_default_context(cafile=str(site.ca))
    with smtplib.SMTP_SSL("localhost", site.ports["submissions"], context=context, timeout=60) as client:
        client.login(f"other@{TEST_NET}", secret())
        client.sendmail(f"other@{TEST_NET}", [f"other@{TEST_NET}"], as_other("smtplib on 465"))
    assert folder.exists()


# Postfix


def with_postfix(folder: Path) -> dict[str, str]:
    """A Postfix takes our mail, and its own reaches us."""
    with ExitStack() as stack:
        theirs = stack.enter_context(postfix(folder / "out", OTHER))

        def change(ours: Site, other: Site, _: object) -> None:
            ours.more = ours.more.replace(f"port = {other.ports['smtp']}", f"port = {theirs.port}")

        both = stack.enter_context(exchange(folder / "both", change=change))
        both.submit(mail("to Postfix"), f"friend@{OTHER}")
        (received,) = wait_for(theirs.messages, lambda found: len(found) == 1)
        assert body_of(received) == body_of(mail("to Postfix"))
        ours_port = both.ours.site.ports["smtp"]
        sender = stack.enter_context(postfix(folder / "in", "example.com", relay_port=ours_port))
        foreign = mail("from Postfix").replace(f"From: id@{TEST_NET}".encode(), b"From: a@example.com")
        sender.send("a@example.com", f"id@{TEST_NET}", foreign.replace(b"\r\n", b"\n"))
        (came,) = both.inbox(both.ours, "id", TEST_NET)
        assert body_of(came) == body_of(foreign)
    return {"to Postfix": "arrived as it was", "from Postfix": "arrived as it was"}


# A second maild


def second_maild(folder: Path) -> dict[str, str]:
    """STARTTLS, DANE and MTA-STS between two of ours."""
    said: dict[str, str] = {}
    with exchange(folder / "starttls") as both:
        both.submit(mail("STARTTLS"), f"friend@{OTHER}")
        both.inbox(both.theirs, "friend", OTHER)
        await_logged(both, "security", "opportunistic")
    said["maild, STARTTLS"] = "arrived over TLS"
    for name, wrong in (("right", False), ("wrong", True)):
        said[f"maild, DANE with the {name} key"] = dane(folder / f"dane-{name}", wrong=wrong)
    for name, wrong in (("right", False), ("wrong", True)):
        said[f"maild, MTA-STS with the {name} host"] = mta_sts(folder / f"sts-{name}", wrong=wrong)
    return said


def await_logged(both: Exchange, field: str, value: str) -> None:
    """The log is written behind the session: its line may come after the message."""
    logs = both.ours.site.folder / "logs"
    wait_for(
        lambda: "".join(path.read_text() for path in logs.glob("*.jsonl")),
        lambda text: f'"{field}":"{value}"' in text,
    )


def dane(folder: Path, *, wrong: bool) -> str:
    """A TLSA record of their key, or of another: with that one, nothing may leave."""
    folder.mkdir(parents=True)
    write_pair(folder / "key", "mx", (f"mx.{OTHER}",))
    record = f"_{{port}}._tcp.mx TLSA 3 1 1 {'00' * 32 if wrong else key_digest(folder / 'key' / 'mx-chain.pem')}\n"
    with ExitStack() as stack:

        def change(ours: Site, theirs: Site, _: object) -> None:
            for end in ("chain", "key"):
                target = theirs.folder / "tls" / f"{theirs.hostname}-{end}.pem"
                target.write_bytes((folder / "key" / f"mx-{end}.pem").read_bytes())
            zones = {
                OTHER: f"@ MX 10 mx\nmx A 127.0.0.1\n{record.format(port=theirs.ports['smtp'])}",
                TEST_NET: "@ MX 10 smtp\nsmtp A 127.0.0.1\n",
            }
            resolver = stack.enter_context(validating(folder / "dns", zones))
            ours.more = trusting(ours.more, resolver.port)

        both = stack.enter_context(exchange(folder / "both", change=change))
        both.submit(mail("DANE"), f"friend@{OTHER}")
        return outcome(both, wrong=wrong, security="dane")


def trusting(more: str, port: int) -> str:
    """The settings with the validating resolver in place of the test's name server."""
    lines = [line for line in more.splitlines() if not line.startswith(("servers", "validating"))]
    at = lines.index("[dns]") + 1
    return "\n".join([*lines[:at], f'servers = ["127.0.0.1#{port}"]', "validating = true", *lines[at:], ""])


def key_digest(chain: Path) -> str:
    key = x509.load_pem_x509_certificate(chain.read_bytes()).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def mta_sts(folder: Path, *, wrong: bool) -> str:
    """An enforced policy that names their host, or another one."""
    folder.mkdir(parents=True)
    policy_host = f"mta-sts.{OTHER}"
    write_pair(folder / "web", "web", (policy_host,))
    host = "elsewhere.example.net" if wrong else f"mx.{OTHER}"
    text = f"version: STSv1\r\nmode: enforce\r\nmx: {host}\r\nmax_age: 86400\r\n"
    authorities = folder / "authorities.pem"

    zones = {
        OTHER: f'@ MX 10 mx\nmx A 127.0.0.1\nmta-sts A {POLICY_ADDRESS}\n_mta-sts TXT "v=STSv1; id=20261125;"\n',
        TEST_NET: "@ MX 10 smtp\nsmtp A 127.0.0.1\n",
    }
    with ExitStack() as stack:
        stack.enter_context(https(folder / "web", text.encode()))
        resolver = stack.enter_context(validating(folder / "dns", zones))

        def change(ours: Site, theirs: Site, _: object) -> None:
            authorities.write_bytes(theirs.ca.read_bytes() + (folder / "web" / "web-chain.pem").read_bytes())
            ours.more = f'{trusting(ours.more, resolver.port)}ca_file = "{authorities}"\n'

        both = stack.enter_context(exchange(folder / "both", change=change))
        both.submit(mail("MTA-STS"), f"friend@{OTHER}")
        return outcome(both, wrong=wrong, security="verified")


def outcome(both: Exchange, *, wrong: bool, security: str) -> str:
    """Arrived under that protection; or, when something is wrong, still here with a reason and never there."""
    if not wrong:
        both.inbox(both.theirs, "friend", OTHER)
        await_logged(both, "security", security)
        return f"arrived, {security}"
    (row,) = wait_for(lambda: asyncio.run(rows(both.ours.site)), lambda found: bool(found and found[0].attempts))
    assert both.inbox(both.theirs, "friend", OTHER, count=0) == []
    assert "4.7.5" in row.recipients[0].reply, row
    return f"kept: {row.recipients[0].reply}"


async def rows(site: Site) -> list[QueueItem]:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        return await store.queue.items()
    finally:
        await store.close()


@contextmanager
def https(pair: Path, body: bytes) -> Iterator[None]:
    """Serves one document at port 443 of the policy's address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = listening(Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair / "web-chain.pem", pair / "web-key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def listening(handler: type[http.server.BaseHTTPRequestHandler]) -> http.server.ThreadingHTTPServer:
    """Another run of this promise may still hold the port."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return http.server.ThreadingHTTPServer((POLICY_ADDRESS, 443), handler)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
