"""IIS as far as a deploy meets it: static files of a site in applicationHost.config, by its rules for unknown types.

A file without a mapped extension is 404 unless the folder's web.config maps it (``.`` for no extension at all), which
is what an ACME challenge below a webroot stumbles over. Pages that run code are not served.
"""

from __future__ import annotations

import argparse
import ssl
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lab.model.errors import HostError
from lab.model.paths import Drive
from lab.xmltext import ET, parse

CONFIG = "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config"
MAPPED = {
    "": None, ".htm": "text/html", ".html": "text/html", ".txt": "text/plain", ".css": "text/css",
    ".js": "application/javascript", ".png": "image/png", ".jpg": "image/jpeg", ".ico": "image/x-icon",
}  # fmt: skip
FORBIDDEN = ("web.config",)


def virtual_directories(drive: Drive) -> dict[str, str]:
    """Physical paths by virtual ones of the first site, as the configuration has them."""
    try:
        root = parse(drive.real(CONFIG).read_text(encoding="utf-8-sig"))
    except (OSError, ET.ParseError):
        return {}
    site = root.find(".//sites/site")
    if site is None:
        return {}
    found = {}
    for application in site.iter("application"):
        above = (application.get("path") or "/").rstrip("/")
        for directory in application.iter("virtualDirectory"):
            virtual = above + "/" + (directory.get("path") or "/").strip("/")
            physical = (directory.get("physicalPath") or "").replace("%SystemDrive%", "C:").replace("/", "\\")
            found[virtual.rstrip("/").lower()] = physical
    return found


def locate(drive: Drive, path: str) -> tuple[Path, Path] | None:
    """The real file of a URL's path and the folder of the virtual directory it lies in."""
    mapped = virtual_directories(drive)
    parts = [part for part in unquote(path).split("/") if part]
    if any(part in (".", "..") or "\\" in part or ":" in part for part in parts):
        return None
    for taken in range(len(parts), -1, -1):
        virtual = "".join(f"/{part}" for part in parts[:taken]).lower()
        if virtual in mapped:
            try:
                base = drive.real(mapped[virtual])
                return drive.real("\\".join([mapped[virtual], *parts[taken:]])), base
            except HostError:
                return None
    return None


def content_type(file: Path, base: Path) -> str | None:
    """The type that IIS would answer with, None for a 404.3."""
    known: Mapping[str, str | None] = MAPPED
    for folder in (base, *reversed([parent for parent in file.parents if base in parent.parents])):
        config = folder / "web.config"
        if config.is_file():
            known = {**known, **_maps(config)}
    return known.get(file.suffix.lower())


def _maps(config: Path) -> dict[str, str | None]:
    try:
        root = parse(config.read_text(encoding="utf-8-sig"))
    except (OSError, ET.ParseError):
        return {}
    found: dict[str, str | None] = {}
    for content in root.iter("staticContent"):
        for change in content:
            extension = (change.get("fileExtension") or "").lower()
            key = "" if extension == "." else extension
            if change.tag == "mimeMap":
                found[key] = change.get("mimeType")
            elif change.tag == "remove":
                found[key] = None
    return found


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of static files."""

    server_version = "Microsoft-IIS/10.0"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    drive: Drive

    def do_GET(self) -> None:
        """Answers with the file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answers without it."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        found = locate(self.drive, urlsplit(self.path).path)
        file = found[0] if found else None
        if file is not None and file.is_dir():
            file = file / "iisstart.htm"
        if found is None or file is None or not file.is_file() or file.name.lower() in FORBIDDEN:
            self.send_error(404)
            return
        kind = content_type(file, found[1])
        if kind is None:
            self.send_error(404, "404.3: this type is not served")
            return
        data = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """To the service's own log."""
        sys.stderr.write(f"{self.address_string()} {format % args}\n")


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--drive", type=Path, required=True)
    options.add_argument("--http", type=int, required=True)
    options.add_argument("--https", type=int, required=True)
    options.add_argument("--certificate", type=Path, required=True)
    options.add_argument("--key", type=Path, required=True)
    chosen = options.parse_args(arguments)
    handler = type("SiteHandler", (Handler,), {"drive": Drive(chosen.drive)})
    secure = ThreadingHTTPServer(("127.0.0.1", chosen.https), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chosen.certificate, chosen.key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", chosen.http), handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
