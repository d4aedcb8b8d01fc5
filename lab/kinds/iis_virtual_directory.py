"""Virtual directories in the model: rows of applicationHost.config, which the lab's IIS reads at each request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.errors import HostError
from lab.model.host import Host
from lab.programs.iis import CONFIG
from lab.xmltext import ET, parse


def read(host: Host, key: Request) -> Item:
    """The folder behind the path."""
    found = folder(host, key["site"], key["path"])
    return present(folder=found) if found else ABSENT


def apply(host: Host, desired: Request) -> None:
    """Adds, changes or removes the row."""
    if desired["state"] == "absent":
        remove(host, desired["site"], desired["path"])
    else:
        put(host, desired["site"], desired["path"], desired["folder"])


def folder(host: Host, site: str, path: str) -> str:
    """What a path of a site is served from; empty when it is no virtual directory."""
    row = _row(_application(_configuration(host), site), path)
    return "" if row is None else str(row.get("physicalPath"))


def put(host: Host, site: str, path: str, target: str) -> None:
    """Has a path of a site served from a folder."""
    with _changing(host, site, path) as application:
        row = _row(application, path)
        if row is None:
            row = ET.SubElement(application, "virtualDirectory", {"path": path})
        row.set("physicalPath", target)


def remove(host: Host, site: str, path: str) -> None:
    """Takes a path off a site."""
    with _changing(host, site, path) as application:
        row = _row(application, path)
        if row is not None:
            application.remove(row)


@contextmanager
def _changing(host: Host, site: str, path: str) -> Iterator[ET.Element]:
    """The site's application, written back afterwards; the journal has the one row."""
    before = folder(host, site, path)
    root = _configuration(host)
    yield _application(root, site)
    ET.indent(root)
    host.drive.real(CONFIG).write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
    after = folder(host, site, path)
    host.journal.record("iis_virtual_directory", f"{site}{path}", "folder", before or None, after or None)


def _configuration(host: Host) -> ET.Element:
    if host.files.stat(CONFIG) is None:
        raise HostError("not-found", "IIS is not installed.", CONFIG)
    return parse(host.files.read(CONFIG))


def _application(root: ET.Element, site: str) -> ET.Element:
    for found in root.iter("site"):
        if (found.get("name") or "").casefold() == site.casefold():
            for application in found.iter("application"):
                if application.get("path") == "/":
                    return application
    raise HostError("not-found", f"IIS has no site '{site}'.", site)


def _row(application: ET.Element, path: str) -> ET.Element | None:
    wanted = path.casefold()
    return next((row for row in application if (row.get("path") or "").casefold() == wanted), None)
