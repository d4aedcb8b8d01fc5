"""Tag lists, the ``name=value; name=value`` of DKIM, ARC and DMARC (RFC 6376 section 3.2)."""

from __future__ import annotations

import base64
import binascii

MAX_TAGS = 64
"""Tags of one list; the standards define at most 14, a header of 1 MB could hold half a million."""

_SPACE = str.maketrans("", "", " \t\r\n")


class TagError(ValueError):
    """The text is no tag list; the message says where."""


def parse(text: str) -> dict[str, str]:
    """Tags by name in order, white space around names and values dropped; a tag that comes twice is an error."""
    tags: dict[str, str] = {}
    parts = text.split(";", MAX_TAGS + 1)
    if len(parts) > MAX_TAGS:
        raise TagError(f"more than {MAX_TAGS} tags")
    for number, part in enumerate(parts):
        name, sign, value = part.partition("=")
        name = name.strip(" \t\r\n")
        if not sign and not name and number == len(parts) - 1:
            break
        if not sign or not (name.isascii() and name.isidentifier()):
            raise TagError(f"tag {number + 1} has no name or no value")
        if name in tags:
            raise TagError(f"{name}= stands there twice")
        tags[name] = value.strip(" \t\r\n")
    return tags


def squeezed(value: str) -> str:
    """A value without the white space that folding may have put into it."""
    return "".join(value.split()) if value.isascii() else value.translate(_SPACE)


def decoded(value: str) -> bytes:
    """The bytes of a base64 value that may be folded."""
    try:
        return base64.b64decode(squeezed(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise TagError("base64 is broken") from error
