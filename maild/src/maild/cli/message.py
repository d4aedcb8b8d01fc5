"""``maild message show|import|export``: a message in words; messages from files into a mailbox, and out of one.

``import`` takes .eml files, folders of them, Maildirs and mbox files, so mail of another server can be taken over.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
from pathlib import Path

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli import _mailfiles as mailfiles
from maild.cli._opened import finish, opened
from maild.locale import Translator, translator
from maild.mail import content, dates, header, media, structure
from maild.mail.address import Address, AddressError
from maild.mail.structure import Part
from maild.store import Delivery, Incoming, Mailbox, Store, new_id

SHOWN_FIELDS = ("From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "List-Id")
AT_ONCE = 32
"""Messages that are stored at once."""
PAGE = 200
"""Messages whose rows are read at once."""
_UNSAFE_NAME = re.compile(r'[<>:"\\|?*\x00-\x1f]|\.\.')


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("message", help="show, import and export messages", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    shown = commands.add_parser("show", help="say what a message file holds, encodings undone")
    shown.add_argument("file", help="the file, - for standard input")
    taken = commands.add_parser("import", help="put messages from files into a mailbox")
    taken.add_argument("address", help="whose mailbox")
    taken.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=".eml, folder, Maildir or mbox")
    taken.add_argument("--mailbox", default="INBOX", help="its name (INBOX); it is made when it is not there")
    given = commands.add_parser("export", help="write the messages of an account as .eml files")
    given.add_argument("address", help="whose mail")
    given.add_argument("folder", type=Path, help="where to; a folder a mailbox")
    given.add_argument("--mailbox", help="only this one")
    for name, parser in (("show", shown), ("import", taken), ("export", given)):
        add_settings(parser)
        parser.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    if args.command == "show":
        return _show(args)
    settings = settings_of(args)
    say = translator(args.language or settings.language)

    async def command() -> int:
        async with opened(settings) as store:
            account_id = await _account(store, args.address)
            if account_id is None:
                print(f"maild: {say('There is no account {address}', address=args.address)}", file=sys.stderr)
                return Exit.NO
            work = _import if args.command == "import" else _export
            return await work(args, store, account_id, say)

    try:
        return finish(command)
    except OSError as error:
        print(f"maild: {error.filename}: {error.strerror}", file=sys.stderr)
        return Exit.NO


async def _account(store: Store, text: str) -> int | None:
    try:
        address = Address.parse(text)
    except AddressError:
        return None
    account = await store.directory.account_named(address.local, address.domain)
    return account.id if account else None


async def _import(args: argparse.Namespace, store: Store, account_id: int, say: Translator) -> int:
    mailbox = await store.mailboxes.named(account_id, args.mailbox)
    if mailbox is None:
        mailbox = await store.mailboxes.create(account_id, args.mailbox)
    count = 0
    found = (each for path in args.paths for each in mailfiles.read(path))
    while batch := list(itertools.islice(found, AT_ONCE)):
        # In one go, so that they share commits; UIDs follow the order of the files.
        await asyncio.gather(*(store.accept(_incoming(each, mailbox)) for each in batch))
        count += len(batch)
    print(say("{count} messages are now in {mailbox}", count=count, mailbox=args.mailbox))
    return Exit.OK


def _incoming(found: mailfiles.Found, mailbox: Mailbox) -> Incoming:
    delivery = Delivery(mailbox_id=mailbox.id, flags=found.flags)
    return Incoming(id=new_id(), body=found.data, deliveries=(delivery,), internal_at=dates.micros(found.received))


async def _export(args: argparse.Namespace, store: Store, account_id: int, say: Translator) -> int:
    mailboxes = [each for each in await store.mailboxes.of(account_id) if args.mailbox in {None, each.name}]
    count = 0
    for mailbox in mailboxes:
        count += await _export_one(store, mailbox, args.folder)
    print(say("{count} messages are now in {folder}", count=count, folder=args.folder))
    return Exit.OK


async def _export_one(store: Store, mailbox: Mailbox, folder: Path) -> int:
    target = folder.joinpath(*(_UNSAFE_NAME.sub("_", level) for level in mailbox.name.split("/")))
    target.mkdir(parents=True, exist_ok=True)
    count, first = 0, 1
    while rows := await store.messages.range(mailbox.id, first, mailbox.uidnext, PAGE):
        for row in rows:
            with (target / f"{row.uid:08}.eml").open("wb") as file:
                async for piece in store.messages.chunks(row.blob_id):
                    file.write(piece)
        count, first = count + len(rows), rows[-1].uid + 1
    return count


def _show(args: argparse.Namespace) -> int:
    say = translator(args.language or "en")
    try:
        data = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    except OSError as error:
        print(f"maild: {args.file}: {error.strerror or error}", file=sys.stderr)
        return Exit.NO
    found = structure.scan(data)
    wanted = {name.encode().lower() for name in SHOWN_FIELDS}
    for field in header.fields(data):
        if field.key in wanted:
            print(f"{field.name.decode()}: {field.text}")
    for number, hop in enumerate(reversed(header.values(data, "Received")), 1):
        print(say("hop {number}: {text}", number=number, text=" ".join(hop.decode("utf-8", "replace").split())))
    print()
    for part in found.parts[1:]:
        print(_part_line(data, part, say))
    preview = content.preview(data, found.parts)
    if preview:
        print(f"\n{preview}")
    return Exit.OK


def _part_line(data: bytes, part: Part, say: Translator) -> str:
    kind = content.type_of(data, part)
    fields = {field.key: field.value for field in header.fields(data, part.start, part.body)}
    name = media.text(fields.get(b"content-disposition", b""), "filename") or media.text(
        fields.get(b"content-type", b""), "name"
    )
    charset = kind.parameter(b"charset").decode("ascii", "replace")
    size = say("{count} octets", count=part.end - part.body)
    shown = [
        f"{kind.type.decode()}/{kind.subtype.decode()}",
        charset,
        content.encoding_of(data, part),
        size,
        name or "",
    ]
    return f"{part.path:8} " + ", ".join(filter(None, shown))
