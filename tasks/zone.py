"""What a plan says of the DNS zones: each record that is not as it should be, with the record to enter.

Nothing here changes anything: records are entered by people, at their registrar's page. A pure function from a report
of the host to differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyinfra_winrm.resource import Difference
from tasks.settings.names import unicode_name
from tasks.summary import Record

IN_ORDER = frozenset({"ok", "unchecked"})


def differences(records: Iterable[Record]) -> Iterator[tuple[str, str, Difference]]:
    """Type, name and difference of each record that is not in order."""
    for record in records:
        if record.state not in IN_ORDER:
            yield record.type, shown(record), Difference("value", _found(record), _wanted(record), whole=True)


def shown(record: Record) -> str:
    """The owner in the form people read, the one that DNS carries behind it where they differ."""
    below = record.owner.removesuffix(record.domain)
    if below == record.owner or record.type == "PTR":
        return record.owner
    readable = below + unicode_name(record.domain)
    return readable if readable == record.owner else f"{readable} ({record.owner})"


def _found(record: Record) -> str:
    if record.state == "unknown":
        return "unknown (no name server answered)"
    if record.state == "partial":
        return f"{record.found} (not on every name server)"
    return record.found or "missing"


def _wanted(record: Record) -> str:
    return record.value if record.preference is None else f"{record.preference} {record.value}"
