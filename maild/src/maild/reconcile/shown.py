"""Names and values as people read them: domains in Unicode, lists in one line."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

from maild.mail.domain import to_unicode
from maild.reconcile.change import Plain


def domain(name: str) -> str:
    """테스트.net for xn--9t4b11yi5a.net."""
    return to_unicode(name)


def address(local: str, domain_: str) -> str:
    """An address with its domain in Unicode."""
    return f"{local}@{to_unicode(domain_)}"


def addresses(stored: Iterable[str]) -> str:
    """Several addresses, sorted, in one line."""
    return ", ".join(sorted(address(*one.rsplit("@", 1)) if "@" in one else one for one in stored))


def given(**fields: object) -> dict[str, Plain]:
    """The fields that the desired state names; one that is not given is not owned."""
    return {name: plain(value) for name, value in fields.items() if value is not UNSET}


def plain(value: object) -> Plain:
    """A value that JSON and people can take."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple | frozenset | list | set):
        return ", ".join(sorted(str(item) for item in value))
    raise TypeError(f"{type(value).__name__} is not shown")
