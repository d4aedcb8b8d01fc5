"""Files made from settings: Jinja2 templates of this project, with values written so that TOML reads them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2

from tasks.settings.names import ascii_name

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
FILES = TEMPLATES.parent / "files"


def toml(value: Any) -> str:
    """A text, number, truth value or list as TOML; its strings are written as JSON's are (TOML 1.0, basic strings)."""
    return json.dumps(value, ensure_ascii=False)


def render(template: str, filters: Mapping[str, Callable[[str], str]] = MappingProxyType({}), **values: Any) -> str:
    """The file that ``templates/template`` describes; ``filters`` are its own."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  no page for a browser is made here
    )
    environment.filters |= {"toml": toml, "ascii": ascii_name, **filters}
    return environment.get_template(template).render(**values)
