"""SASLprep (RFC 4013): the one form of a password that two sides of a SCRAM exchange must agree on.

A text that the profile prohibits, or that holds characters younger than its Unicode 3.2, has no such form. Pure.
"""

from __future__ import annotations

import stringprep
import unicodedata
from collections.abc import Callable

_PROHIBITED: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class SASLprepError(ValueError):
    """The text has no prepared form."""


def prepared(text: str) -> str:
    """The form to hash, as a stored string (RFC 5802 section 2.2)."""
    mapped = "".join(
        " " if stringprep.in_table_c12(each) else each for each in text if not stringprep.in_table_b1(each)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if any(check(each) for each in normal for check in _PROHIBITED):
        raise SASLprepError("a character is prohibited or not assigned")
    right = [stringprep.in_table_d1(each) for each in normal]
    if any(right) and (not right[0] or not right[-1] or any(map(stringprep.in_table_d2, normal))):
        raise SASLprepError("directions of writing are mixed")
    return normal
