"""Orders one certificate of an ACME server (RFC 8555): order, HTTP-01 challenges, finalisation.

Blocking, for a thread or a command. What the server says of each name is kept apart, so that one bad name can be left
out and the others ordered.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

import josepy
import requests
from acme import challenges, client, messages
from acme import errors as acme_errors

from maild.certs import pairs
from maild.certs.errors import OrderError
from maild.certs.responder import Responder

DEADLINE_SECONDS = 180
"""Time the server has for its checks and for issuing."""


def order(connected: client.ClientV2, responder: Responder, key: pairs.Key, names: tuple[str, ...]) -> bytes:
    """The chain of a new certificate for these names; raises ``OrderError``."""
    try:
        placed = connected.new_order(pairs.request(key, names))
        with _answering(connected, responder, placed):
            # The library compares with naive local time.
            deadline = dt.datetime.now() + dt.timedelta(seconds=DEADLINE_SECONDS)  # noqa: DTZ005
            issued = connected.poll_and_finalize(placed, deadline)
    except acme_errors.ValidationError as error:
        failed = {each.body.identifier.value: _reason(each) for each in error.failed_authzrs}
        raise OrderError("the ACME server could not verify " + ", ".join(sorted(failed)), failed) from error
    except acme_errors.IssuanceError as error:
        raise OrderError(f"the ACME server did not issue: {error.error.detail or error.error}") from error
    except acme_errors.TimeoutError as error:
        raise OrderError(f"the ACME server did not finish within {DEADLINE_SECONDS} s") from error
    except messages.Error as error:
        raise OrderError(f"the ACME server refuses the order: {error.detail or error}", _by_name(error)) from error
    except (acme_errors.Error, requests.RequestException, josepy.errors.Error, ValueError) as error:
        raise OrderError(f"the order broke off: {error}") from error
    return str(issued.fullchain_pem).encode("ascii")


@contextlib.contextmanager
def _answering(connected: client.ClientV2, responder: Responder, placed: messages.OrderResource) -> Iterator[None]:
    """Shows what the server asks for, tells it so, and takes it away in the end."""
    shown: list[str] = []
    try:
        for authorization in placed.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue
            offered = [each for each in authorization.body.challenges if isinstance(each.chall, challenges.HTTP01)]
            name = authorization.body.identifier.value
            if not offered:
                raise OrderError(f"the ACME server does not offer HTTP-01 for {name}", {name: "no HTTP-01"})
            response, text = offered[0].response_and_validation(connected.net.key)
            token = offered[0].chall.encode("token")
            responder.show(token, text)
            shown.append(token)
            connected.answer_challenge(offered[0], response)
        yield
    finally:
        for token in shown:
            responder.hide(token)


def _reason(authorization: messages.AuthorizationResource) -> str:
    errors = [each.error for each in authorization.body.challenges if each.error is not None]
    return str(errors[0].detail or errors[0]) if errors else "not verified"


def _by_name(error: messages.Error) -> dict[str, str]:
    """The sub-problems of an error by the name they are about (RFC 8555 section 6.7.1)."""
    return {
        each.identifier.value: str(each.detail or each)
        for each in error.subproblems or ()
        if each.identifier is not None
    }
