"""``maild prepare``: what has to be there before the daemon starts: a key that wraps DKIM keys, a certificate a name.

Called as a desired state is (``--desired FILE --json``, with ``--dry`` to ask only); the file says ``names``. A name
without a certificate gets a self-signed one, so that the ports open at once; one that is there is never replaced.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.mail.domain import to_ascii
from maild.net.certificates import CHAIN, KEY
from maild.settings import Settings
from maild.verify.dkim.signing_key import read_wrap_key

DAYS = 397
"""Life of a self-signed certificate: the longest that mail programs take."""
FINDINGS = 2
PRIVATE = 0o600


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("prepare", help="make what the daemon needs to start", description=__doc__)
    add_settings(command)
    command.add_argument("--desired", type=Path, required=True, help="file with names, the host names to serve")
    command.add_argument("--json", action="store_true", help="the only form there is")
    command.add_argument("--dry", action="store_true", help="only say what is missing")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Makes or names what is missing."""
    settings = settings_of(args)
    names = [to_ascii(name) for name in json.loads(args.desired.read_text(encoding="utf-8"))["names"]]
    missing = [name for name in names if not _there(settings, name)]
    changes = [_change("certificate", name) for name in missing]
    if not settings.dkim.wrap_key_file.exists():
        changes.append(_change("key", settings.dkim.wrap_key_file.name))
    if not args.dry:
        read_wrap_key(settings.dkim.wrap_key_file, create=True)
        for name in missing:
            _make(settings.tls.folder, name)
    print(json.dumps({"changes": changes, "not_managed": []}))
    return FINDINGS if changes and args.dry else Exit.OK


def _change(what: str, name: str) -> dict[str, str]:
    return {"object": what, "name": name, "field": "state", "current": "absent", "wanted": "present"}


def _there(settings: Settings, name: str) -> bool:
    return all((settings.tls.folder / f"{name}{suffix}").exists() for suffix in (CHAIN, KEY))


def _make(folder: Path, host: str) -> None:
    """A self-signed pair; the key is there before the chain, which is what the daemon looks for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / f"{host}{KEY}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as stream:
        stream.write(secret)
    (folder / f"{host}{CHAIN}").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
