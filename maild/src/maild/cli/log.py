"""``maild log``: shows the daemon's log, all of it or the lines of one session, one user, or about TLS."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.locale import translator
from maild.log.search import of_session, of_tls, of_user


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser("log", help="show the log", description=__doc__)
    add_settings(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--session", type=int, metavar="NUMBER", help="the lines of one session")
    which.add_argument("--user", metavar="ADDRESS", help="the lines of a user's sessions, failed logins included")
    which.add_argument("--tls", action="store_true", help="the lines that tell of TLS versions and ciphers")
    parser.add_argument("--date", default=time.strftime("%Y-%m-%d"), metavar="YYYY-MM-DD", help="default: today")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the chosen lines; exit status 1 when there are none."""
    settings = settings_of(args)
    file: Path = settings.logs.folder / f"maild_{args.date}.log"
    try:
        lines = file.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError as error:
        print(f"maild: {file}: {error.strerror}", file=sys.stderr)
        return Exit.NO
    shown = list(_chosen(args, lines))
    for line in shown:
        print(line)
    if not shown:
        say = translator(settings.language)
        print("maild:", say("no such line in {file}", file=file), file=sys.stderr)
    return Exit.OK if shown else Exit.NO


def _chosen(args: argparse.Namespace, lines: list[str]) -> Iterable[str]:
    if args.session is not None:
        return of_session(lines, args.session)
    if args.user:
        return of_user(lines, args.user)
    return of_tls(lines) if args.tls else lines
