"""RFC 6376 (DKIM) demand by demand for a signer: the standard's words beside what ours writes."""

from __future__ import annotations

import base64
import hashlib

import dkim as dkimpy
import pytest

from tests.lib import musts
from tests.lib.dkim import key, signed, verified, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Zones
from tests.unit.maild.verify.dkim_messages import MESSAGE, OWN, PASS, by_dkimpy, stands, tags_of

TABLE = musts.read("rfc6376")
PROBES: Probes = {
    "signs-rsa-sha256": (
        lambda: tags_of()["a"],
        "rsa-sha256",
    ),
    "signs-without-changing": (
        lambda: signed(MESSAGE, OWN).endswith(b"\r\n" + MESSAGE),
        True,
    ),
    "h-is-complete": (
        lambda: [name for name in tags_of()["h"].split(":") if name in {"subject", "to", "from"}],
        ["from", "from", "to", "to", "subject", "subject"],
    ),
    "h-without-its-own-field": (
        lambda: "dkim-signature" in tags_of()["h"],
        False,
    ),
    "selectors-are-a-labels": (
        lambda: signed(MESSAGE, key("테스트.net", "우편")).partition(b"\r\n\r\n")[0].count(b"s=xn--vo5bi2v;"),
        1,
    ),
    "two-hashes": (
        lambda: tags_of()["bh"],
        base64.b64encode(hashlib.sha256("안녕하세요.\r\n\r\n주문 확인 부탁드립니다.\r\n".encode()).digest()).decode(),
    ),
    "signs-from": (
        lambda: tags_of()["h"].split(":")[0],
        "from",
    ),
    "h-without-older-signatures": (
        lambda: "dkim-signature" in tags_of(signed(signed(MESSAGE, OWN), OWN))["h"],
        False,
    ),
    "oversigned-fields-count-as-empty": (
        lambda: [
            str(check.result)
            for message in (signed(MESSAGE, OWN), b"Cc: x@x.example\r\n" + signed(MESSAGE, OWN))
            for check in verified(message, Zones(zone(OWN)))
        ],
        ["pass", "fail"],
    ),
    "signs-the-last-of-several": (
        lambda: [
            str(verified(top + signed(b"Resent-To: b@b.example\r\n" + MESSAGE, OWN), Zones(zone(OWN)))[0].result)
            for top in (b"", b"Resent-To: a@a.example\r\n")
        ],
        ["pass", "pass"],
    ),
    "signs-several-bottom-up": (
        lambda: (
            tags_of(signed(b"Resent-To: a@a.example\r\nResent-To: b@b.example\r\n" + MESSAGE, OWN))["h"].count(
                "resent-to"
            ),
            dkimpy.verify(
                signed(b"Resent-To: a@a.example\r\nResent-To: b@b.example\r\n" + MESSAGE, OWN, lifetime=None),
                dnsfunc=lambda *_, **__: OWN.record.encode(),
            ),
        ),
        (2, True),
    ),
    "signs-what-others-verify": (
        lambda: dkimpy.verify(signed(MESSAGE, OWN, lifetime=None), dnsfunc=lambda *_, **__: OWN.record.encode()),
        True,
    ),
    "puts-the-field-in": (
        lambda: signed(MESSAGE, OWN).count(b"DKIM-Signature:"),
        1,
    ),
    "puts-the-field-first": (
        lambda: tags_of(signed(by_dkimpy(), key("b.example", "own")))["d"],
        "b.example",
    ),
    "signs-its-own-field": (
        lambda: stands(signed(MESSAGE, OWN)),
        PASS,
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_6376_is_met_by_the_signer(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words
