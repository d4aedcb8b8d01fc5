"""The whole job on an empty lab: deployed, mail written and read, changes by hand found and put back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lib.site import Site, changes, fetch, letter, own_part, send, site

DRIFT = ("firewall", "service", "file", "acl", "task", "time")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("e2e") / "lab") as where:
        where.environment["MAILHOST_LAB_DATABASE"] = "sqlite"
        where.deployed()
        yield where


@pytest.mark.timeout(900)
def test_korean_mail_flows_between_two_people_of_the_server(deployed: Site) -> None:
    mail = letter("id@테스트.net", "주문@테스트.net")
    send(deployed, "id@테스트.net", "주문@테스트.net", mail)
    assert own_part(fetch(deployed, "주문@테스트.net", 1)) == mail


@pytest.mark.timeout(900)
def test_the_added_domain_is_the_same_mailbox(deployed: Site) -> None:
    mail = letter("주문@테스트.net", "id@테스트.co.kr")
    send(deployed, "주문@테스트.net", "id@테스트.co.kr", mail)
    assert own_part(fetch(deployed, "id@테스트.net", 1)) == mail


@pytest.mark.timeout(900)
def test_changes_by_hand_are_found_field_by_field_and_put_back(deployed: Site) -> None:
    deployed.in_step()
    done = subprocess.run(
        [sys.executable, "-m", "lab", "drift", "--dir", str(deployed.lab.folder), *DRIFT],
        cwd=deployed.checkout, env=deployed.variables(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    made = [line for line in done.stdout.splitlines() if line]
    assert len(made) == len(DRIFT), made
    found = deployed.plan()
    assert found.status == 2, found.text
    for field in (
        "enabled: false -> true",
        "start: manual -> automatic",
        "content:",
        "acl.entries",
        "state: absent -> present",
        "servers:",
    ):
        assert field in found.out, (field, found.out)
    # The lab has no resolver that checks DNSSEC; that is said, and is neither drift nor a change.
    assert found.out.count("note: DANE off: no validating resolver; ") == 1, found.out
    healed = deployed.deployed()
    assert healed.text.count("note: DANE off: no validating resolver; ") == 1, healed.text[-3000:]
    assert changes(healed) >= 5, healed.text[-3000:]
    deployed.in_step()
