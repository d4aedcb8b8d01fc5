"""Migrations only add: the release before works on a newer schema."""

from __future__ import annotations

import ast
from pathlib import Path

from maild.store.migrations import versions

ADDS = {"create_table", "create_index", "add_column", "execute", "f"}


def test_no_revision_takes_anything_away() -> None:
    scripts = [path for folder in versions.__path__ for path in Path(folder).glob("[0-9]*.py")]
    assert scripts
    for script in scripts:
        tree = ast.parse(script.read_text(encoding="utf-8"))
        upgrade = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
        used = {
            node.attr
            for node in ast.walk(upgrade)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "op"
        }
        assert used <= ADDS, (script.name, used - ADDS)
