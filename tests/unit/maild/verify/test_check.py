"""A whole message through the one entry: what is accepted, filed, refused, and what its headers say."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.verify import Action, Checker, FixedKeys, Peer, Rules, Signal, Verdict, check_message, sign_outgoing
from maild.verify.decision import Name
from maild.verify.results import parse
from tests.lib.dkim import NOW, key, pair, signed, zone
from tests.lib.zones import Table, Zones

NET = "xn--9t4b11yi5a.net"
US = "mx.example.org"
IP = "192.0.2.25"
MESSAGE = (
    "From: =?UTF-8?B?7ZmN6ri464+Z?= <id@xn--9t4b11yi5a.net>\r\nTo: a@example.org\r\nSubject: =?UTF-8?B?7KO866y4?=\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@xn--9t4b11yi5a.net>\r\n\r\n주문합니다.\r\n"
).encode()


def zones(
    policy: str = "p=reject; adkim=s", spf: str = f"ip4:{IP} -all", **more: object
) -> dict[str, dict[str, list[object]]]:
    return {
        NET: {"TXT": [f"v=spf1 {spf}".encode()]},
        f"_dmarc.{NET}": {"TXT": [f"v=DMARC1; {policy}".encode()]},
        "25.2.0.192.in-addr.arpa": {"PTR": [f"smtp.{NET}"]},
        f"smtp.{NET}": {"A": [IP]},
        **zone(*pair(NET)),  # type: ignore[dict-item]
        **more,  # type: ignore[dict-item]
    }


def verdict(
    message: bytes,
    table: Table,
    *,
    ip: str = IP,
    sender: str = f"id@{NET}",
    rules: Rules | None = None,
    signals: tuple[Signal, ...] = (),
) -> Verdict:
    peer = Peer(ip=ip, helo=f"smtp.{NET}", sender=sender)
    return asyncio.run(
        check_message(message, peer, resolver=Zones(table), server=US, rules=rules, clock=lambda: NOW, signals=signals)
    )


def test_our_own_mail_is_accepted_and_its_results_say_so() -> None:
    found = verdict(signed(MESSAGE, *pair(NET)), zones())
    assert (found.action, found.decision.score, found.decision.reasons) == (Action.ACCEPT, 0, ())
    read = parse(found.headers.partition(b":")[2].split(b"X-Mailhost")[0])
    assert read.server == US
    assert [(one.method, one.result) for one in read.results] == [
        ("spf", "pass"),
        ("dkim", "pass"),
        ("dkim", "pass"),
        ("dmarc", "pass"),
        ("iprev", "pass"),
    ]
    assert b"X-Mailhost-Verdict: accept (score 0)\r\n" in found.headers


def test_a_forged_sender_is_refused_by_the_policy_of_its_domain() -> None:
    found = verdict(MESSAGE, zones(), ip="198.51.100.7")
    assert found.action is Action.REFUSE
    assert found.decision.reply == f"550 5.7.1 Refused: the policy of {NET} (DMARC) asks to reject this message"
    assert Name.DMARC_REJECT in {reason.name for reason in found.decision.reasons}


def test_a_quarantine_policy_files_it_as_junk_and_none_lets_it_pass() -> None:
    assert verdict(MESSAGE, zones("p=quarantine"), ip="198.51.100.7").action is Action.JUNK
    mild = verdict(MESSAGE, zones("p=none", "?all"), ip="198.51.100.7")
    assert mild.action is Action.ACCEPT


def test_a_reject_policy_files_what_a_list_or_forwarder_may_have_sent() -> None:
    list_key = key("list.example", "s")
    table = zones() | zone(list_key) | {"list.example": {"TXT": [f"v=spf1 ip4:{IP} -all".encode()]}}
    footer = MESSAGE + b"-- \r\nlist footer\r\n"
    for message, sender in ((footer, "bounce@list.example"), (signed(footer, list_key), "")):
        found = verdict(message, table, sender=sender)
        assert found.action is Action.JUNK
        assert any("list.example vouches for it" in reason.detail for reason in found.decision.reasons)


def test_the_administrator_may_file_what_dmarc_would_refuse() -> None:
    rules = Rules(dmarc_reject=False)
    assert verdict(MESSAGE, zones(), ip="198.51.100.7", rules=rules).action in {Action.JUNK, Action.REJECTS}


def test_a_forward_that_keeps_the_signature_passes_though_spf_fails() -> None:
    found = verdict(signed(MESSAGE, *pair(NET)), zones(), ip="198.51.100.7")
    assert found.action is Action.ACCEPT
    assert Name.SPF_FAIL not in {reason.name for reason in found.decision.reasons}


def test_dns_trouble_refuses_nothing() -> None:
    table = dict.fromkeys(zones(), "TIMEOUT")
    found = verdict(signed(MESSAGE, *pair(NET)), table)
    assert found.action is Action.ACCEPT
    assert b"spf=temperror" in found.headers
    assert b"dmarc=temperror" in found.headers


@pytest.mark.parametrize(
    ("lists", "action"),
    [(0, Action.ACCEPT), (1, Action.ACCEPT), (2, Action.JUNK), (4, Action.REJECTS), (7, Action.REFUSE)],
)
def test_signals_add_up_to_the_thresholds(lists: int, action: Action) -> None:
    signals = tuple(Signal(Name.BLOCK_LIST, f"list{i}.example") for i in range(lists))
    found = verdict(signed(MESSAGE, *pair(NET)), zones(), signals=signals)
    assert (found.action, found.decision.score) == (action, 3 * lists)
    assert found.headers.count(b"X-Mailhost-Reason: block-list +3 (list") == lists


def test_two_authors_count_as_none() -> None:
    message = b"From: a@a.example, b@b.example\r\n\r\nx\r\n"
    found = verdict(message, zones())
    assert found.action is Action.JUNK
    assert Name.NO_AUTHOR in {reason.name for reason in found.decision.reasons}


def test_a_null_sender_is_checked_by_its_helo_name() -> None:
    table = zones() | {f"smtp.{NET}": {"TXT": [f"v=spf1 ip4:{IP} -all".encode()], "A": [IP]}}
    found = verdict(signed(MESSAGE, *pair(NET)), table, sender="")
    assert b"spf=pass" in found.headers
    assert f"smtp.helo=smtp.{NET}".encode() in found.headers


def test_what_is_fed_in_pieces_gets_the_same_verdict() -> None:
    message = signed(MESSAGE, *pair(NET))
    peer = Peer(ip=IP, helo=f"smtp.{NET}", sender=f"id@{NET}")
    for step in (1, 3, 100):
        checker = Checker(peer, resolver=Zones(zones()), server=US, clock=lambda: NOW)
        for i in range(0, len(message), step):
            checker.feed(message[i : i + step])
        assert asyncio.run(checker.finish()).headers == verdict(message, zones()).headers


def test_outgoing_mail_is_signed_as_its_author_and_forwards_as_the_forwarder() -> None:
    keyring = FixedKeys({name: pair(name) for name in (NET, "xn--9t4b11yi5a.co.kr")})

    async def domain(message: bytes, sender: str = "") -> tuple[str, int]:
        signature = await sign_outgoing(message, keyring, sender_domain=sender, clock=lambda: NOW)
        return signature.domain, signature.fields.count(b"DKIM-Signature:")

    alias = MESSAGE.replace(b".net>\r\nTo", b".co.kr>\r\nTo")
    stranger = MESSAGE.replace(NET.encode(), b"a.example")
    assert asyncio.run(domain(MESSAGE)) == (NET, 2)
    assert asyncio.run(domain(alias)) == ("xn--9t4b11yi5a.co.kr", 2)
    assert asyncio.run(domain(alias, NET)) == ("xn--9t4b11yi5a.co.kr", 2)
    assert asyncio.run(domain(stranger, NET)) == (NET, 2)
    assert asyncio.run(domain(stranger)) == ("", 0)
    assert asyncio.run(domain(b"From: id@xn--9t4b11yi5a.net")) == (NET, 2)


@given(st.binary(max_size=600), st.text(max_size=30), st.text(max_size=30))
def test_any_message_and_envelope_get_a_verdict(data: bytes, sender: str, helo: str) -> None:
    peer = Peer(ip="2001:db8::1", helo=helo, sender=sender)
    found = asyncio.run(check_message(data, peer, resolver=Zones({}), server=US, clock=lambda: NOW))
    assert found.action in Action
    assert found.headers.endswith(b"\r\n")
    assert b"\n\r\n" not in found.headers
    assert found.headers.count(b"\n") == found.headers.count(b"\r\n")
