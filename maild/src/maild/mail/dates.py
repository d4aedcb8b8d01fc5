"""Dates of mail: the ``Date`` field (RFC 5322 section 3.3) and IMAP's internal date, as microseconds since 1970.

Written dates carry the zone they are given; read ones are lenient about names of days and old zones and answer None
for what is no date, never an exception.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NUMBER = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}
_ZONES = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8, "KST": 9, "JST": 9}
_FIELD = re.compile(
    r"(?:[A-Za-z]{1,9}[.,]{0,2}\s*)?(\d{1,2})[\s-]{1,4}([A-Za-z]{3})[a-z]{0,6}[\s.,-]{1,4}(\d{2,4})"
    r"\s{1,4}(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?\s{0,4}(?:([+-]\d{4})|([A-Za-z]{1,5}))?"
)
_COMMENT = re.compile(r"\([^()]*\)")
_INTERNAL = re.compile(r"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(when: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (when - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def write(when: datetime) -> str:
    """A date as ``Date`` and ``Received`` carry it."""
    return (
        f"{_DAYS[when.weekday()]}, {when.day:02} {_MONTHS[when.month - 1]} {when.year:04} {when:%H:%M:%S} {_zone(when)}"
    )


def parse(text: str) -> datetime | None:
    """The moment a ``Date`` field names, with its zone; UTC where it names none that is known."""
    bare = _COMMENT.sub(" ", text[:200]).strip() if "(" in text[:200] else text[:200].strip()
    match = _FIELD.match(bare)
    if not match:
        return None
    day, month, year, hour, minute, second, offset, zone = match.groups()
    full_year = int(year)
    if len(year) < 4:  # RFC 5322 section 4.3
        full_year += 2000 if len(year) == 2 and full_year < 50 else 1900
    hours = _ZONES.get((zone or "").upper(), 0) * 60
    minutes = hours if offset is None else (int(offset[1:3]) * 60 + int(offset[3:])) * (-1 if offset[0] == "-" else 1)
    return _build(full_year, month, day, hour, minute, second or "0", minutes)


def write_internal(when: datetime) -> str:
    """A date as IMAP's INTERNALDATE writes it (RFC 9051, date-time), without quotes."""
    return f"{when.day:2d}-{_MONTHS[when.month - 1]}-{when.year:04} {when:%H:%M:%S} {_zone(when)}"


def parse_internal(text: str) -> datetime | None:
    """The moment of an IMAP date-time, None when it is none."""
    match = _INTERNAL.fullmatch(text)
    if not match:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = int(zone_hours) * 60 + int(zone_minutes)
    return _build(int(year), month, day.strip(), hour, minute, second, -offset if sign == "-" else offset)


def _build(year: int, month: str, day: str, hour: str, minute: str, second: str, offset: int) -> datetime | None:
    number = _NUMBER.get(month.lower())
    if number is None or abs(offset) >= 24 * 60:
        return None
    try:
        zone = timezone(timedelta(minutes=offset))
        when = datetime(year, number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone)
        when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when


def _zone(when: datetime) -> str:
    total = round((when.utcoffset() or timedelta()).total_seconds() / 60)
    sign = "-" if total < 0 else "+"
    return f"{sign}{abs(total) // 60:02}{abs(total) % 60:02}"
