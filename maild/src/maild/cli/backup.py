"""``maild backup create|export|verify|restore|list``: encrypted files that this server can be rebuilt from.

``create`` encrypts to an age public key, writes bodies that no pack of the folder holds yet into new packs beside the
backup, and removes what is old. A backup and the folder ``packs`` beside it belong together; ``export`` joins them in
one file, for which no key is needed.
``restore`` needs an empty server; called as a desired state is (``--desired FILE --json``, with ``--dry`` to ask), its
file says ``from`` and ``identity``, the key itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from maild.backup import BackupError, Manifest, Places, copy, create, join, prune, restore, verify
from maild.backup.container import OPEN_SUFFIX, SUFFIX
from maild.cli import Exit, RefusedError, Subparsers, add_settings, language, settings_of
from maild.cli._opened import finish, opened
from maild.cli._times import local
from maild.locale import Translator, translator
from maild.settings import Settings
from maild.store import SchemaState, schema_of

FINDINGS = 2
MIB = 1 << 20


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("backup", help="make and restore backups", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    made = commands.add_parser("create", help="write a backup")
    made.add_argument("--to", type=Path, help="folder of the backups (default: backup_folder of the settings)")
    made.add_argument("--recipient", required=True, help="age public key it is encrypted to (age1...)")
    made.add_argument("--copy-to", type=Path, help="folder or share that gets a copy")
    made.add_argument("--keep-count", type=int, default=14, help="backups kept whatever their age (default: 14)")
    made.add_argument("--keep-days", type=int, default=30, help="days every backup is kept (default: 30)")
    exported = commands.add_parser("export", help="join a backup and its packs in one file")
    exported.add_argument("--from", dest="source", type=Path, required=True, help="the backup, its packs beside it")
    exported.add_argument("--to", type=Path, required=True, help="the file to write")
    listed = commands.add_parser("list", help="the backups of a folder")
    listed.add_argument("--to", type=Path, help="folder of the backups (default: backup_folder of the settings)")
    verified = commands.add_parser("verify", help="read a whole backup and compare every hash")
    restored = commands.add_parser("restore", help="bring a backup onto this empty server")
    restored.add_argument("--desired", type=Path, help="file with from and identity, instead of the two options")
    restored.add_argument("--dry", action="store_true", help="only say whether there is something to restore")
    for parser in (verified, restored):
        parser.add_argument("--from", dest="source", type=Path, help="the backup")
        parser.add_argument("--identity", type=Path, help="age key file that opens it, when it is encrypted")
    parsers = {"create": made, "export": exported, "list": listed, "verify": verified, "restore": restored}
    for name, parser in parsers.items():
        parser.add_argument("--json", action="store_true", help="print a JSON value")
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    try:
        if args.command == "list":
            return _list(args)
        if args.command == "export":
            print(join(args.source, args.to))
            return Exit.OK
        settings = settings_of(args)
        command = {"create": _create, "verify": _verify, "restore": _restore}[args.command]
        return finish(lambda: command(args, settings))
    except BackupError as error:
        raise RefusedError(error.text, **error.values) from error


def _list(args: argparse.Namespace) -> int:
    folder: Path = args.to or settings_of(args).backup_folder
    endings = (Path(SUFFIX).suffix, Path(OPEN_SUFFIX).suffix)  # those made to be fetched have names of their own
    files = sorted(file for file in folder.glob("*") if file.suffix in endings)
    for file in files:
        size = file.stat().st_size
        print(json.dumps({"file": str(file), "size": size}) if args.json else f"{file.name}\t{size / MIB:.1f} MiB")
    if not files:
        _ = translator(language(args.settings))
        print(_("There is no backup in {folder}.", folder=folder), file=sys.stderr)
    return Exit.OK


async def _create(args: argparse.Namespace, settings: Settings) -> int:
    _ = translator(settings.language)
    folder = args.to or settings.backup_folder
    async with opened(settings, migrate=False) as store:
        made = await create(store, Places.of(args.settings, settings), folder, args.recipient, settings.hostname)
    if made.damaged:
        lost = "{count} packs had rotted and were written anew; older backups that need them are incomplete"
        print(f"maild: {_(lost, count=len(made.damaged))}", file=sys.stderr)
    if args.copy_to:
        copy(made.file, args.copy_to)
    for kept in filter(None, (folder, args.copy_to)):
        prune(kept, count=args.keep_count, days=args.keep_days)
    if args.json:
        figures = {"size": made.size, "messages": made.manifest.messages, "packs": made.packs}
        print(json.dumps({"file": str(made.file), **figures, "damaged": made.damaged}))
    else:
        print(_("{file}: {count} messages, {size} MiB", file=made.file, **_figures(made.manifest, made.size)))
    return Exit.OK


async def _verify(args: argparse.Namespace, settings: Settings) -> int:
    _ = translator(settings.language)
    source, identity = _source(args)
    manifest = verify(source, identity)
    if args.json:
        print(json.dumps({"id": manifest.id, "messages": manifest.messages, "created_at": manifest.created_at}))
    else:
        made = local(manifest.created_at)
        print(_("whole; made {time}, {count} messages", time=made, count=manifest.messages))
    return Exit.OK


async def _restore(args: argparse.Namespace, settings: Settings) -> int:
    source, identity = _source(args)
    places = Places.of(args.settings, settings)
    found, _ = await schema_of(settings.database)
    if args.dry and found is SchemaState.MISSING:
        return _say(args, verify(source, identity), changed=True)
    async with opened(settings, migrate=not args.dry) as store:
        done = await restore(store, places, source, identity, apply=not args.dry)
    return _say(args, done.manifest, changed=done.changed)


def _say(args: argparse.Namespace, manifest: Manifest, *, changed: bool) -> int:
    _: Translator = translator(settings_of(args).language)
    change = {"object": "backup", "name": manifest.id, "field": "state", "current": "absent", "wanted": "restored"}
    if args.json:
        print(json.dumps({"changes": [change] if changed else [], "not_managed": []}))
    elif not changed:
        print(_("in step"))
    elif args.dry:
        print(_("would restore {count} messages", count=manifest.messages))
    else:
        print(_("restored {count} messages; queued mail is held, see maild queue list", count=manifest.messages))
    return FINDINGS if changed and args.dry else Exit.OK


def _source(args: argparse.Namespace) -> tuple[Path, str | None]:
    """The backup, and the text of the key that opens it when it is encrypted."""
    try:
        if getattr(args, "desired", None) is not None:
            desired = json.loads(args.desired.read_text(encoding="utf-8"))
            return Path(desired["from"]), desired["identity"]
        if args.source is None:
            raise RefusedError("name the backup, and the key that opens it: --from FILE --identity FILE")
        return args.source, args.identity.read_text(encoding="utf-8") if args.identity else None
    except OSError as error:
        raise BackupError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{args.desired}: it needs from and identity") from error


def _figures(manifest: Manifest, size: int) -> dict[str, object]:
    return {"count": manifest.messages, "size": f"{size / MIB:.1f}"}
