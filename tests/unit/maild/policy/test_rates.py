"""How much a user may send: bounds an hour and a day, told once a day."""

from __future__ import annotations

from maild.policy import Rates


def test_messages_an_hour_and_recipients_a_day() -> None:
    now = [0.0]
    rates = Rates(2, 10, lambda: now[0])
    rates.sent("a", 4)
    rates.sent("a", 4)
    assert rates.exceeded("a", 1) == "2 messages an hour"
    assert rates.exceeded("b", 1) is None
    now[0] = 3601.0
    assert rates.exceeded("a", 2) is None
    assert rates.exceeded("a", 3) == "10 recipients a day"
    now[0] = 86_500.0
    assert rates.exceeded("a", 10) is None


def test_zero_is_no_bound() -> None:
    rates = Rates(0, 0, lambda: 0.0)
    for _ in range(100):
        rates.sent("a", 1000)
    assert rates.exceeded("a", 1000) is None


def test_the_administrator_is_told_once_a_day() -> None:
    now = [0.0]
    rates = Rates(1, 1, lambda: now[0])
    assert [rates.first_today("a"), rates.first_today("a")] == [True, False]
    now[0] = 86_401.0
    assert rates.first_today("a")
