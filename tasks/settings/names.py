"""Domain names in their two forms, as people write them and as DNS carries them (RFC 5890, UTS 46)."""

from __future__ import annotations

import idna

from tasks.settings.errors import SettingsError

_NAME_MAX = 253  # characters of a name without its final dot (RFC 1035 2.3.4)


def ascii_name(name: str) -> str:
    """The A-label form: ``테스트.net`` -> ``xn--9t4b11yi5a.net``."""
    return idna.encode(name.rstrip("."), uts46=True, transitional=False).decode("ascii")


def unicode_name(name: str) -> str:
    """The form people read: ``xn--9t4b11yi5a.net`` -> ``테스트.net``."""
    return idna.decode(ascii_name(name))


def checked_name(key: str, name: str) -> str:
    """The readable form of a full domain name, or an error that names the key."""
    try:
        labels = ascii_name(name)
    except idna.IDNAError as error:
        raise SettingsError(
            key,
            "{name!r} is not a domain name ({problem})",
            "write it as 테스트.net or example.org",
            name=name,
            problem=error,
        ) from error
    if labels.rpartition(".")[2].isdigit():
        raise SettingsError(
            key, "{name!r} is an address, where a name belongs", "write it as smtp.테스트.net", name=name
        )
    if "." not in labels or len(labels) > _NAME_MAX:
        raise SettingsError(
            key, "{name!r} is not a full domain name", "write it as 테스트.net or example.org", name=name
        )
    return unicode_name(labels)


def both_forms(name: str) -> str:
    """The readable form, with the A-label form behind it where they differ."""
    readable, carried = unicode_name(name), ascii_name(name)
    return readable if readable == carried else f"{readable} ({carried})"
