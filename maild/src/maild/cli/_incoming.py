"""What becomes of mail that comes for a mailbox: copies to other addresses, and an automatic answer.

``maild account forward`` and ``maild account reply`` set them; ``lines`` says what is set.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from maild.cli import Exit
from maild.cli._opened import mailbox_named
from maild.locale import Translator
from maild.mail.address import lenient
from maild.store import Account, AutoReply, Forward, Store

MICRO = 1_000_000
DAY_SECONDS = 24 * 3600


def register(commands: Any) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Adds both commands and returns their parsers."""
    forward: argparse.ArgumentParser = commands.add_parser(
        "forward", help="send copies of a mailbox's mail to other addresses"
    )
    to = forward.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", action="append", metavar="ADDRESS", help="where copies go; may be given several times")
    to.add_argument("--off", action="store_true", help="end it")
    forward.add_argument("--no-copy", action="store_true", help="keep no copy here")
    reply: argparse.ArgumentParser = commands.add_parser(
        "reply", help="answer a mailbox's mail automatically; the text comes from standard input"
    )
    reply.add_argument("--subject", default="", help="subject of the answer; without it, that of the mail")
    reply.add_argument("--from", dest="first", type=day, metavar="DATE", help="first day, as 2026-12-24")
    reply.add_argument("--until", dest="last", type=day, metavar="DATE", help="last day, as 2026-12-31")
    reply.add_argument("--days", type=count, default=7, help="days until the same sender gets another answer (7)")
    reply.add_argument("--off", action="store_true", help="end it")
    return forward, reply


def day(text: str) -> dt.date:
    """A day as people write it; ValueError for none."""
    return dt.date.fromisoformat(text)


def count(text: str) -> int:
    """A number of days, one at least; ValueError for less."""
    if (days := int(text)) < 1:
        raise ValueError(text)
    return days


async def forward(args: argparse.Namespace, store: Store, _: Translator) -> int:
    """Sets or ends the copies; raises ``NotAnAddress`` for what mail could not be sent to."""
    account = await mailbox_named(store, args.address)
    wanted = None if args.off else Forward(targets=tuple(args.to), keep=not args.no_copy)
    await store.directory.save_account(replace(account, forward=wanted))
    return Exit.OK


async def reply(args: argparse.Namespace, store: Store, _: Translator) -> int:
    """Sets or ends the answer."""
    account = await mailbox_named(store, args.address)
    text = "" if args.off else sys.stdin.read().strip()
    if not args.off and not text:
        print("maild:", _("The text of the answer is empty. Give it on standard input."), file=sys.stderr)
        return Exit.NO
    wanted = AutoReply(
        subject=args.subject,
        text=text,
        starts_at=_begin(args.first),
        ends_at=_begin(args.last + dt.timedelta(days=1)) if args.last else None,
        period_seconds=args.days * DAY_SECONDS,
    )
    await store.directory.save_account(replace(account, reply=None if args.off else wanted))
    return Exit.OK


def lines(account: Account, _: Translator) -> Iterator[str]:
    """What is set, in a line each."""
    if account.forward is not None:
        targets = ", ".join(_shown(target) for target in account.forward.targets)
        kept = _("forwarded to {targets}, a copy stays here", targets=targets)
        yield kept if account.forward.keep else _("forwarded to {targets}, no copy stays here", targets=targets)
    if account.reply is not None:
        first, last = _day(account.reply.starts_at), _day(account.reply.ends_at, before=True)
        yield _("answered automatically ({first} to {last})", first=first, last=last)


def _begin(date: dt.date | None) -> int | None:
    """The beginning of a day by the server's clock, in microseconds."""
    if date is None:
        return None
    return int(dt.datetime.combine(date, dt.time()).astimezone().timestamp()) * MICRO


def _day(at: int | None, *, before: bool = False) -> str:
    """The day of a time, or the one that ended then."""
    if at is None:
        return "..."
    seconds = at / MICRO - (1 if before else 0)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone():%Y-%m-%d}"


def _shown(text: str) -> str:
    address = lenient(text)
    return text if address is None else address.unicode
