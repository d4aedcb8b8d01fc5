"""``maild handover``: a backup under the name that the one who fetches it has given.

Called as a desired state is (``--desired FILE --json``, with ``--dry`` to ask); the file says ``folder``, ``name``,
``recipient``, the age public key or null for one that is not encrypted, and ``keep``: so many stay of those whose names
begin alike, up to the last dash. A backup of that name is never made twice.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from maild.backup import BackupError, Places, create, release
from maild.cli import Exit, RefusedError, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.settings import Settings

FINDINGS = 2


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("handover", help="make a backup for somebody to fetch", description=__doc__)
    add_settings(command)
    command.add_argument("--desired", type=Path, required=True, help="file with folder, name, recipient and keep")
    command.add_argument("--json", action="store_true", help="the only form there is")
    command.add_argument("--dry", action="store_true", help="only say whether it is there")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Makes it unless it is there."""
    settings = settings_of(args)
    desired = json.loads(args.desired.read_text(encoding="utf-8"))
    target = Path(desired["folder"]) / desired["name"]
    missing = not target.is_file()
    if missing and not args.dry:
        try:
            status = finish(lambda: _create(args.settings, settings, target, desired["recipient"]))
        except BackupError as error:
            raise RefusedError(error.text, **error.values) from error
        if status != Exit.OK:
            return status
        _forget(target, desired["keep"])
        release(target.parent)
    change = {"object": "backup", "name": target.name, "field": "state", "current": "absent", "wanted": "present"}
    print(json.dumps({"changes": [change] if missing else [], "not_managed": []}))
    return FINDINGS if missing and args.dry else Exit.OK


async def _create(settings_file: Path, settings: Settings, target: Path, recipient: str | None) -> int:
    """The name is given when the whole file is there."""
    places = Places.of(settings_file, settings)
    async with opened(settings, migrate=False) as store:
        made = await create(store, places, target.parent, recipient, settings.hostname, whole=True)
    made.file.replace(target)
    return Exit.OK


def _forget(target: Path, keep: int) -> None:
    """Removes the oldest of its series; their names end with the time."""
    series = target.name.rpartition("-")[0]
    for file in sorted(target.parent.glob(f"{series}-*"), reverse=True)[keep:]:
        file.unlink(missing_ok=True)
