"""Who may do what to a folder or file: a small typed access list, and the security descriptor it stands for.

Descriptors are compared as sets of parsed entries beside owner and protection, never as text: Windows reorders entries,
writes rights in other words and adds flags of its own (MS-DTYP 2.5.1). Inherited entries belong to the parent and are
left out of every comparison.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pyinfra_winrm.kinds.accounts import SDDL_ALIASES, name_of, sid_of
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.resource import Json

Rights = Literal["full", "modify", "read", "write"]
Scope = Literal["tree", "folder", "files"]

# access masks as Windows keeps them for files (MS-DTYP 2.4.3; the generic rights are mapped when a list is stored)
_MASKS: dict[str, int] = {"full": 0x1F01FF, "modify": 0x1301BF, "read": 0x1200A9, "write": 0x120116}
_WORDS = {
    "FA": 0x1F01FF, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200A0,
    "GA": 0x1F01FF, "GR": 0x120089, "GW": 0x120116, "GX": 0x1200A0,
    "RC": 0x20000, "SD": 0x10000, "WD": 0x40000, "WO": 0x80000,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
}  # fmt: skip
_SCOPES: dict[str, str] = {"tree": "OICI", "folder": "", "files": "OIIO"}
_ENTRY = re.compile(r"\(([^)]*)\)")
_PARTS = re.compile(
    r"(?:O:(?P<owner>[A-Za-z0-9-]+?))?(?:G:(?P<group>[A-Za-z0-9-]+?))?(?:D:(?P<dacl>[A-Z_]*(?:\([^)]*\))*))?(?:S:.*)?"
)


@dataclass(frozen=True, order=True, slots=True)
class Entry:
    """One access control entry, parsed: ``A`` or ``D``, its inheritance flags, the access mask, whom it is about."""

    type: str
    flags: str
    mask: int
    sid: str

    def __str__(self) -> str:
        rights = next((name for name, mask in _MASKS.items() if mask == self.mask), f"0x{self.mask:x}")
        verb = {"A": "", "D": "deny "}.get(self.type, f"{self.type} ")
        return f"{name_of(self.sid)}: {verb}{rights}" + (f" ({self.flags})" if self.flags else "")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What counts of a security descriptor: owner, whether it is cut off from its parent, its own entries."""

    owner: str
    protected: bool
    entries: frozenset[Entry]


@dataclass(frozen=True, slots=True)
class Allow:
    r"""One account and what it may do.

    account: a well-known name (``SYSTEM``), ``NT SERVICE\name`` or a SID.
    rights: ``read`` (with execute), ``write``, ``modify``, ``full``, or an access mask.
    scope: ``tree`` (the folder and all below), ``folder`` (it alone), ``files`` (its files alone); a file has none.
    """

    account: str
    rights: Rights | int
    scope: Scope = "tree"

    def __post_init__(self) -> None:
        sid_of(self.account)
        if isinstance(self.rights, str) and self.rights not in _MASKS:
            raise InvalidResourceError(f"rights {self.rights!r} of {self.account}: give {', '.join(_MASKS)} or a mask")
        if self.scope not in get_args(Scope):
            raise InvalidResourceError(f"scope {self.scope!r} of {self.account}: give {', '.join(get_args(Scope))}")


@dataclass(frozen=True, slots=True)
class Acl:
    """The access list of a folder or file.

    entries: everything that is allowed; whatever else is listed there is removed.
    owner: the owning account.
    protected: cut off from what the parent would hand down.
    """

    entries: tuple[Allow, ...]
    owner: str = "Administrators"
    protected: bool = True

    def descriptor(self, *, folder: bool) -> Descriptor:
        """The parsed form, with inheritance flags only where there is something to inherit."""
        entries = frozenset(
            Entry(
                "A",
                _SCOPES[allow.scope] if folder else "",
                allow.rights if isinstance(allow.rights, int) else _MASKS[allow.rights],
                sid_of(allow.account),
            )
            for allow in self.entries
        )
        return Descriptor(sid_of(self.owner), self.protected, entries)

    def sddl(self, *, folder: bool) -> str:
        """The descriptor in the language Windows takes it in, with identifiers instead of names."""
        wanted = self.descriptor(folder=folder)
        entries = "".join(f"({e.type};{e.flags};0x{e.mask:x};;;{e.sid})" for e in sorted(wanted.entries))
        return f"O:{wanted.owner}D:{'PAI' if wanted.protected else 'AI'}{entries}"


def parse_sddl(text: str) -> Descriptor:
    """The parts of a descriptor that count; raises ``InvalidResourceError`` when it is not one."""
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        raise InvalidResourceError(f"not a security descriptor: {text[:200]!r}")
    dacl = parts["dacl"] or ""
    flags = dacl.partition("(")[0]
    entries = frozenset(entry for body in _ENTRY.findall(dacl) if (entry := _entry(body)) is not None)
    return Descriptor(_sid(parts["owner"] or ""), "P" in flags.replace("NO_ACCESS_CONTROL", ""), entries)


def access_fields(sddl: str) -> Mapping[str, Json]:
    """The fields of an access list as a comparison names and prints them."""
    found = parse_sddl(sddl)
    return {
        "acl.owner": name_of(found.owner),
        "acl.protected": found.protected,
        "acl.entries": sorted(str(entry) for entry in found.entries),
    }


def _entry(body: str) -> Entry | None:
    fields = body.split(";")
    if len(fields) < 6:
        raise InvalidResourceError(f"not an access control entry: ({body[:100]})")
    flags = re.findall("..", fields[1])
    if "ID" in flags:
        return None
    kept = "".join(flag for flag in ("OI", "CI", "NP", "IO") if flag in flags)
    return Entry(fields[0], kept, _mask(fields[2]), _sid(fields[5]))


def _mask(text: str) -> int:
    if re.fullmatch(r"(?i)0x[0-9a-f]+", text):
        return int(text, 16)
    if text.isdecimal():
        return int(text)
    mask = 0
    for word in re.findall("..", text):
        if word not in _WORDS:
            raise InvalidResourceError(f"access right {word!r} is not one of a file")
        mask |= _WORDS[word]
    return mask


def _sid(text: str) -> str:
    return SDDL_ALIASES.get(text, text)
