"""The rotation of keys as a state machine: from any sequence of sights no signature is made that cannot be verified."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maild.verify.dkim.rotation import Action, Pace, Phase, Rotation, Seen, next_selector, step

PACE = Pace(settle=10, linger=100)
START = Rotation(domain="a.example", old=("dkim",), new=("dkim-202611",))


def test_the_phases_in_order() -> None:
    sights = [(False, 0.0), (True, 1.0), (True, 5.0), (True, 11.0), (True, 50.0), (True, 111.0), (True, 112.0)]
    rotation, seen = START, []
    for new_everywhere, now in sights:
        rotation, action = step(rotation, Seen(new_everywhere=new_everywhere, old_anywhere=now < 112), now, PACE)
        seen.append((rotation.phase, action))
    assert seen == [
        (Phase.PUBLISHING, Action.PUBLISH),
        (Phase.SETTLING, None),
        (Phase.SETTLING, None),
        (Phase.LINGERING, Action.SWITCH),
        (Phase.LINGERING, None),
        (Phase.WITHDRAWING, Action.WITHDRAW),
        (Phase.DONE, Action.FORGET),
    ]


def test_a_server_that_loses_the_record_sends_it_back_to_publishing() -> None:
    rotation, _ = step(START, Seen(new_everywhere=True, old_anywhere=True), 1, PACE)
    rotation, action = step(rotation, Seen(new_everywhere=False, old_anywhere=True), 20, PACE)
    assert (rotation.phase, action) == (Phase.PUBLISHING, Action.PUBLISH)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 60)), max_size=40))
def test_a_switch_only_after_publishing_and_a_withdrawal_only_after_lingering(
    sights: list[tuple[bool, bool, float]],
) -> None:
    rotation, now, switched = START, 0.0, None
    for new_everywhere, old_anywhere, wait in sights:
        now += wait
        seen = Seen(new_everywhere=new_everywhere, old_anywhere=old_anywhere)
        rotation, action = step(rotation, seen, now, PACE)
        if action is Action.SWITCH:
            assert new_everywhere
            switched = now
        if action in {Action.WITHDRAW, Action.FORGET}:
            assert switched is not None
            assert now - switched >= PACE.linger
        assert Rotation.loaded(rotation.dumped()) == rotation


def test_selectors_never_repeat() -> None:
    assert next_selector("dkim", {"dkim"}, "202611") == "dkim-202611"
    assert next_selector("dkim-202611", {"dkim-202611"}, "202705") == "dkim-202705"
    assert next_selector("dkim-ed", {"dkim-ed", "dkim-ed-202611"}, "202611") == "dkim-ed-202611-2"
