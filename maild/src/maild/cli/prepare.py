"""``maild prepare``: what has to be there before the daemon starts: a key that wraps DKIM keys, a certificate a name.

Called as a desired state is (``--desired FILE --json``, with ``--dry`` to ask only); the file says ``names``. A name
without a certificate gets a self-signed one, so that the ports open at once; one that is there is never replaced. With
``files`` they come from elsewhere: a TLS folder without one ends in 1, before a daemon starts that could open no port.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path

from maild.certs import pairs
from maild.certs.renewal import State, in_folder, in_place
from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.mail.domain import to_ascii
from maild.settings import Settings
from maild.wrapping import read_wrap_key

FINDINGS = 2


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("prepare", help="make what the daemon needs to start", description=__doc__)
    add_settings(command)
    command.add_argument("--desired", type=Path, required=True, help="file with names, the host names to serve")
    command.add_argument("--json", action="store_true", help="the only form there is")
    command.add_argument("--dry", action="store_true", help="only say what is missing")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Makes or names what is missing."""
    settings = settings_of(args)
    desired = json.loads(args.desired.read_text(encoding="utf-8"))
    names = [to_ascii(name) for name in desired["names"]]
    if desired.get("files") and not any(each.state is State.FINE for each in in_folder(settings)):
        print(
            f"maild: {settings.tls.folder}: no NAME-chain.pem can be read there that has its NAME-key.pem; "
            "put them there, or correct tls.folder",
            file=sys.stderr,
        )
        return Exit.NO
    missing = [name for name in names if not _there(settings, name)]
    changes = [_change("certificate", name) for name in missing]
    if not settings.dkim.wrap_key_file.exists():
        changes.append(_change("key", settings.dkim.wrap_key_file.name))
    if not args.dry:
        read_wrap_key(settings.dkim.wrap_key_file, create=True)
        for name in missing:
            _make(settings.tls.folder, name)
    print(json.dumps({"changes": changes, "not_managed": []}))
    return FINDINGS if changes and args.dry else Exit.OK


def _change(what: str, name: str) -> dict[str, str]:
    return {"object": what, "name": name, "field": "state", "current": "absent", "wanted": "present"}


def _there(settings: Settings, name: str) -> bool:
    return in_place(pairs.Pair(settings.tls.folder, name)) is not None


def _make(folder: Path, host: str) -> None:
    pair = pairs.Pair(folder, host)
    key = pairs.key_of(pair) or pairs.new_key()
    pairs.write(pair, key, pairs.self_signed(key, (host,), dt.datetime.now(dt.UTC)))
