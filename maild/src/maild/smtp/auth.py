"""AUTH of SMTP (RFC 4954): an exchange of one mechanism, from its first response to the outcome of the login.

The mechanisms are those of ``Login``, and LOGIN, which old clients speak. Whether AUTH may be used at all is the
dialogue's; a malformed or cancelled exchange is ``Refused``.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable

from maild.net import Peer
from maild.policy import Answer, Login, SCRAMError, sasl
from maild.policy.scram import MECHANISM as SCRAM
from maild.smtp.grammar import Refused

Ask = Callable[[str], Awaitable[bytes]]
"""Sends a 334 reply and gives the client's line."""

ASK_USER, ASK_PASSWORD = "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"
"""LOGIN's two questions: ``Username:`` and ``Password:`` in base64."""
ASKS = frozenset({"334 ", ASK_USER, ASK_PASSWORD})
"""Questions that say nothing of anybody."""


def mechanisms(login: Login) -> tuple[str, ...]:
    """What EHLO offers under TLS."""
    return (*login.mechanisms, "LOGIN")


async def outcome(login: Login, argument: str, ask: Ask, peer: Peer, session: int) -> Answer:
    """How the login ended that AUTH's argument begins."""
    name, _, initial = argument.partition(" ")
    mechanism = name.upper()
    if not mechanism:
        raise Refused("501 5.5.4 Syntax: AUTH mechanism")
    if mechanism not in mechanisms(login):
        raise Refused("504 5.5.4 This mechanism is not offered")
    try:
        if mechanism == SCRAM:
            first = sasl.decoded(initial.encode() or await _response(ask, "334 "))

            async def challenge(text: bytes) -> bytes:
                return sasl.decoded(await _response(ask, f"334 {base64.b64encode(text).decode()}"))

            return await login.exchange(first, challenge, peer, "smtp", session)
        claim = await _claim(mechanism, initial.encode(), ask)
    except sasl.SASLError as error:
        raise Refused(f"501 5.5.2 {error}") from None
    except SCRAMError as error:
        raise Refused(f"501 5.5.2 SCRAM: {error}") from None
    return await login.check(claim.user, claim.password, peer, "smtp", session)


async def _claim(mechanism: str, initial: bytes, ask: Ask) -> sasl.Claim:
    if mechanism == "PLAIN":
        return sasl.plain(sasl.decoded(initial or await _response(ask, "334 ")))
    user = sasl.decoded(initial or await _response(ask, ASK_USER))
    return sasl.Claim(sasl.text(user), sasl.text(sasl.decoded(await _response(ask, ASK_PASSWORD))))


async def _response(ask: Ask, question: str) -> bytes:
    line = await ask(question)
    if line == b"*":
        raise Refused("501 5.0.0 Authentication cancelled")
    return line
