"""Who is let in: bounds at once, a minute, and bans; an IPv6 /64 is one client."""

from __future__ import annotations

from maild.net import Admission, Bounds, Peer, address_of


def peer(address: str) -> Peer:
    return Peer(address_of(address), 1)


def door(bounds: Bounds, *, now: list[float] | None = None, floods: list[Peer] | None = None) -> Admission:
    clock = now if now is not None else [0.0]
    return Admission(
        bounds,
        lambda: clock[0],
        lambda each, _: "banned" if each.text == "6.6.6.6" else None,
        (floods if floods is not None else []).append,
    )


def test_a_banned_client_is_refused_and_not_counted() -> None:
    admission = door(Bounds(10, 10, 0))
    assert admission.refuse(peer("6.6.6.6"), "smtp") == "banned"
    assert admission.open == 0


def test_one_client_cannot_take_all_connections() -> None:
    admission = door(Bounds(3, 2, 0))
    assert [admission.refuse(peer("1.1.1.1"), "smtp") is None for _ in range(3)] == [True, True, False]
    assert admission.refuse(peer("2.2.2.2"), "smtp") is None
    assert admission.refuse(peer("3.3.3.3"), "smtp") is not None
    admission.left(peer("1.1.1.1"))
    assert admission.refuse(peer("3.3.3.3"), "smtp") is None


def test_a_slash_64_is_one_client_and_a_mapped_address_is_ipv4() -> None:
    admission = door(Bounds(9, 1, 0))
    assert admission.refuse(peer("2001:db8::1"), "smtp") is None
    assert admission.refuse(peer("2001:db8::2"), "smtp") is not None
    assert admission.refuse(peer("2001:db8:0:1::1"), "smtp") is None
    assert peer("::ffff:1.2.3.4").text == "1.2.3.4"


def test_a_flood_is_refused_told_once_and_forgotten_after_a_minute() -> None:
    now, floods = [0.0], list[Peer]()
    admission = door(Bounds(100, 100, 5), now=now, floods=floods)
    answers = [admission.refuse(peer("1.1.1.1"), "smtp") for _ in range(8)]
    assert [answer is None for answer in answers] == [True] * 5 + [False] * 3
    assert floods == [peer("1.1.1.1")]
    now[0] = 61.0
    assert admission.refuse(peer("1.1.1.1"), "smtp") is None
