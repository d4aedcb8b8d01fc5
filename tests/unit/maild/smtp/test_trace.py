"""The Received field that a message gets here."""

from __future__ import annotations

import datetime as dt
import ipaddress

import pytest

from maild.mail.address import Address
from maild.net import Peer
from maild.smtp.trace import Hop, received


@pytest.mark.parametrize(("recipient", "named"), [("id@테스트.net", True), ("주문@테스트.net", False)])
def test_recipient_is_named_only_where_that_needs_no_smtputf8(recipient: str, named: bool) -> None:
    hop = Hop(
        helo="a",
        peer=Peer(ipaddress.ip_address("192.0.2.1"), 1),
        host="b",
        extended=True,
        tls=None,
        authenticated=False,
        smtputf8=True,
    )
    found = received(hop, "1", Address.parse(recipient), dt.datetime(2026, 11, 28, tzinfo=dt.UTC))
    assert found.isascii()
    assert (b" for <" in found) is named
