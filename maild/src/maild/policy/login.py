"""Checks a login, by password or SCRAM: who it is, whether it is right, and what a failure leads to.

Argon2 runs in a fair queue: an address that floods waits behind its own tries, and an address that logged in within the
last day goes first. A password that was right is remembered as a keyed digest, so a good login does not wait at all.
Unknown users cost as long as known ones. Answers never say which part was wrong.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from maild.log import Log
from maild.mail.address import Address, AddressError
from maild.net import Busy, FairQueue, Network, Peer
from maild.policy import scram
from maild.policy.gate import MINUTE, Gate, now_us
from maild.policy.passwords import DUMMY_HASH, hash_password, needs_upgrade, verifier_of, verify
from maild.store import Account, Credential, CredentialKind, Store, StoreError

REMEMBERED = 20_000
"""Good logins remembered: 32 bytes and a time each."""
REMEMBER_US = 24 * 60 * MINUTE
"""How long a good login is remembered; a changed credential ends it at once."""
STAND_IN = "scram.stand-in"
"""Name in the store of the key that unknown users' salts are made with, the same for all daemons."""
Ask = Callable[[bytes], Awaitable[bytes]]
"""Sends a challenge and gives the client's response, both as bytes; raises what ends the exchange."""
KNOWN_CLIENT, KNOWN_ACCOUNT, STRANGER = 0, 1, 2
LANES = 3
"""Who goes first: clients that logged in lately, then accounts that did, then the rest."""


class Outcome(Enum):
    """How a login ended."""

    GOOD = "good"
    WRONG = "wrong"
    BANNED = "banned"
    """Wrong once too often: the connection must end."""
    LATER = "later"
    """The store is away or too many logins wait: nothing is known, nothing is counted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, and who it is when it is good."""

    outcome: Outcome
    account: Account | None = None


