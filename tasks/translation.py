"""The bundle's own messages in the reader's language, from the catalogues beside this module (gettext's ``.po``).

The catalogue is read as it is committed, so nothing has to be compiled before a first run. A message that a catalogue
lacks is shown in English.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).with_name("locale")

Translate = Callable[[str], str]


@lru_cache(maxsize=4)
def catalogue(language: str) -> dict[str, str]:
    """Message and translation; empty for English, which the messages are written in."""
    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return {}
    with path.open("rb") as stream:
        messages = read_po(stream, locale=language)
    return {str(each.id): str(each.string) for each in messages if each.id and each.string and not each.fuzzy}


def language_of(data: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> str:
    """The language to speak when the settings cannot be used: what they say of it, else that of the locale."""
    if (chosen := data.get("language")) in ("en", "ko"):
        return str(chosen)
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    named = next((environ[name] for name in variables if environ.get(name)), locale.getlocale()[0] or "")
    return "ko" if named.casefold().startswith("ko") else "en"


def marked(text: str) -> str:
    """The text itself, marked as a message for the catalogues; translated where it is shown."""
    return text


ADVICE = marked("{what}; {todo}")


def advice(translate: Translate, what: str, todo: str) -> str:
    """What is wrong and what to do about it, in one line."""
    return translate(ADVICE).format(what=translate(what), todo=translate(todo))


def translator(language: str) -> Translate:
    """The function that code calls ``_``."""
    messages = catalogue(language)
    return lambda text: messages.get(text, text)
