"""``maild settings example|check``: the documented settings file, and whether one can be used."""

from __future__ import annotations

import argparse

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.locale import translator
from maild.settings import example


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("settings", help="show or check the settings file", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    shown = commands.add_parser("example", help="print a settings file with every key, its description and default")
    shown.add_argument("--language", choices=["en", "ko"], default="en")
    shown.set_defaults(run=run, command="example")
    checked = commands.add_parser("check", help="say whether the settings file can be used")
    add_settings(checked)
    checked.set_defaults(run=run, command="check")


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    if args.command == "example":
        print(example(args.language), end="")
        return Exit.OK
    settings = settings_of(args)
    say = translator(settings.language)
    count = len(settings.open_listeners)
    shown = say.plural("{count} listener open", "{count} listeners open", count)
    print(f"{args.settings}: {settings.hostname}, {shown}")
    return Exit.OK