class Login:
    """The one place that checks passwords, for all protocols."""

    def __init__(
        self,
        store: Store,
        gate: Gate,
        hashing: FairQueue,
        log: Log,
        *,
        default_domain: str = "",
        scram: bool = False,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self._store = store
        self._gate = gate
        self._hashing = hashing
        self._log = log
        self._default_domain = default_domain
        self._scram = scram
        self._clock = clock
        self._key = os.urandom(32)
        self._good: OrderedDict[bytes, int] = OrderedDict()
        self._known: set[Network] = set()
        self._accounts: set[str] = set()

    def configure(self, *, default_domain: str, scram: bool = False) -> None:
        """Takes changed settings."""
        self._default_domain = default_domain
        self._scram = scram

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms offered under TLS, the strongest first."""
        return (scram.MECHANISM, "PLAIN") if self._scram else ("PLAIN",)

    async def refresh(self) -> None:
        """Reads who logged in within the last day, here or at another daemon."""
        pairs = await self._store.access.succeeded_since(self._clock() - REMEMBER_US)
        self._known = {network for _, network in pairs}
        self._accounts = {account for account, _ in pairs}

    async def check(self, user: str, password: str, peer: Peer, protocol: str, session: int) -> Answer:
        """The outcome of one try."""
        address = self._address(user)
        name = str(address) if address else user[:320]
        try:
            account = await self._account(address) if address else None
            usable = await self._usable(account, protocol) if account else []
            credentials = [each for each in usable if each.kind is not CredentialKind.SCRAM_SHA_256]
            right = await self._matching(account, credentials, password, peer)
        except (StoreError, Busy) as error:
            return self._later(name, error, peer, protocol, session)
        if account is None or right is None:
            return await self._wrong(name, peer, protocol, session)
        await self._right(account, right, password, peer, has_verifier=len(usable) > len(credentials))
        return self._logged_in(account, peer, protocol, session)

    async def exchange(self, first: bytes, ask: Ask, peer: Peer, protocol: str, session: int) -> Answer:
        """The outcome of a SCRAM exchange after its first message; raises ``SCRAMError`` for what is none.

        An account without a verifier is challenged and refused as an unknown one is.
        """
        opened = scram.opening(first)
        address = self._address(opened.user)
        name = str(address) if address else opened.user[:320]
        try:
            account = await self._account(address) if address else None
            credential = await self._verifier(account, protocol)
            kept = scram.stand_in(await self._stand_in_key(), address.key if address else name)
        except StoreError as error:
            return self._later(name, error, peer, protocol, session)
        if credential is not None:
            kept = scram.Verifier.read(credential.hash)
        challenge = scram.challenge(opened, kept, scram.new_nonce())
        last = scram.conclusion(opened, challenge, await ask(challenge.encode()), kept)
        if account is None or credential is None or last is None:
            return await self._wrong(name, peer, protocol, session)
        await ask(last.encode())
        await self._noted(account, credential, peer)
        return self._logged_in(account, peer, protocol, session)

    async def _verifier(self, account: Account | None, protocol: str) -> Credential | None:
        """The verifier of an account; an unknown user costs the same look."""
        usable = await self._usable(account, protocol) if account else await self._store.credentials.of(0)
        return next((each for each in usable if each.kind is CredentialKind.SCRAM_SHA_256), None)

    async def _stand_in_key(self) -> bytes:
        """Read each time: of two daemons that make it at once, both use the one that stays."""
        kept = await self._store.state.get(STAND_IN)
        if kept is None:
            await self._store.state.put(STAND_IN, os.urandom(32).hex())
            kept = await self._store.state.get(STAND_IN)
        return bytes.fromhex(kept or "")

    def _later(self, name: str, error: Exception, peer: Peer, protocol: str, session: int) -> Answer:
        self._log.application(
            f"{protocol.upper()}D - {peer.text} could not be checked for {name}: {type(error).__name__}. "
            f"Session Id: {session}",
            session=session,
            address=peer.text,
        )
        return Answer(Outcome.LATER)

    def _logged_in(self, account: Account, peer: Peer, protocol: str, session: int) -> Answer:
        self._log.application(
            f"{protocol.upper()}D - {peer.text} logged in as {account.address}. Session Id: {session}",
            session=session,
            address=peer.text,
            user=account.address,
        )
        return Answer(Outcome.GOOD, account)

    def _address(self, user: str) -> Address | None:
        text = user.strip()
        if "@" not in text and self._default_domain:
            text = f"{text}@{self._default_domain}"
        try:
            return Address.parse(text)
        except AddressError:
            return None

    async def _account(self, address: Address) -> Account | None:
        resolved = await self._store.directory.resolve(address.local, address.domain)
        account = resolved.account if resolved.detail is None else None
        active = account is not None and account.active and resolved.domain is not None and resolved.domain.active
        return account if active else None

    async def _usable(self, account: Account, protocol: str) -> list[Credential]:
        now = self._clock()
        return [
            each
            for each in await self._store.credentials.of(account.id)
            if (each.expires_at is None or each.expires_at > now)
            and (not each.scope or protocol in each.scope.split(","))
        ]

    async def _matching(
        self, account: Account | None, credentials: list[Credential], password: str, peer: Peer
    ) -> Credential | None:
        """The credential that the password fits."""
        for credential in credentials:
            if self._remembered(credential, password):
                return credential
        hashes = [each.hash for each in credentials] if account else []

        def first_right() -> int | None:
            """Runs in a thread; an unknown user's try costs one check too."""
            for number, stored in enumerate(hashes):
                if verify(stored, password):
                    return number
            if not hashes:
                verify(DUMMY_HASH, password)
            return None

        found = await self._hashing.run(peer.network, first_right, lane=self._lane(account, peer))
        return None if found is None else credentials[found]

    def _lane(self, account: Account | None, peer: Peer) -> int:
        if peer.network in self._known:
            return KNOWN_CLIENT
        return KNOWN_ACCOUNT if account is not None and account.address in self._accounts else STRANGER

    async def _wrong(self, name: str, peer: Peer, protocol: str, session: int) -> Answer:
        self._log.application(
            f"{protocol.upper()}D - {peer.text} failed to log in as {name}. Session Id: {session}",
            session=session,
            address=peer.text,
            user=name,
        )
        banned = await self._gate.failed(peer, name, protocol)
        return Answer(Outcome.BANNED if banned else Outcome.WRONG)

    async def _right(
        self, account: Account, credential: Credential, password: str, peer: Peer, *, has_verifier: bool
    ) -> None:
        """Remembers the success; the login stands even where the store cannot note it."""
        now = self._clock()
        first = peer.network not in self._known
        digest = self._digest(credential, password)
        fresh = now - self._good.get(digest, 0) < 10 * MINUTE
        self._good[digest] = now if not fresh else self._good[digest]
        self._good.move_to_end(digest)
        while len(self._good) > REMEMBERED:
            self._good.popitem(last=False)
        if not fresh or first:
            await self._noted(account, credential, peer)
        lacks_verifier = self._scram and credential.kind is CredentialKind.PASSWORD and not has_verifier
        try:
            if (not fresh or first) and needs_upgrade(credential.hash):
                better = await self._hashing.run(peer.network, lambda: hash_password(password), lane=KNOWN_CLIENT)
                await self._store.credentials.upgrade(credential.id, credential.hash, better)
            if lacks_verifier:
                made = await self._hashing.run(peer.network, lambda: verifier_of(password), lane=KNOWN_CLIENT)
                if made:
                    await self._store.credentials.set_verifier(credential, made)
        except (StoreError, Busy) as error:
            self._log.debug(f"password of {account.address} not kept in a better form: {error}")

    async def _noted(self, account: Account, credential: Credential, peer: Peer) -> None:
        now = self._clock()
        self._known.add(peer.network)
        self._accounts.add(account.address)
        try:
            await asyncio.gather(
                self._store.access.record_success(account.address, peer.network, now),
                self._store.credentials.used(credential.id, now),
            )
        except StoreError as error:
            self._log.debug(f"login of {account.address} not noted: {error}")

    def _remembered(self, credential: Credential, password: str) -> bool:
        at = self._good.get(self._digest(credential, password))
        return at is not None and self._clock() - at < REMEMBER_US

    def _digest(self, credential: Credential, password: str) -> bytes:
        """Depends on the stored hash, so a changed password ends what was remembered."""
        text = f"{credential.id}\0{credential.hash}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)
