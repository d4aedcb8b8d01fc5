"""The relay decision: one pure function over IP range, login, sender and recipient.

hMailServer's four directions decide, each allowed or not and with or without login. Two rules stand above any range: a
network wider than ``WIDEST_RELAY`` never relays without login, and from external to external nothing goes unless a
range says so.
"""

from __future__ import annotations

from enum import Enum

from maild.store import Direction, IPRange

WIDEST_RELAY = {4: 1 << 16, 6: 1 << 80}
"""Addresses a range may have at most to relay without login (a /16, a /48): a mistake must not open the server."""


class Verdict(Enum):
    """The answer; each refusal has its reply."""

    ALLOW = "250 2.1.5 Ok"
    IF_AUTHENTIC = "250 2.1.5 Ok, if the sender proves to be authentic"
    """A stranger uses a local sender: only DMARC can show at the end of DATA that it is one of ours."""
    LOGIN_NEEDED = "530 5.7.0 Authentication required"
    RELAY_DENIED = "550 5.7.1 Delivery is not allowed to this address"


def direction(*, sender_local: bool, recipient_local: bool) -> Direction:
    """From whom to whom; the null sender is external unless a user sends it."""
    if sender_local:
        return Direction.LOCAL_TO_LOCAL if recipient_local else Direction.LOCAL_TO_EXTERNAL
    return Direction.EXTERNAL_TO_LOCAL if recipient_local else Direction.EXTERNAL_TO_EXTERNAL


def decide(
    range_: IPRange | None, *, authenticated: bool, sender_local: bool, recipient_local: bool, verifying: bool = False
) -> Verdict:
    """Whether a client in this range may send from such a sender to such a recipient.

    ``verifying``: DMARC will be checked, so a stranger's local sender can wait for its answer.
    """
    way = direction(sender_local=sender_local, recipient_local=recipient_local)
    if range_ is None or way not in range_.allow:
        return Verdict.RELAY_DENIED
    if authenticated:
        return Verdict.ALLOW
    if not recipient_local:
        return _without_login(range_, way, sender_local=sender_local)
    if sender_local and not range_.allow_local_sender:
        return Verdict.IF_AUTHENTIC if verifying else Verdict.LOGIN_NEEDED
    if way in range_.require_auth and not (sender_local and range_.allow_local_sender):
        return Verdict.LOGIN_NEEDED
    return Verdict.ALLOW


def _without_login(range_: IPRange, way: Direction, *, sender_local: bool) -> Verdict:
    if way in range_.require_auth or (sender_local and not range_.allow_local_sender):
        return Verdict.LOGIN_NEEDED
    width = int(range_.high) - int(range_.low) + 1
    return Verdict.ALLOW if width <= WIDEST_RELAY[range_.low.version] else Verdict.RELAY_DENIED
