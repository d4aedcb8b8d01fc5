"""What the cases upload: archives, a wheel of a program that reconciles, a signed program."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
import zipfile
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from lab import downloads
from lab.kinds.authenticode import image
from pyinfra_winrm.kinds import Download
from tests.lib.ports import free_port

EPOCH = (2020, 1, 1, 0, 0, 0)
# keeps one number in a file and takes another as the wanted one
RECONCILER = """
import json, pathlib, sys
kept = pathlib.Path(__file__).with_name("kept.json")
desired = json.loads(pathlib.Path(sys.argv[sys.argv.index("--desired") + 1]).read_text(encoding="utf-8"))
wanted = None if "--absent" in sys.argv else desired["quota"]
assert desired["이름"] == "주문", desired
current = json.loads(kept.read_text()) if kept.exists() else None
line = {"object": "account", "name": "주문@테스트.net", "field": "quota", "current": current, "wanted": wanted}
changes = [] if current == wanted else [line]
print(json.dumps({"changes": changes, "not_managed": [{"object": "ban", "name": "192.0.2.1"}]}, ensure_ascii=False))
if changes and "--dry" not in sys.argv:
    kept.unlink() if wanted is None else kept.write_text(json.dumps(wanted))
sys.exit(2 if changes and "--dry" in sys.argv else 0)
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data)
    return path


@cache
def certificate_of(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    dated = built.serial_number(1).not_valid_before(day).not_valid_after(day + dt.timedelta(days=3650))
    return dated.sign(key, hashes.SHA256()), key


@cache
def signed_program(publisher: str) -> bytes:
    """The smallest file that a PE reader finds a signature in, of what the file is; who trusts it is left open."""
    program = bytearray(0x200)
    program[:2] = b"MZ"
    struct.pack_into("<I", program, 0x3C, 0x80)
    program[0x80:0x84] = b"PE\0\0"
    struct.pack_into("<H", program, 0x80 + 24, 0x20B)
    entry = 0x80 + 24 + 144
    content = image(bytes(program), 0x80, entry, len(program), 0)
    certificate, key = certificate_of(publisher)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(hashlib.sha256(content).digest())
    signed = builder.add_signer(certificate, key, hashes.SHA256()).sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    table = struct.pack("<IHH", len(signed) + 8, 0x200, 2) + signed
    struct.pack_into("<2I", program, entry, len(program), len(table))
    return bytes(program) + table


def wheel(path: Path, name: str, body: str) -> Path:
    info = f"{name}-1.0.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: case\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        f"{name}.py": body,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": tags,
        f"{info}/RECORD": "",
    }
    return zipped(path, {file: text.encode() for file, text in files.items()})


class Material:
    """The files, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = downloads.make(folder)
        made = wheel(folder / "case_reconciler-1.0-py3-none-any.whl", "case_reconciler", RECONCILER)
        self.requirements = f"case_reconciler==1.0 --hash=sha256:{sha256(made)}\n"
        self.wheels = zipped(folder / "wheels.zip", {made.name: made.read_bytes()})
        self.more_wheels = zipped(folder / "more.zip", {made.name: made.read_bytes(), "README": b"more"})
        self.large = self._write("large.bin", bytes(range(256)) * 2048)
        self.other_large = self._write("other.bin", bytes(reversed(range(256))) * 2048)
        self.signed = zipped(folder / "signed.zip", self._program("Case Ltd."))
        self.signed_other = zipped(folder / "signed-other.zip", self._program("Other Ltd."))

        self.port = free_port()

    def download(self, name: str) -> Download:
        path = self.folder / name
        return Download(source=path, sha256=sha256(path))

    def url(self, name: str) -> Download:
        path = self.folder / name
        return Download(urls=(path.as_uri(),), sha256=sha256(path))

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    @staticmethod
    def _program(publisher: str) -> dict[str, bytes]:
        program = signed_program(publisher)
        return {"top/bin/case.exe": program, "top/bin/more.exe": program, "top/read.me": "읽어 보세요".encode()}
