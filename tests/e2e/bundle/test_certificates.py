"""A deployed lab with an authority: one name issued, one that does not lead here left out, issued later by the task."""

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
