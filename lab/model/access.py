"""The recorded access lists of drive C: what is explicit is kept, what is inherited is computed from above.

A rename carries the list along, inherited entries too, as NTFS does; a copy does not.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lab.model import acl, sids
from lab.model.paths import Drive, join, split
from lab.model.state import Journal, State

# The root of a system drive on Server 2019, as Get-Acl shows it: users may make folders there.
ROOT_SDDL = (
    f"O:{sids.TRUSTED_INSTALLER}D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
    "(A;CI;LC;;;BU)(A;CIIO;DC;;;BU)(A;OICIIO;GA;;;CO)"
)


class AccessLists:
    """Owners and entries by path, in the section ``acl`` of the state."""

    def __init__(self, drive: Drive, state: State, journal: Journal) -> None:
        self._drive = drive
        self._state = state
        self._journal = journal

    def effective(self, path: str) -> acl.Descriptor:
        """Owner, protection and all entries, inherited ones after the explicit."""
        names = split(path)
        owner, protected, aces = acl.parse(ROOT_SDDL)
        current = acl.Descriptor(owner or sids.ADMINISTRATORS, protected, aces or ())
        if not names:
            return self._own(path, current, directory=True)
        for end in range(1, len(names) + 1):
            part = join(names[:end])
            directory = end < len(names) or self._drive.real(part).is_dir()
            current = self._own(part, current, directory)
        return current

    def set(self, path: str, sddl: str) -> None:
        """Takes over what the SDDL names; entries marked as inherited are not kept as explicit."""
        owner, protected, aces = acl.parse(sddl)
        before = self.effective(path)
        with self._state.changing():
            row = self._rows().setdefault(self._id(path), {})
            if owner is not None:
                row["owner"] = owner
            if aces is not None:
                row["protected"] = protected
                row["aces"] = [ace.json() for ace in aces if "ID" not in ace.flags or protected]
                row.pop("kept", None)
            after = self.effective(path)
        stored = self._drive.stored(path)
        self._journal.record("acl", stored, "owner", before.owner, after.owner)
        self._journal.record("acl", stored, "access", before.text(), after.text())

    def allows(self, path: str, holder: Collection[str], mask: int) -> bool:
        """The access check; an owner may always read and change the list itself."""
        return acl.allows(self.effective(path).aces, holder, mask)

    def forget(self, path: str) -> None:
        """Drops what is recorded for the path and all below."""
        prefix = self._id(path)
        gone = [key for key in self._rows() if key == prefix or key.startswith(prefix + "\\")]
        if gone:
            with self._state.changing():
                for key in gone:
                    del self._rows()[key]

    def move(self, source: str, target: str) -> None:
        """Carries the lists along before a rename."""
        old, new = self._id(source), self._id(target)
        inherited = [ace.json() for ace in self.effective(source).aces if "ID" in ace.flags]
        same_folder = old.rpartition("\\")[0] == new.rpartition("\\")[0]
        moved = {
            new + key[len(old) :]: row for key, row in self._rows().items() if key == old or key.startswith(old + "\\")
        }
        if not moved and same_folder:
            return
        with self._state.changing():
            self.forget(source)
            self._rows().update(moved)
            if not same_folder and not moved.get(new, {}).get("protected"):
                self._rows().setdefault(new, {})["kept"] = inherited

    def _own(self, path: str, above: acl.Descriptor, directory: bool) -> acl.Descriptor:
        row: dict[str, Any] = self._rows().get(path.casefold(), {})
        owner = row.get("owner", sids.ADMINISTRATORS if split(path) else above.owner)
        explicit = tuple(acl.Ace.from_json(entry) for entry in row.get("aces", ()))
        if not split(path):
            return acl.Descriptor(owner, True, explicit or above.aces)
        if row.get("protected"):
            return acl.Descriptor(owner, True, explicit)
        if "kept" in row:
            below = tuple(acl.Ace.from_json(entry) for entry in row["kept"])
        else:
            below = acl.inherited(above.aces, directory, owner)
        return acl.Descriptor(owner, False, explicit + below)

    def _id(self, path: str) -> str:
        return join(split(path)).casefold()

    def _rows(self) -> dict[str, Any]:
        return self._state.section("acl")
