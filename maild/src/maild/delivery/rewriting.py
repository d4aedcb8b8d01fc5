"""SRS with the keys of the store: made once, shared by all daemons, refreshed while running.

The newest key signs, every kept one verifies. Unwrapping is passed in; without any key nothing is rewritten or
restored.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from maild.delivery import srs
from maild.mail.address import Address
from maild.store import Keys

KEY_BYTES = 32
"""Length of a key: the block that HMAC-SHA256 keeps whole."""


class KeyedRewriting:
    """Rewrites and restores senders. ``clock`` gives microseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._keys: tuple[bytes, ...] = ()

    async def refresh(self, keys: Keys, wrap: Callable[[bytes], bytes], unwrap: Callable[[bytes], bytes]) -> None:
        """Reads the keys, and makes the first one where there is none."""
        rows = await keys.srs()
        if not rows:
            rows = [await keys.add_srs(wrap(os.urandom(KEY_BYTES)))]
        self._keys = tuple(unwrap(row.wrapped) for row in rows)

    def rewrite(self, sender: Address, domain: str) -> Address:
        """The sender of a forwarded copy; an address at this very domain stays as it is."""
        if not self._keys or sender.domain == domain:
            return sender
        return srs.rewrite(sender, domain, self._keys[0], self._clock())

    def restore(self, address: Address) -> Address:
        """The real sender; raises ``SRSError``."""
        return srs.restore(address, self._keys, self._clock())
