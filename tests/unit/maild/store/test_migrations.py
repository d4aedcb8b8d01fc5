"""Migrations only add, so that the release before works on a newer schema, and each step may be taken again."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from maild.store.migrations import steps, versions

STEPS = "maild.store.migrations.steps"


def test_a_revision_changes_a_schema_by_steps_alone() -> None:
    scripts = [path for folder in versions.__path__ for path in Path(folder).glob("[0-9]*.py")]
    assert scripts
    for script in scripts:
        tree = ast.parse(script.read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert STEPS in imported, script.name
        assert "alembic" not in imported, script.name
        assert not any(isinstance(node, ast.FunctionDef) and node.name == "downgrade" for node in tree.body)


def test_no_step_takes_anything_away() -> None:
    offered = {name for name, value in vars(steps).items() if inspect.isfunction(value)}
    assert all(name.startswith(("create_", "add_")) for name in offered), offered
