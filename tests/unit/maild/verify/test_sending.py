"""Reports we send: only to domains that really write to us, only where they are wanted, never many, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.settings import Database
from maild.store import Report, State, open_store
from maild.verify.dmarc import aggregate
from maild.verify.dmarc.bounced import bounced_targets
from maild.verify.dmarc.evaluate import Evaluation, Result
from maild.verify.dmarc.gathering import DAY, DMARC_OUT, Gathered, Gatherer, Room, Seen, merged
from maild.verify.dmarc.record import Disposition, parse
from maild.verify.dmarc.sending import SETTLE, Caps, Outgoing, Sender, agreed, compose
from maild.verify.spf import Outcome
from maild.verify.spf import Result as SPFResult
from tests.lib.zones import Table, Zones

US = "reports.xn--9t4b11yi5a.net"
ADDRESS = f"dmarc-reports@{US}"
SECRET = bytes(range(32))
TODAY = 20_000
NOON = TODAY * DAY + DAY / 2
MORNING = (TODAY + 1) * DAY + SETTLE
"""The first moment at which a day may be reported."""


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
    applied = Disposition.NONE if passed else Disposition.REJECT
    return Seen(
        ip=ip,
        envelope_domain=domain,
        evaluation=evaluation,
        spf=outcome,
        dkim=(),
        delivered=delivered,
        applied=applied,
    )


def gatherer(noted: Iterable[Seen], room: Room | None = None) -> Gatherer:
    made = Gatherer(room or Room())
    for one in noted:
        made.note(one, NOON)
    return made


class House:
    """A store with what daemons have gathered, and a zone."""

    def __init__(self, state: State, table: Table) -> None:
        self.state = state
        self.sent: list[Outgoing] = []
        self.bounced: set[str] = set()
        self.zones = Zones(table)

    def sender(self, caps: Caps | None = None) -> Sender:
        return Sender(self.state, self.zones, ADDRESS, SECRET, self.suppressed, self.post, caps or Caps())

    async def suppressed(self, address: str) -> bool:
        return address in self.bounced

    async def post(self, report: Outgoing) -> None:
        self.sent.append(report)

    @property
    def targets(self) -> list[str]:
        return [report.target for report in self.sent]


def in_house(folder: Path, table: Table, work: Callable[[House], Awaitable[None]]) -> House:
    async def run() -> House:
        store = await open_store(Database(file=folder / "mail.db"))
        try:
            house = House(store.state, table)
            await work(house)
            return house
        finally:
            await store.close()

    return asyncio.run(run())


def test_a_correspondent_gets_one_report_of_what_all_daemons_saw(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        first = gatherer([seen("a.example")] * 3)
        await first.save(house.state, NOON)
        first.note(seen("a.example", passed=False, delivered=False, ip="198.51.100.7"), NOON)
        await first.save(house.state, NOON)
        await gatherer([seen("a.example")]).save(house.state, NOON)
        assert await house.sender().turn(MORNING - 1) == 0
        assert await house.sender().turn(MORNING) == 1
        assert await house.state.reports(DMARC_OUT) == []

    house = in_house(tmp_path, {}, work)
    (out,) = house.sent
    message = message_from_bytes(out.message, policy=default)
    assert out.target == "r@a.example"
    assert message["From"] == ADDRESS
    assert message["Subject"].startswith(f"Report Domain: a.example Submitter: {US} Report-ID: <")
    (part,) = message.iter_attachments()
    assert part.get_content_type() == "application/gzip"
    assert part.get_filename() == f"{US}!a.example!{TODAY * DAY}!{(TODAY + 1) * DAY - 1}.xml.gz"
    report = aggregate.parse(part.get_content())
    assert (report.begin, report.end, report.policy) == (TODAY * DAY, (TODAY + 1) * DAY - 1, "reject")
    assert [(row.source, row.count, row.passed, row.disposition) for row in report.rows] == [
        ("192.0.2.1", 4, True, "none"),
        ("198.51.100.7", 1, False, "reject"),
    ]


def test_forged_and_undelivered_mail_causes_no_report() -> None:
    forged = [seen(f"d{i}.example", passed=False) for i in range(10_000)]
    undelivered = [seen(f"e{i}.example", delivered=False) for i in range(10_000)]
    assert gatherer(forged + undelivered).gathered() == []


def test_a_report_leaves_once_whoever_sends_and_however_often_a_daemon_dies(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        await gatherer([seen("a.example"), seen("b.example")]).save(house.state, NOON)
        rows = await house.state.reports(DMARC_OUT)
        await asyncio.gather(*(house.sender().turn(MORNING) for _ in range(5)))
        # As if the daemon had died before it let the day go: another finds it again once the lease is over.
        for row in rows:
            await house.state.add_report(Report(**{**_fields(row), "id": 0}))
        assert await house.sender().turn(MORNING + 1) == 0
        assert await house.sender().turn(MORNING + 700) == 0

    assert sorted(in_house(tmp_path, {}, work).targets) == ["r@a.example", "r@b.example"]


def _fields(row: Report) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def test_a_target_elsewhere_must_have_agreed_and_may_name_another_address_of_its_own() -> None:
    name = "a.example._report._dmarc.c.example"

    def confirmed(*texts: bytes) -> list[str]:
        return asyncio.run(agreed(Zones({name: {"TXT": list(texts)}}), "a.example", "r@c.example"))

    assert confirmed(b"v=DMARC1") == ["r@c.example"]
    assert confirmed(b"v=spf1 -all", b"v=DMARC1;") == ["r@c.example"]
    assert confirmed(b"v=DMARC1; rua=mailto:x@c.example") == ["x@c.example"]
    assert confirmed(b"v=DMARC1; rua=mailto:x@victim.example") == []
    assert confirmed(b"v=DMARC2") == []
    assert asyncio.run(agreed(Zones({name: {"TXT": [b"v=DMARC1"]}}), "b.example", "r@c.example")) == []
    assert asyncio.run(agreed(Zones({name: "TIMEOUT"}), "a.example", "r@c.example")) == []
    same = Zones({"_dmarc.a.example": {"TXT": [b"v=DMARC1; p=none"]}})
    assert asyncio.run(agreed(same, "a.example", "r@reports.a.example")) == ["r@reports.a.example"]


def test_a_day_and_a_target_have_caps_also_over_a_restart(tmp_path: Path) -> None:
    elsewhere = [seen(f"t{i:02}.example", rua="r@big.example") for i in range(20)]
    table = {f"t{i:02}.example._report._dmarc.big.example": {"TXT": [b"v=DMARC1"]} for i in range(20)}

    async def work(house: House) -> None:
        await gatherer(elsewhere).save(house.state, NOON)
        assert await house.sender().turn(MORNING) == 2
        await gatherer([seen(f"d{i}.example") for i in range(20)]).save(house.state, NOON)
        assert await house.sender(Caps(reports=5)).turn(MORNING + 700) == 3
        await gatherer([seen("e.example")]).save(house.state, NOON)
        assert await house.sender(Caps(reports=5)).turn(MORNING + 1400) == 0
        await gatherer([seen("f.example")]).save(house.state, NOON)
        assert await house.sender(Caps(reports=5)).turn(MORNING + DAY) == 1

    house = in_house(tmp_path, table, work)
    assert house.targets[:2] == ["r@big.example"] * 2
    assert house.targets[5:] == ["r@f.example"]


def test_an_address_that_bounced_is_left_alone(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        house.bounced = {"r@a.example"}
        await gatherer([seen("a.example"), seen("b.example")]).save(house.state, NOON)
        await house.sender().turn(MORNING)

    assert in_house(tmp_path, {}, work).targets == ["r@b.example"]


def test_what_is_held_is_bounded_and_let_go_when_the_day_is_over(tmp_path: Path) -> None:
    many = [seen(f"d{i}.example") for i in range(100)] + [seen("d0.example", ip=f"192.0.2.{i}") for i in range(100)]
    made = gatherer(many, Room(domains=10, rows=5))
    held = made.gathered()
    assert len(held) == 10
    assert max(len(one.rows) for one in held) == 5

    async def work(house: House) -> None:
        await made.save(house.state, NOON + DAY)
        assert made.gathered() == []
        assert len(await house.state.reports(DMARC_OUT)) == 10

    in_house(tmp_path, {}, work)


WHOLE = Gathered(domain="a.example", day=TODAY, published={"p": "reject"}, reports_to=("r@a.example",), rows=())


def bounce(original: bytes, action: str = "failed", kind: str = "message/rfc822") -> bytes:
    return (
        b"From: <mailer-daemon@a.example>\r\nTo: <dmarc-reports@a>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nNo.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\n"
        b"Final-Recipient: rfc822; r@a.example\r\nAction: %b\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: %b\r\n\r\n%b\r\n--b--\r\n" % (action.encode(), kind.encode(), original)
    )


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_that_came_back_names_its_target_and_a_forged_one_nobody(kind: str) -> None:
    message = compose(WHOLE, ADDRESS, "r@a.example", SECRET, NOON)
    original = message if kind == "message/rfc822" else message.partition(b"\r\n\r\n")[0]
    assert bounced_targets(bounce(original, kind=kind), SECRET) == ["r@a.example"]
    assert bounced_targets(bounce(original, "delayed", kind), SECRET) == []
    forged = original.replace(b"To: r@a.example", b"To: friend@b.example")
    assert forged != original
    assert bounced_targets(bounce(forged, kind=kind), SECRET) == []
    assert bounced_targets(bounce(original, kind=kind), bytes(32)) == []
    assert bounced_targets(message, SECRET) == []


@given(st.binary(max_size=300), st.sampled_from(["message/rfc822", "text/rfc822-headers", "message/global", "x/y"]))
def test_any_delivery_report_is_read_or_ignored(data: bytes, kind: str) -> None:
    assert bounced_targets(bounce(data, kind=kind), SECRET) == []
    assert bounced_targets(data, SECRET) == []


def test_counts_of_daemons_add_up_kind_by_kind() -> None:
    parts = [*gatherer([seen("a.example")] * 2).gathered(), *gatherer([seen("a.example")] * 3).gathered()]
    (whole,) = merged(parts)
    assert [row.count for row in whole.rows] == [5]
