from __future__ import annotations

from pathlib import Path

import pytest

from lab.hosts.tutorial import SITE
from lab.model.paths import Drive
from lab.programs import iis

WEB_CONFIG = """<?xml version="1.0"?><configuration><system.webServer><staticContent>
<mimeMap fileExtension="." mimeType="text/plain" /></staticContent></system.webServer></configuration>"""


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    root = tmp_path / "c"
    config = root / "Windows" / "System32" / "inetsrv" / "config"
    config.mkdir(parents=True)
    (config / "applicationHost.config").write_text(SITE, encoding="utf-8")
    (root / "inetpub" / "wwwroot" / ".well-known" / "acme-challenge").mkdir(parents=True)
    return Drive(root)


def test_a_url_leads_to_the_file_of_the_site_in_any_case(drive: Drive):
    (drive.root / "inetpub" / "wwwroot" / "A.txt").write_text("x", encoding="utf-8")
    found = iis.locate(drive, "/a.TXT")
    assert found is not None
    assert found[0].read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("path", ["/../x", "/a/..%5c..%5cx", "/C:/x", "/a\\b", "/%2e%2e/x"])
def test_a_url_that_leaves_the_site_leads_nowhere(drive: Drive, path: str):
    assert iis.locate(drive, path) is None


def test_a_challenge_without_extension_is_served_only_with_a_web_config(drive: Drive):
    folder = drive.root / "inetpub" / "wwwroot" / ".well-known" / "acme-challenge"
    (folder / "token").write_text("proof", encoding="utf-8")
    found = iis.locate(drive, "/.well-known/acme-challenge/token")
    assert found is not None
    assert iis.content_type(*found) is None
    (folder / "web.config").write_text(WEB_CONFIG, encoding="utf-8")
    assert iis.content_type(*found) == "text/plain"


def test_a_virtual_directory_maps_its_path_elsewhere(drive: Drive):
    config = drive.root / "Windows" / "System32" / "inetsrv" / "config" / "applicationHost.config"
    mapped = '<virtualDirectory path="/proof" physicalPath="C:\\proofs" />'
    text = SITE.replace("</application>", mapped + "</application>")
    config.write_text(text, encoding="utf-8")
    (drive.root / "proofs").mkdir()
    found = iis.locate(drive, "/Proof/x")
    assert found is not None
    assert found[0] == drive.root / "proofs" / "x"
