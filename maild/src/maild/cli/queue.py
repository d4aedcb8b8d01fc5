"""``maild queue list|show|retry|hold|release|drop|suppress``: outgoing mail; a running daemon follows in a second."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import opened
from maild.cli._times import local
from maild.locale import Translator, translator
from maild.store import QueueItem, RecipientState, Store

PAGE = 500
"""Rows read at once."""
_STATES = {
    RecipientState.WAITING: "waits",
    RecipientState.DELIVERED: "delivered",
    RecipientState.FAILED: "failed",
}


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("queue", help="show and change outgoing mail", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="what waits, by destination")
    listed.add_argument("--destination", help="its messages instead, such as mx:example.org")
    shown = commands.add_parser("show", help="one message, its recipients and what was last said of them")
    shown.add_argument("id", type=int)
    for parser in (listed, shown):
        parser.add_argument("--json", action="store_true", help="a JSON value a line")
    _add_changes(commands)
    suppressed = commands.add_parser("suppress", help="addresses that lists, reports and notices do not write to")
    suppressed.add_argument("address", nargs="?", help="add this one; without it, the list is shown")
    suppressed.add_argument("--reason", default="by the administrator")
    suppressed.add_argument("--remove", action="store_true", help="take it off the list")
    for name, parser in (("list", listed), ("show", shown), ("suppress", suppressed)):
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def _add_changes(commands: Subparsers) -> None:
    helps = {
        "retry": "try again now",
        "hold": "keep back until released",
        "release": "let go what was held back",
        "drop": "remove without telling the sender",
    }
    for name, text in helps.items():
        parser = commands.add_parser(name, help=text)
        parser.add_argument("id", type=int, nargs="*", help="the messages")
        parser.add_argument("--destination", help="all messages of a destination")
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    say = translator(settings.language)
    async with opened(settings, migrate=False) as store:
        if args.command == "list":
            return await (_messages(store, args, say) if args.destination else _destinations(store, args, say))
        if args.command == "show":
            return await _show(store, args, say)
        if args.command == "suppress":
            return await _suppress(store, args, say)
        return await _change(store, args, say)


async def _destinations(store: Store, args: argparse.Namespace, say: Translator) -> int:
    after, waiting = "", False
    while rows := await store.queue.destinations(after=after, limit=PAGE):
        for row in rows:
            waiting = waiting or row.waiting > 0
            if args.json:
                print(json.dumps(asdict(row), ensure_ascii=False))
            elif row.waiting:
                state = say("held back") if row.held else local(row.due_at) if row.failures else say("being sent")
                print(f"{row.waiting:7} {row.name}\t{state}\t{row.reply}".rstrip())
        after = rows[-1].name
    if not waiting:
        print(say("No mail waits to go out."), file=sys.stderr)
    return Exit.OK


async def _messages(store: Store, args: argparse.Namespace, say: Translator) -> int:
    for item in await _of_destination(store, args.destination):
        if args.json:
            print(json.dumps(_plain(item), ensure_ascii=False))
        else:
            recipients = ", ".join(row.address for row in item.recipients)
            state = say("held back") if item.held else local(item.next_at)
            print(f"{item.id}\t{local(item.created_at)}\t{item.size}\t<{item.sender}> -> {recipients}\t{state}")
    return Exit.OK


async def _show(store: Store, args: argparse.Namespace, say: Translator) -> int:
    item = await store.queue.item(args.id)
    if item is None:
        print("maild:", say("There is no message {id} in the queue.", id=args.id), file=sys.stderr)
        return Exit.NO
    if args.json:
        print(json.dumps(_plain(item), ensure_ascii=False))
        return Exit.OK
    lines = [
        (say("Number"), str(item.id)),
        (say("Sender"), f"<{item.sender}>"),
        (say("Destination"), item.destination),
        (say("Bytes"), str(item.size)),
        (say("Received"), local(item.created_at)),
        (say("Attempts"), str(item.attempts)),
        (say("Next attempt"), say("held back") if item.held else local(item.next_at)),
        (say("Given up"), local(item.expires_at)),
    ]
    for name, text in lines:
        print(f"{name}: {text}")
    for row in item.recipients:
        print(f"  {row.address}\t{say(_STATES[row.state])}\t{row.remote}\t{row.reply}".rstrip())
    return Exit.OK


async def _change(store: Store, args: argparse.Namespace, say: Translator) -> int:
    queue = store.queue
    ids: list[int] = args.id
    if args.destination:
        ids = [*ids, *(item.id for item in await _of_destination(store, args.destination))]
    if not ids:
        print("maild:", say("Name the messages, or a --destination."), file=sys.stderr)
        return Exit.USAGE
    if args.command == "retry":
        count = await queue.retry(ids)
    elif args.command == "drop":
        count = await queue.drop(ids)
        left = [str(item_id) for item_id in ids if await queue.item(item_id) is not None]
        if left:
            said = say("Left, because they are being sent at this moment: {numbers}", numbers=", ".join(left))
            print("maild:", said, file=sys.stderr)
    else:
        count = await queue.hold(ids, on=args.command == "hold")
    print(count)
    return Exit.OK if count else Exit.NO


async def _suppress(store: Store, args: argparse.Namespace, say: Translator) -> int:
    if args.address is None:
        for address, reason, until in await store.queue.suppressions():
            print(f"{address}\t{say('for good') if until is None else local(until)}\t{reason}")
        return Exit.OK
    if args.remove:
        return Exit.OK if await store.queue.unsuppress(args.address) else Exit.NO
    await store.queue.suppress(args.address, args.reason)
    return Exit.OK


async def _of_destination(store: Store, destination: str) -> list[QueueItem]:
    found: list[QueueItem] = []
    while rows := await store.queue.items(destination=destination, after=found[-1].id if found else 0, limit=PAGE):
        found += rows
    return found


def _plain(item: QueueItem) -> dict[str, object]:
    return asdict(item) | {"blob_id": item.blob_id.hex()}
