from __future__ import annotations

import datetime as dt

import pytest

from maild.certs.need import Need, Wanted, days_left, missing, need
from maild.certs.pairs import Found

START = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


def certificate(*names: str, days: int = 90, self_signed: bool = False) -> Found:
    return Found(names, 1, START, START + dt.timedelta(days=days), "ca", self_signed)


WANTED = Wanted("a", ("smtp.a.net", "mail.a.net"))


@pytest.mark.parametrize(
    ("found", "after", "needed"),
    [
        (None, 0, Need.FIRST),
        (certificate("smtp.a.net", "mail.a.net", self_signed=True), 0, Need.FIRST),
        (certificate("smtp.a.net", "mail.a.net"), 0, Need.NOTHING),
        (certificate("smtp.a.net", "mail.a.net", "old.a.net"), 0, Need.NOTHING),
        (certificate("smtp.a.net"), 0, Need.NAMES),
        (certificate("smtp.a.net", "mail.a.net"), 59, Need.NOTHING),
        (certificate("smtp.a.net", "mail.a.net"), 60, Need.RENEWAL),
        (certificate("smtp.a.net"), 60, Need.RENEWAL),
        (certificate("smtp.a.net", "mail.a.net", days=6), 3, Need.NOTHING),
        (certificate("smtp.a.net", "mail.a.net", days=6), 4, Need.RENEWAL),
        (certificate("smtp.a.net", "mail.a.net"), 100, Need.RENEWAL),
    ],
)
def test_need(found: Found | None, after: int, needed: Need) -> None:
    assert need(found, WANTED, START + dt.timedelta(days=after)) is needed


def test_names_of_a_self_signed_stand_in_are_all_missing() -> None:
    assert missing(certificate("smtp.a.net", "mail.a.net", self_signed=True), WANTED) == WANTED.names
    assert missing(certificate("smtp.a.net"), WANTED) == ("mail.a.net",)


def test_days_left_turn_negative() -> None:
    assert days_left(certificate("a"), START + dt.timedelta(days=89)) == 1
    assert days_left(certificate("a"), START + dt.timedelta(days=91)) == -1
