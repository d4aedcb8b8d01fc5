"""Reports we send: only to domains that really write to us, only where they are wanted, never many."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.policy import default

from maild.verify.dmarc import aggregate
from maild.verify.dmarc.evaluate import Evaluation, Result
from maild.verify.dmarc.record import parse
from maild.verify.dmarc.sending import Caps, Draft, Gatherer, Outgoing, Seen, Sender, agreed
from maild.verify.spf import Outcome
from maild.verify.spf import Result as SPFResult
from tests.lib.zones import Table, Zones

SENDER = "dmarc-reports@reports.xn--9t4b11yi5a.net"


def seen(domain: str, *, passed: bool = True, delivered: bool = True, rua: str = "", ip: str = "192.0.2.1") -> Seen:
    policy = parse(f"v=DMARC1; p=reject; rua=mailto:{rua or 'r@' + domain}".encode())
    evaluation = Evaluation(
        result=Result.PASS if passed else Result.FAIL,
        domain=domain,
        policy_domain=domain,
        policy=policy,
        aligned_spf=domain if passed else "",
    )
    outcome = Outcome(SPFResult.PASS if passed else SPFResult.FAIL, domain)
    return Seen(ip=ip, envelope_domain=domain, evaluation=evaluation, spf=outcome, dkim=(), delivered=delivered)


def drafts(gatherer: Gatherer) -> list[Draft]:
    return gatherer.drain("xn--9t4b11yi5a.net", SENDER, 100, 200)


def outgoing(
    found: list[Draft], table: Table, caps: Caps | None = None, bounced: frozenset[str] = frozenset()
) -> list[Outgoing]:
    async def suppressed(address: str) -> bool:
        return address in bounced

    sender = Sender(Zones(table), SENDER, suppressed, caps or Caps())
    return asyncio.run(sender.outgoing(found, 0))


def test_a_correspondent_gets_one_report_with_all_that_was_seen() -> None:
    gatherer = Gatherer()
    for _ in range(3):
        gatherer.note(seen("a.example"))
    gatherer.note(seen("a.example", passed=False, delivered=False, ip="198.51.100.7"))
    (out,) = outgoing(drafts(gatherer), {})
    message = message_from_bytes(out.message, policy=default)
    assert out.target == "r@a.example"
    assert message["Subject"].startswith("Report Domain: a.example Submitter: reports.xn--9t4b11yi5a.net")
    (part,) = message.iter_attachments()
    assert part.get_filename() == "reports.xn--9t4b11yi5a.net!a.example!100!200.xml.gz"
    report = aggregate.parse(part.get_content())
    assert [(row.source, row.count, row.passed) for row in report.rows] == [
        ("192.0.2.1", 3, True),
        ("198.51.100.7", 1, False),
    ]
    assert drafts(gatherer) == []


def test_forged_and_undelivered_mail_causes_no_report() -> None:
    gatherer = Gatherer()
    for i in range(10_000):
        gatherer.note(seen(f"d{i}.example", passed=False))
        gatherer.note(seen(f"e{i}.example", delivered=False))
    assert drafts(gatherer) == []


def test_a_target_elsewhere_must_have_agreed() -> None:
    table = {"a.example._report._dmarc.c.example": {"TXT": [b"v=DMARC1; rua=mailto:x@c.example"]}}
    assert asyncio.run(agreed(Zones(table), "a.example", "r@c.example"))
    assert not asyncio.run(agreed(Zones(table), "b.example", "r@c.example"))
    assert not asyncio.run(agreed(Zones({"a.example._report._dmarc.c.example": "TIMEOUT"}), "a.example", "r@c.example"))
    same = {"_dmarc.a.example": {"TXT": [b"v=DMARC1; p=none"]}}
    assert asyncio.run(agreed(Zones(same), "a.example", "r@reports.a.example"))


def test_a_day_and_a_target_have_caps_and_bounced_addresses_are_left_alone() -> None:
    gatherer = Gatherer()
    for i in range(20):
        gatherer.note(seen(f"d{i}.example"))
        gatherer.note(seen(f"t{i}.example", rua="r@big.example"))
    table = {f"t{i}.example._report._dmarc.big.example": {"TXT": [b"v=DMARC1"]} for i in range(20)}
    found = drafts(gatherer)
    assert len(found) == 40
    targets = [out.target for out in outgoing(found, table)]
    assert targets.count("r@big.example") == 2
    assert len(targets) == 22
    assert len(outgoing(found, table, Caps(reports_a_day=5))) == 5
    assert "r@d0.example" not in [out.target for out in outgoing(found, table, bounced=frozenset({"r@d0.example"}))]


def test_what_is_held_is_bounded() -> None:
    gatherer = Gatherer(Caps(domains=10, rows=5))
    for i in range(100):
        gatherer.note(seen(f"d{i}.example"))
        gatherer.note(seen("d0.example", ip=f"192.0.2.{i}"))
    found = drafts(gatherer)
    assert len(found) == 10
    assert max(len(draft.report.rows) for draft in found) == 5
