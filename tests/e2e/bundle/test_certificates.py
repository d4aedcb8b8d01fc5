"""A deployed lab with an authority: one name issued, one that does not lead here left out, issued later by the task.

And one with certificates of others: a folder without them stops the run while the server goes on with what it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.lib.nameserver import NameServer
from tests.lib.pebble import Pebble
from tests.lib.site import Site, site

NET, CO_KR = "xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr"


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer()
    server.zone(NET, "smtp 60 IN A 127.0.0.1\n")
    server.zone(CO_KR, "other 60 IN A 127.0.0.1\n")
    yield server
    server.close()


def issuer(where: Site, name: str) -> x509.Name:
    chain = where.lab.drive / "Mailhost" / "etc" / "tls" / f"{name}-chain.pem"
    leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    return leaf.issuer if leaf.issuer != leaf.subject else x509.Name([])


@pytest.mark.pebble
@pytest.mark.timeout(900)
def test_a_name_that_does_not_lead_here_waits_and_the_task_orders_it(tmp_path: Path, names: NameServer) -> None:
    with Pebble(tmp_path, names) as pebble, site(tmp_path / "lab") as where:
        where.environment |= {
            "MAILHOST_LAB_DATABASE": "sqlite",
            "MAILHOST_LAB_ACME": pebble.directory,
            "MAILHOST_LAB_ACME_CA": str(pebble.ca),
            "MAILHOST_LAB_ACME_PORT": str(pebble.challenge_port),
            "MAILHOST_LAB_DNS": names.server.replace(":", "#"),
        }
        where.changed["public_ipv4"] = "127.0.0.1"
        ran = where.deployed()
        assert issuer(where, f"smtp.{NET}")
        assert not issuer(where, f"smtp.{CO_KR}")
        assert "smtp.테스트.co.kr (smtp.xn--9t4b11yi5a.co.kr): pending: it has no address in DNS yet" in ran.text
        where.in_step_but_for_dns()
        names.zone(CO_KR, "smtp 60 IN A 127.0.0.1\n")
        task = where.lab.call("tasks.run", path="\\Mailhost\\Renew certificates")
        assert task["rc"] == 0, task
        assert issuer(where, f"smtp.{CO_KR}")
        where.in_step_but_for_dns()
        assert "pending" not in where.deployed().text


@pytest.mark.timeout(600)
def test_a_folder_without_certificates_is_named_and_the_server_goes_on(tmp_path: Path) -> None:
    with site(tmp_path / "lab", database={"engine": "sqlite"}) as where:
        where.deployed()
        where.changed["tls"] = {"source": "files", "folder": "C:/win-acme-pem"}
        refused = where.deploy()
        assert refused.status == 1
        assert "win-acme-pem: no NAME-chain.pem can be read there" in refused.text, refused.text[-3000:]
        assert where.service("maild")["state"] == "running"
        assert 993 in {row["port"] for row in where.lab.call("ports.listening")}
        folder = where.lab.drive / "win-acme-pem"
        folder.mkdir()
        for file in (where.lab.drive / "Mailhost" / "etc" / "tls").glob("*.pem"):
            (folder / file.name).write_bytes(file.read_bytes())
        where.deployed()
        where.in_step()
