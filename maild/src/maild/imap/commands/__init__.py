"""The command table: each module has the commands of one concern."""

from __future__ import annotations

from collections.abc import Mapping

from maild.imap.commands import (
    any_state,
    append,
    fetch,
    flags,
    idle,
    listing,
    login,
    moving,
    naming,
    quota,
    rights,
    search,
    select,
    sort,
    status,
)
from maild.imap.session import Command

_MODULES = (
    any_state,
    login,
    naming,
    listing,
    status,
    select,
    fetch,
    flags,
    search,
    sort,
    moving,
    append,
    idle,
    quota,
    rights,
)
COMMANDS: Mapping[bytes, Command] = {name: row for module in _MODULES for name, row in module.COMMANDS.items()}
