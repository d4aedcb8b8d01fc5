"""RFC 9990 (DMARC aggregate reports) demand by demand for who sends them, in the published text's words (2026).

It was read where RFC 9989 was; see ``test_rfc9989``. How reports are read is in ``test_reports``.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from xml.etree.ElementTree import Element, fromstring

import pytest

from maild.verify import Peer, Rules, check_message
from maild.verify.dmarc.gathering import DAY, Gathered, Gatherer, Seen, seen_of
from maild.verify.dmarc.record import parse
from maild.verify.dmarc.sending import agreed, compose
from tests.lib import musts
from tests.lib.arc import LATER, SEALS, sealed
from tests.lib.dkim import key, pair, signed, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Table, Zones

US, OTHER = "192.0.2.25", "198.51.100.7"
SENDER, TARGET = "dmarc@reports.us.example", "r@a.example"
NOON = 20_000 * DAY + DAY / 2
BARE = b"From: <id@a.example>\r\n\r\nx\r\n"
SPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"


def table(tags: str = "p=reject") -> Table:
    spf = {"TXT": [f"v=spf1 ip4:{US} -all".encode()]}
    return {
        "a.example": spf,
        "news.a.example": {"A": [US], **spf},
        "list.example": {"TXT": [f"v=spf1 ip4:{OTHER} -all".encode()]},
        "_dmarc.a.example": {"TXT": [f"v=DMARC1; {tags}; rua=mailto:{TARGET}".encode()]},
        "_dmarc.own.a.example": {"TXT": [f"v=DMARC1; p=none; rua=mailto:{TARGET}".encode()]},
        "own.a.example": spf,
        **zone(*pair("a.example")),
        **SEALS,
    }


def seen(
    author: str = "a.example", *, tags: str = "p=reject", ip: str = US, sender: str = "", message: bytes = BARE
) -> Seen:
    """One message as the daemon counts it."""
    peer = Peer(ip=ip, helo="mx.example", sender=sender or f"id@{author}")
    whole = message.replace(b"a.example", author.encode(), 1)
    rules = Rules(trusted_sealers=frozenset({"one.example"}))
    found = check_message(whole, peer, resolver=Zones(table(tags)), server="us", rules=rules, clock=lambda: LATER)
    return seen_of(peer, asyncio.run(found), delivered=True)


def reports(*counted: Seen) -> list[Gathered]:
    gatherer = Gatherer()
    for one in counted:
        gatherer.note(one, NOON)
    return gatherer.gathered()


def mail(*counted: Seen) -> EmailMessage:
    """The message of the only report."""
    (whole,) = reports(*(counted or (seen(),)))
    message = message_from_bytes(compose(whole, SENDER, TARGET, b"k" * 32, NOON), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def xml(*counted: Seen) -> Element:
    (part,) = mail(*counted).iter_attachments()
    return fromstring(gzip.decompress(part.get_content()))  # noqa: S314 - our own


def file_name() -> list[str | None]:
    return [part.get_filename() for part in mail().iter_attachments()]


def order(path: str, *counted: Seen) -> list[str]:
    """The names of the elements within one."""
    found = xml(*counted).find("/".join(SPACE + name for name in path.split("/"))) if path else xml(*counted)
    assert found is not None
    return [child.tag.removeprefix(SPACE) for child in found]


def evaluated(*counted: Seen) -> list[tuple[str, ...]]:
    """Disposition, DKIM, SPF and reasons of each record."""
    return [
        tuple(text.strip() for text in found.itertext() if text.strip())
        for found in xml(*counted).iter(f"{SPACE}policy_evaluated")
    ]


def failing(**more: object) -> tuple[Seen, Seen]:
    """A message that passes, so that the domain is reported to, and one that fails."""
    return seen(), seen(**more)  # type: ignore[arg-type]


def reporting(record: bytes) -> tuple[str, ...]:
    policy = parse(record)
    return policy.reports_to if policy else ()


def targets(record: bytes, rua: str = "reports@red.example.net") -> list[str]:
    zones = Zones({"blue.example.com._report._dmarc.red.example.net": {"TXT": [record]}})
    return asyncio.run(agreed(zones, "blue.example.com", rua))


TABLE = musts.read("rfc9990")
PROBES: Probes = {
    "a-report-each-policy-domain": (
        lambda: sorted(one.domain for one in reports(seen(), seen("own.a.example"), seen("news.a.example"))),
        ["a.example", "own.a.example"],
    ),
    "first-level-in-order": (lambda: order(""), ["version", "report_metadata", "policy_published", "record"]),
    "version-is-1-0": (lambda: xml().findtext(f"{SPACE}version"), "1.0"),
    "one-record-at-least": (lambda: len(xml().findall(f"{SPACE}record")), 1),
    "records-in-order": (lambda: order("record"), ["row", "identifiers", "auth_results"]),
    "a-reason-for-every-override": (
        lambda: [
            evaluated(*failing(**more))[1]
            for more in (
                {"ip": "192.0.2.99"},
                {"ip": OTHER, "sender": "b@list.example"},
                {"ip": "192.0.2.99", "tags": "p=reject; t=y"},
                {"ip": "192.0.2.99", "message": sealed(BARE, "one.example", first=True)},
            )
        ],
        [
            ("reject", "fail", "fail"),
            ("quarantine", "fail", "fail", "local_policy"),
            ("quarantine", "fail", "fail", "policy_test_mode"),
            ("none", "fail", "fail", "trusted_forwarder"),
        ],
    ),
    "policy-evaluated-in-order": (
        lambda: order("record/row/policy_evaluated", replace(seen(), overridden="other")),
        ["disposition", "dkim", "spf", "reason"],
    ),
    "evaluated-values": (
        lambda: evaluated(seen(message=signed(BARE, key("b.example", "s"), now=LATER), ip=US)),
        [("none", "fail", "pass")],
    ),
    "every-signature-is-told": (
        lambda: [
            [child.text for child in found]
            for found in xml(seen(message=signed(BARE, *pair("a.example"), now=LATER) + b"footer\r\n")).iter(
                f"{SPACE}dkim"
            )
            if len(found)
        ],
        [["a.example", "dkim", "fail"], ["a.example", "dkim-ed", "fail"]],
    ),
    "auth-results-in-order": (
        lambda: order("record/auth_results", seen(message=signed(BARE, *pair("a.example"), now=LATER))),
        ["dkim", "dkim", "spf"],
    ),
    "several-authors-of-one-policy": (
        lambda: sorted(found.text or "" for found in xml(seen(), seen("news.a.example")).iter(f"{SPACE}header_from")),
        ["a.example", "news.a.example"],
    ),
    "one-report-id": (
        lambda: f"<{xml().findtext(f'{SPACE}report_metadata/{SPACE}report_id')}>" in mail()["Subject"],
        True,
    ),
    "reasons-are-defined": (
        lambda: (
            {
                seen(**more).overridden  # type: ignore[arg-type]
                for more in (
                    {"ip": OTHER, "sender": "b@list.example"},
                    {"ip": "192.0.2.99", "tags": "p=reject; t=y"},
                    {"ip": "192.0.2.99", "message": sealed(BARE, "one.example", first=True)},
                )
            }
            - {"local_policy", "mailing_list", "other", "policy_test_mode", "trusted_forwarder"}
        ),
        set(),
    ),
    "uris-in-order": (
        lambda: reporting(b"v=DMARC1; p=none; rua=mailto:c@a.example,%%%,mailto:a@a.example,mailto:b@a.example"),
        ("c@a.example", "a@a.example", "b@a.example"),
    ),
    "report-ids-differ": (
        lambda: len({mail()["Message-ID"], mail(seen("own.a.example"))["Message-ID"]}),
        2,
    ),
    "the-mail-is-well-formed": (
        lambda: (
            mail().defects,
            mail()["MIME-Version"],
            [(part.get_content_type(), part.get_content_disposition()) for part in mail().iter_attachments()],
        ),
        ([], "1.0", [("application/gzip", "attachment")]),
    ),
    "xml-in-gzip": (lambda: xml().tag, f"{SPACE}feedback"),
    "the-file-name": (
        file_name,
        [f"reports.us.example!a.example!{20_000 * DAY}!{20_001 * DAY - 1}.xml.gz"],
    ),
    "the-same-again": (lambda: file_name() == file_name(), True),
    "the-subject": (
        lambda: bool(
            re.fullmatch(
                r"Report Domain: a\.example Submitter: reports\.us\.example Report-ID: <[\w.-]+@[\w.-]+>",
                mail()["Subject"],
            )
        ),
        True,
    ),
    "outside-destinations-are-asked": (
        lambda: [
            targets(b"v=DMARC1"),
            targets(b"v=DMARC1;"),
            targets(b"something else"),
            targets(b"", "r@other.example"),
        ],
        [["reports@red.example.net"], ["reports@red.example.net"], [], []],
    ),
    "v-comes-first-there-too": (lambda: targets(b"rua=mailto:x@red.example.net; v=DMARC1"), []),
    "an-override-stays-on-its-host": (
        lambda: [targets(f"v=DMARC1; rua=mailto:x@{host}".encode()) for host in ("red.example.net", "victim.example")],
        [["x@red.example.net"], []],
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_9990_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words
