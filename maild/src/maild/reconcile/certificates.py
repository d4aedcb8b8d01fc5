"""Certificates by their names: one that is missing gets a self-signed pair, one that is to go loses its files.

A self-signed pair stands in until the authority's takes its place, and follows the names that are declared. One of an
authority is never touched: the names it still lacks are ``maild certs issue``'s to order and to show.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import UnsetType

from maild.certs import pairs
from maild.certs.errors import CertsError
from maild.certs.renewal import in_place
from maild.reconcile import shown
from maild.reconcile.change import NotManaged, Plain, ReconcileError, Step, differences, removal
from maild.reconcile.desired import CertificateState, Desired, domain_key
from maild.store import Store

CHAIN = "-chain.pem"
Shelf = Mapping[str, pairs.Found]
"""The usable pairs of the folder by name."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Where pairs are."""

    folder: Path

    def write(self, name: str, names: tuple[str, ...]) -> None:
        """Makes a self-signed pair; raises ``ReconcileError``."""
        pair = pairs.Pair(self.folder, name)
        try:
            key = pairs.key_of(pair) or pairs.new_key()
            pairs.write(pair, key, pairs.self_signed(key, names, dt.datetime.now(dt.UTC)))
        except (CertsError, OSError) as error:
            raise ReconcileError(f"certificate {name}: {error}") from error

    def remove(self, name: str) -> None:
        """Removes both files; raises ``ReconcileError``."""
        pair = pairs.Pair(self.folder, name)
        try:
            for file in (pair.chain, pair.key):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise ReconcileError(f"certificate {name}: {error}") from error


def look(folder: Path) -> Shelf:
    """Reads what is there."""
    names = sorted(path.name.removesuffix(CHAIN) for path in folder.glob(f"*{CHAIN}"))
    found = {name: in_place(pairs.Pair(folder, name)) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def steps(desired: Desired, shelf: Shelf, writer: Writer) -> list[Step]:
    """What makes it as declared."""
    declared = () if isinstance(desired.certificates, UnsetType) else desired.certificates
    found = [_step(wanted, shelf, writer) for wanted in declared]
    return [step for step in found if step is not None and step.changes]


def not_managed(desired: Desired, shelf: Shelf) -> list[NotManaged]:
    """Pairs that nobody declared, where certificates are declared at all."""
    if isinstance(desired.certificates, UnsetType):
        return []
    declared = {domain_key(each.name) for each in desired.certificates}
    return [NotManaged("certificate", shown.domain(name)) for name in shelf if name not in declared]


def _step(wanted: CertificateState, shelf: Shelf, writer: Writer) -> Step | None:
    name = domain_key(wanted.name)
    found = shelf.get(name)
    if wanted.absent:

        async def remove(_: Store) -> None:
            writer.remove(name)

        return Step(removal("certificate", shown.domain(name)), remove) if found else None
    if found is not None and not found.self_signed:
        return None
    names = tuple(dict.fromkeys([name, *(domain_key(each) for each in wanted.names)]))

    async def make(_: Store) -> None:
        writer.write(name, names)

    present = None if found is None else _fields(found.names)
    return Step(differences("certificate", shown.domain(name), present, _fields(names)), make)


def _fields(names: tuple[str, ...]) -> dict[str, Plain]:
    return {"names": ", ".join(sorted(shown.domain(each) for each in names))}
