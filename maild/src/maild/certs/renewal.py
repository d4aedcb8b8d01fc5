"""One run over the certificates of the settings: what is needed is checked, ordered and put into place.

A name that does not lead here is left out and named; a certificate that fails does not keep the others from being
ordered; nothing that works is taken away. Two runs at once follow each other.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from acme import client

from maild.certs import account, history, pairs
from maild.certs.errors import CertsError, OrderError
from maild.certs.lock import locked
from maild.certs.need import Need, Wanted, missing, need
from maild.certs.order import order
from maild.certs.reach import Reason, why_not
from maild.certs.responder import Responder, responding
from maild.dns.answer import Resolver
from maild.mail import domain
from maild.net.certificates import CHAIN
from maild.settings import Settings


class State(Enum):
    """What came of a certificate."""

    FINE = "fine"
    ISSUED = "issued"
    PENDING = "pending"
    """Some of its names wait; what could be issued is there."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One certificate after the run."""

    name: str
    state: State
    found: pairs.Found | None = None
    waiting: dict[str, Reason] = field(default_factory=dict)
    error: str = ""
    changed: bool = False


@dataclass(slots=True)
class Renewal:
    """The run. ``ordering`` talks to the ACME server, in a thread."""

    settings: Settings
    resolver: Resolver
    now: Callable[[], dt.datetime]
    _client: client.ClientV2 | None = None

    async def run(self, *, due_too: bool = True) -> list[Result]:
        """All certificates; without ``due_too`` what is missing. Raises ``CertsError`` when nothing can be done."""
        acme = self.settings.acme
        with locked(acme.account_folder):
            wanted = wanted_of(self.settings)
            needs = {each.name: self._need(each, due_too=due_too) for each in wanted}
            if all(each is Need.NOTHING for each in needs.values()):
                return self._noted([self._unchanged(each) for each in wanted])
            with responding(acme.webroot, acme.http_bind, acme.http_port) as responder:
                results = [await self._one(each, needs[each.name], responder) for each in wanted]
            return self._noted(results)

    def _need(self, wanted: Wanted, *, due_too: bool) -> Need:
        found = self._in_place(wanted.name)
        needed = need(found, wanted, self.now())
        if needed is Need.RENEWAL and not due_too:
            return Need.NAMES if missing(found, wanted) else Need.NOTHING
        return needed

    def _in_place(self, name: str) -> pairs.Found | None:
        return in_place(self._pair(name))

    def _unchanged(self, wanted: Wanted) -> Result:
        return Result(name=wanted.name, state=State.FINE, found=self._found(wanted.name))

    async def _one(self, wanted: Wanted, needed: Need, responder: Responder) -> Result:
        if needed is Need.NOTHING:
            return self._unchanged(wanted)
        found = self._found(wanted.name)
        asked = missing(found, wanted) if needed is Need.NAMES else wanted.names
        waiting = await self._waiting(asked, responder)
        names = tuple(name for name in wanted.names if name not in waiting)
        if not names or (needed is Need.NAMES and not set(asked) - set(waiting)):
            return Result(name=wanted.name, state=State.PENDING, found=found, waiting=waiting)
        return await self._ordered(wanted, names, waiting, responder)

    async def _waiting(self, names: tuple[str, ...], responder: Responder) -> dict[str, Reason]:
        if not self.settings.acme.check_reachable:
            return {}
        port = self.settings.acme.challenge_port
        reasons = await asyncio.gather(*(why_not(name, self.resolver, responder, port) for name in names))
        return {name: reason for name, reason in zip(names, reasons, strict=True) if reason is not None}

    async def _ordered(
        self, wanted: Wanted, names: tuple[str, ...], waiting: dict[str, Reason], responder: Responder
    ) -> Result:
        """Orders; names that the server could not verify are left out of a second order."""
        pair = self._pair(wanted.name)
        key = pairs.key_of(pair) or pairs.new_key()
        try:
            try:
                chain = await asyncio.to_thread(self._order, responder, key, names)
            except OrderError as error:
                refused = {
                    name: Reason("{cause}", {"cause": error.failed[name]}) for name in names if name in error.failed
                }
                left = tuple(name for name in names if name not in refused)
                if not refused or not left:
                    raise
                waiting = waiting | refused
                chain = await asyncio.to_thread(self._order, responder, key, left)
            pairs.write(pair, key, chain)
        except CertsError as error:
            return Result(
                name=wanted.name, state=State.FAILED, found=self._found(wanted.name), waiting=waiting, error=str(error)
            )
        state = State.PENDING if waiting else State.ISSUED
        return Result(name=wanted.name, state=state, found=self._found(wanted.name), waiting=waiting, changed=True)

    def _order(self, responder: Responder, key: pairs.Key, names: tuple[str, ...]) -> bytes:
        if self._client is None:
            acme = self.settings.acme
            self._client = account.connect(
                account.Registration(
                    directory=acme.directory,
                    contact=acme.contact,
                    terms_agreed=acme.terms_agreed,
                    folder=acme.account_folder,
                    ca_file=acme.ca_file,
                )
            )
        return order(self._client, responder, key, names)

    def _pair(self, name: str) -> pairs.Pair:
        return pairs.Pair(self.settings.tls.folder, name)

    def _found(self, name: str) -> pairs.Found | None:
        try:
            return pairs.read(self._pair(name))
        except CertsError:
            return None

    def _noted(self, results: list[Result]) -> list[Result]:
        """Keeps what was learnt for the status; a folder that cannot be written is a result too."""
        outcomes = {
            each.name: history.Outcome(
                at=self.now().timestamp(),
                waiting=tuple(
                    history.Waiting(name=name, text=reason.text, values=reason.values)
                    for name, reason in each.waiting.items()
                ),
                error=each.error,
            )
            for each in results
        }
        try:
            history.write(self.settings.acme.account_folder, outcomes)
        except OSError as error:
            text = f"{self.settings.acme.account_folder}: {error.strerror or error}"
            return [replace(each, error=each.error or text) for each in results]
        return results


