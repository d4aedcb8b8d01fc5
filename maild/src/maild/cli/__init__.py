"""The command ``maild``: one module a command group, each with ``register(subparsers)`` and ``run(args) -> int``.

This module holds what all groups share: the exit statuses, the ``--settings`` option and where the file is looked for.
"""

from __future__ import annotations

import argparse
import os
from enum import IntEnum
from pathlib import Path
from typing import TypeAlias

from maild.settings import Settings, load

# argparse has no public name for what add_subparsers returns.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001

SETTINGS_VARIABLE = "MAILD_SETTINGS"


class Exit(IntEnum):
    """Exit statuses; those above 63 are sysexits.h's, which service managers and monitors know."""

    OK = 0
    NO = 1
    USAGE = 64
    UNAVAILABLE = 69
    CONFIG = 78


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Gives a command the option ``--settings FILE``."""
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        default=Path(os.environ.get(SETTINGS_VARIABLE, "maild.toml")),
        help=f"the settings file (default: ${SETTINGS_VARIABLE}, or maild.toml in this folder)",
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that ``--settings`` names."""
    return load(args.settings)
