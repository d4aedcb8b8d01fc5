"""The page behind a list copy's link: asks a person, and takes off at once whom a mail program sends with one click.

A link is followed by scanners too, so GET changes nothing (RFC 8058 section 3.1); only POST does. Whether a link is
good is for ``maild.delivery.one_click`` to say.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from maild.delivery import one_click
from maild.locale import Translator
from maild.mail.address import Address
from maild.net import Stream
from maild.store import Store
from maild.web.http import Page, Request, exchange

ONE_CLICK = b"One-Click"
"""In the body of every POST that means it: ``List-Unsubscribe=One-Click`` as a form or in parts (section 3.2)."""


@dataclass(frozen=True, slots=True)
class Services:
    """What an exchange works with. ``language`` is for readers whose browser names none that there is."""

    store: Store
    language: str
    translator: Callable[[str], Translator]


def session(known: Services) -> Stream:
    """A session for a new connection."""

    async def run(stream: Stream) -> None:
        await exchange(stream, lambda request: answer(request, known))

    return Stream(run, 1)


async def answer(request: Request, services: Services) -> Page:
    """The page for a request; raises ``StoreError``."""
    say = services.translator(request.language if request.language in {"en", "ko"} else services.language)
    store = services.store
    found = await one_click.membership(request.path, store.directory, store.state)
    if found is None:
        text = say("This link is not valid, or whoever it was made for is no longer on the list.")
        return _page(HTTPStatus.NOT_FOUND, text, say)
    name = Address(found.mailing_list.local, found.mailing_list.domain).unicode
    if request.method != "POST":
        text = say("Do you want to take {member} off the mailing list {list}?", member=found.member, list=name)
        return _page(HTTPStatus.OK, text, say, button=say("Leave the list"))
    if ONE_CLICK not in request.body:
        return Page(HTTPStatus.BAD_REQUEST)
    await one_click.leave(found, store.directory)
    text = say("{member} is no longer on the mailing list {list}.", member=found.member, list=name)
    return _page(HTTPStatus.OK, text, say)


def _page(status: HTTPStatus, text: str, say: Translator, *, button: str = "") -> Page:
    asked = (
        '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f"<button>{html.escape(button)}</button></form>"
        if button
        else ""
    )
    return Page(
        status,
        f'<!doctype html>\n<html lang="{say.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{html.escape(say('Mailing list'))}</title></head>"
        f"<body><p>{html.escape(text)}</p>{asked}</body></html>\n",
    )