def wanted_of(settings: Settings) -> list[Wanted]:
    """The certificates of the settings, names in A-labels; raises ``CertsError`` for a name that is none."""
    found: list[Wanted] = []
    for each in settings.acme.certificates:
        try:
            names = tuple(dict.fromkeys(domain.to_ascii(name) for name in each.names))
        except domain.DomainError as error:
            raise CertsError(f"acme.certificates {each.name}: {error}") from error
        found.append(Wanted(each.name, names))
    return found


def in_place(pair: pairs.Pair) -> pairs.Found | None:
    """The certificate when it can be read and has its key beside it."""
    try:
        return pairs.read(pair) if pair.key.exists() else None
    except CertsError:
        return None


def pending_orders(settings: Settings) -> list[tuple[Wanted, pairs.Found | None]]:
    """What a run would order now: a certificate or a name that is missing and was not found waiting before."""
    found: list[tuple[Wanted, pairs.Found | None]] = []
    for wanted in wanted_of(settings):
        there = in_place(pairs.Pair(settings.tls.folder, wanted.name))
        known = waiting_of(settings.acme.account_folder, wanted.name)
        if any(name not in known for name in missing(there, wanted)):
            found.append((wanted, there))
    return found


def status(settings: Settings) -> list[Result]:
    """Every certificate as it is, from the files and what the last run left; nothing is asked of anyone."""
    known = history.read(settings.acme.account_folder)
    results: list[Result] = []
    for wanted in wanted_of(settings):
        waiting = waiting_of(settings.acme.account_folder, wanted.name)
        error = known[wanted.name].error if wanted.name in known else ""
        try:
            found = pairs.read(pairs.Pair(settings.tls.folder, wanted.name))
        except CertsError as problem:
            found, error = None, str(problem)
        open_names = missing(found, wanted)
        waiting = {name: reason for name, reason in waiting.items() if name in open_names}
        state = State.FAILED if error else State.PENDING if open_names else State.FINE
        results.append(Result(name=wanted.name, state=state, found=found, waiting=waiting, error=error))
    return results


def in_folder(settings: Settings) -> list[Result]:
    """What people, the deploy or win-acme put into the TLS folder, where no authority is asked."""
    results: list[Result] = []
    for chain in sorted(settings.tls.folder.glob(f"*{CHAIN}")):
        pair = pairs.Pair(settings.tls.folder, chain.name.removesuffix(CHAIN))
        found, error = None, "" if pair.key.exists() else f"{pair.key} is not there"
        try:
            found = pairs.read(pair)
        except CertsError as problem:
            error = str(problem)
        results.append(Result(name=pair.name, state=State.FAILED if error else State.FINE, found=found, error=error))
    return results


def stand_in(settings: Settings, now: dt.datetime) -> list[str]:
    """Makes a self-signed pair for each certificate that is not there, so that TLS can be spoken; returns which."""
    made: list[str] = []
    for wanted in wanted_of(settings):
        pair = pairs.Pair(settings.tls.folder, wanted.name)
        if pair.chain.exists() and pair.key.exists():
            continue
        key = pairs.key_of(pair) or pairs.new_key()
        pairs.write(pair, key, pairs.self_signed(key, wanted.names, now))
        made.append(wanted.name)
    return made


def waiting_of(folder: Path, name: str) -> dict[str, Reason]:
    """The names of a certificate that the last run left out."""
    known = history.read(folder).get(name)
    return {each.name: Reason(each.text, each.values) for each in known.waiting} if known else {}
