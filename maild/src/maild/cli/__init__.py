"""The command ``maild``: one module a command group, each with ``register(subparsers)`` and ``run(args) -> int``.

This module holds what all groups share: the exit statuses, the ``--settings`` option and where the file is looked for.
"""

from __future__ import annotations

import argparse
import os
from enum import IntEnum
from pathlib import Path
from typing import TypeAlias

from maild.locale import Translator
from maild.settings import Settings, load
from maild.settings.language import language_of

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


class RefusedError(Exception):
    """A command cannot do what it was asked; ``text`` is one of the catalogue's, its ``{name}`` taken from ``values``.

    ``detail`` stands behind it as it is.
    """

    def __init__(self, text: str, detail: str = "", /, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.detail = detail
        self.values = values

    def said(self, say: Translator) -> str:
        """The sentence as a translator says it."""
        return f"{say(self.text, **self.values)} {self.detail}".rstrip()


def default_settings() -> Path:
    """The settings file when none is named."""
    return Path(os.environ.get(SETTINGS_VARIABLE, "maild.toml"))


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Gives a command the option ``--settings FILE``."""
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        default=default_settings(),
        help=f"the settings file (default: ${SETTINGS_VARIABLE}, or maild.toml in this folder)",
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that ``--settings`` names."""
    return load(args.settings)


def language(settings: Path) -> str:
    """The language of the settings, whether they can be used or not; that of the locale without any."""
    return language_of(settings, os.environ)
