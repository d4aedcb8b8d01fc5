"""The relay decision as a table: every direction, login, switch and width of range."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from maild.policy import DEFAULT_RANGES, Verdict, decide, direction
from maild.store import Direction, IPRange

LL, LE = Direction.LOCAL_TO_LOCAL, Direction.LOCAL_TO_EXTERNAL
EL, EE = Direction.EXTERNAL_TO_LOCAL, Direction.EXTERNAL_TO_EXTERNAL
ALLOW, LOGIN, DENIED, AUTHENTIC = Verdict.ALLOW, Verdict.LOGIN_NEEDED, Verdict.RELAY_DENIED, Verdict.IF_AUTHENTIC
WAYS = {LL: (True, True), LE: (True, False), EL: (False, True), EE: (False, False)}


def make(
    allow: set[Direction], require: set[Direction], *, local_sender: bool = False, network: str = "10.0.0.0/24"
) -> IPRange:
    net = ipaddress.ip_network(network)
    return IPRange(
        name="test",
        low=net[0],
        high=net[-1],
        priority=30,
        allow=frozenset(allow),
        require_auth=frozenset(require),
        allow_local_sender=local_sender,
    )


def ask(range_: IPRange | None, way: Direction, *, authenticated: bool = False, verifying: bool = False) -> Verdict:
    sender, recipient = WAYS[way]
    return decide(
        range_, authenticated=authenticated, sender_local=sender, recipient_local=recipient, verifying=verifying
    )


@pytest.mark.parametrize(
    ("way", "stranger", "user"),
    [(LL, LOGIN, ALLOW), (LE, LOGIN, ALLOW), (EL, ALLOW, ALLOW), (EE, DENIED, DENIED)],
)
@pytest.mark.parametrize("range_", DEFAULT_RANGES, ids=lambda range_: range_.name)
def test_the_default_ranges(range_: IPRange, way: Direction, stranger: Verdict, user: Verdict) -> None:
    assert ask(range_, way) is stranger
    assert ask(range_, way, authenticated=True) is user


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("authenticated", [False, True])
def test_no_range_allows_nothing(way: Direction, *, authenticated: bool) -> None:
    assert ask(None, way, authenticated=authenticated) is DENIED


MATRIX = {
    # (allowed, login required, local sender allowed): stranger's answers for LL, LE, EL, EE
    (False, False, False): (DENIED, DENIED, DENIED, DENIED),
    (False, False, True): (DENIED, DENIED, DENIED, DENIED),
    (False, True, False): (DENIED, DENIED, DENIED, DENIED),
    (False, True, True): (DENIED, DENIED, DENIED, DENIED),
    (True, False, False): (LOGIN, LOGIN, ALLOW, ALLOW),
    (True, False, True): (ALLOW, ALLOW, ALLOW, ALLOW),
    (True, True, False): (LOGIN, LOGIN, LOGIN, LOGIN),
    (True, True, True): (ALLOW, LOGIN, LOGIN, LOGIN),
}


@pytest.mark.parametrize("case", list(MATRIX))
@pytest.mark.parametrize("number", range(4))
def test_the_whole_matrix_for_a_stranger_in_a_small_range(case: tuple[bool, bool, bool], number: int) -> None:
    allowed, required, local_sender = case
    way = list(WAYS)[number]
    range_ = make({way} if allowed else set(), {way} if required else set(), local_sender=local_sender)
    assert ask(range_, way) is MATRIX[case][number]


@pytest.mark.parametrize("case", list(MATRIX))
@pytest.mark.parametrize("way", list(WAYS))
def test_the_whole_matrix_for_a_user(case: tuple[bool, bool, bool], way: Direction) -> None:
    allowed, required, local_sender = case
    range_ = make({way} if allowed else set(), {way} if required else set(), local_sender=local_sender)
    assert ask(range_, way, authenticated=True) is (ALLOW if allowed else DENIED)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "10.0.0.0/15", "::/0", "2001:db8::/47"])
@pytest.mark.parametrize("way", [LE, EE])
def test_a_wide_range_never_relays_without_login_whatever_it_says(network: str, way: Direction) -> None:
    assert ask(make(set(WAYS), set(), local_sender=True, network=network), way) is DENIED


@pytest.mark.parametrize("network", ["10.0.0.0/16", "10.0.0.1/32", "2001:db8::/48", "::1/128"])
def test_a_narrow_range_may_relay_when_it_says_so(network: str) -> None:
    assert ask(make(set(WAYS), set(), local_sender=True, network=network), EE) is ALLOW


def test_a_stranger_as_a_local_sender_waits_for_dmarc_only_towards_us() -> None:
    internet = DEFAULT_RANGES[2]
    assert ask(internet, LL, verifying=True) is AUTHENTIC
    assert ask(internet, LE, verifying=True) is LOGIN


def test_every_combination_without_login_to_outside_needs_a_narrow_range_and_its_word() -> None:
    for allow, require, local_sender, way in itertools.product(
        [set(), {LE}, {EE}, {LE, EE}], [set(), {LE}, {EE}, {LE, EE}], [False, True], [LE, EE]
    ):
        verdict = ask(make(allow, require, local_sender=local_sender), way)
        sure = way in allow and way not in require and (way is EE or local_sender)
        assert (verdict is ALLOW) == sure


def test_the_null_sender_of_a_stranger_is_external() -> None:
    assert direction(sender_local=False, recipient_local=True) is EL
