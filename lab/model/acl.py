"""Access control lists of files: SDDL read into sets of entries, written back as Windows prints it, inherited, checked.

Only what a file's discretionary list needs: allow and deny entries, inheritance flags, file rights. Conditional and
object entries are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from lab.model import sids
from lab.model.errors import HostError

FULL = 0x1F01FF
MODIFY = 0x1301BF
READ_EXECUTE = 0x1200A9
READ = 0x120089
WRITE = 0x120116
EXECUTE = 0x1200A0

# MS-DTYP 2.5.1.1; generic rights become file rights as the file system maps them.
RIGHTS = {
    "GA": FULL, "FA": FULL, "GR": READ, "FR": READ, "GW": WRITE, "FW": WRITE, "GX": EXECUTE, "FX": EXECUTE,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
    "SD": 0x10000, "RC": 0x20000, "WD": 0x40000, "WO": 0x80000,
}  # fmt: skip
GENERIC = {0x10000000: FULL, 0x80000000: READ, 0x40000000: WRITE, 0x20000000: EXECUTE}
NAMES = {FULL: "FA", READ: "FR", WRITE: "FW", EXECUTE: "FX"}
SMALL = {0x1: "CC", 0x2: "DC", 0x4: "LC"}
FLAGS = ("OI", "CI", "NP", "IO", "ID")

_DESCRIPTOR = re.compile(
    r"(?:O:(?P<owner>[^:()]+?))?(?:G:(?P<group>[^:()]+?))?(?:D:(?P<flags>[A-Z_]*)(?P<aces>(?:\([^()]*\))*))?"
    r"(?:S:.*)?"
)


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry: ``A`` or ``D``, inheritance flags, access mask, SID."""

    kind: str
    flags: frozenset[str]
    mask: int
    sid: str

    def text(self) -> str:
        """The entry as SDDL."""
        flags = "".join(flag for flag in FLAGS if flag in self.flags)
        mask = NAMES.get(self.mask) or SMALL.get(self.mask) or f"{self.mask:#x}"
        return f"({self.kind};{flags};{mask};;;{sids.ALIAS_OF.get(self.sid, self.sid)})"

    def json(self) -> list[Any]:
        """The entry as the state file keeps it."""
        return [self.kind, sorted(self.flags), self.mask, self.sid]

    @staticmethod
    def from_json(row: list[Any]) -> Ace:
        """An entry that the state file kept."""
        return Ace(row[0], frozenset(row[1]), row[2], row[3])


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Owner and discretionary list; ``protected`` stops inheritance from above."""

    owner: str
    protected: bool
    aces: tuple[Ace, ...]

    def text(self) -> str:
        """SDDL as Windows prints owner and access."""
        owner = sids.ALIAS_OF.get(self.owner, self.owner)
        control = ("P" if self.protected else "") + "AI"
        return f"O:{owner}D:{control}" + "".join(ace.text() for ace in self.aces)


def sid_of(text: str) -> str:
    """A SID or its SDDL alias."""
    if text.upper().startswith("S-1-"):
        return text.upper()
    try:
        return sids.ALIASES[text.upper()]
    except KeyError:
        raise HostError("other", f"The security ID '{text}' is not valid.", text, 1337) from None


def mask_of(text: str) -> int:
    """A rights field: a number or two-letter names."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", text):
        mask = int(text, 0)
        for generic, rights in GENERIC.items():
            if mask & generic:
                mask = mask & ~generic | rights
        return mask
    mask = 0
    for at in range(0, len(text), 2):
        name = text[at : at + 2].upper()
        if name not in RIGHTS:
            raise HostError("other", f"'{text}' names no file rights.", text, 1336)
        mask |= RIGHTS[name]
    return mask


def _ace(text: str) -> Ace:
    fields = text.split(";")
    if len(fields) != 6 or fields[0].upper() not in ("A", "D") or fields[3] or fields[4]:
        raise HostError("other", f"The access control entry '({text})' is not valid.", text, 1336)
    flags = {fields[1][at : at + 2].upper() for at in range(0, len(fields[1]), 2)}
    if flags - set(FLAGS):
        raise HostError("other", f"The inheritance flags of '({text})' are not valid.", text, 1336)
    return Ace(fields[0].upper(), frozenset(flags), mask_of(fields[2]), sid_of(fields[5]))


def parse(sddl: str) -> tuple[str | None, bool, tuple[Ace, ...] | None]:
    """Owner, protection and entries of SDDL; None for a part that it does not name."""
    matched = _DESCRIPTOR.fullmatch(sddl.strip())
    if matched is None or not sddl.strip():
        raise HostError("other", f"The security descriptor '{sddl}' is not valid.", sddl, 1338)
    owner = sid_of(matched["owner"]) if matched["owner"] else None
    if matched["flags"] is None:
        return owner, False, None
    entries = re.findall(r"\(([^()]*)\)", matched["aces"])
    protected = "P" in matched["flags"].replace("_", "").upper().replace("AI", "").replace("AR", "")
    return owner, protected, tuple(_ace(entry) for entry in entries)


def inherited(parent: Iterable[Ace], directory: bool, owner: str) -> tuple[Ace, ...]:
    """What a new object below takes from its parent's entries."""
    taken = []
    for ace in parent:
        container, leaf = "CI" in ace.flags, "OI" in ace.flags
        if not (container or leaf) if directory else not leaf:
            continue
        flags = {"ID"}
        if directory and "NP" not in ace.flags:
            flags |= ace.flags & {"OI", "CI"}
        if directory and not container:
            if "NP" in ace.flags:
                continue
            flags.add("IO")
        below = Ace(ace.kind, frozenset(flags), ace.mask, ace.sid)
        if ace.sid != sids.CREATOR_OWNER:
            taken.append(below)
            continue
        # The creator gets the rights here by name; what is below still inherits from "creator owner".
        if container or not directory:
            taken.append(Ace(ace.kind, frozenset({"ID"}), ace.mask, owner))
        if directory and flags & {"OI", "CI"}:
            taken.append(Ace(ace.kind, frozenset(flags | {"IO"}), ace.mask, ace.sid))
    return tuple(taken)


def allows(aces: Iterable[Ace], holder: Collection[str], mask: int) -> bool:
    """Whether a token with these SIDs gets every right of the mask; denials come first, as Windows orders them."""
    missing = mask
    ordered = sorted(aces, key=lambda ace: ("ID" in ace.flags, ace.kind != "D"))
    for ace in ordered:
        if "IO" in ace.flags or ace.sid not in holder:
            continue
        if ace.kind == "D" and ace.mask & missing:
            return False
        if ace.kind == "A":
            missing &= ~ace.mask
    return not missing
