from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model import commandline


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ('"C:\\Program Files\\x.exe" --a "b c"', ["C:\\Program Files\\x.exe", "--a", "b c"]),
        ("x.exe C:\\dir\\ y", ["x.exe", "C:\\dir\\", "y"]),
        ('x.exe "C:\\dir\\\\" y', ["x.exe", "C:\\dir\\", "y"]),
        ('x.exe a\\\\\\"b', ["x.exe", 'a\\"b']),
        ('x.exe ""', ["x.exe", ""]),
        ("x.exe\t한글", ["x.exe", "한글"]),
        ("", []),
    ],
)
def test_lines_are_split_as_windows_splits_them(line: str, arguments: list[str]):
    assert commandline.split(line) == arguments


@given(st.lists(st.text(alphabet='ab "\\\t한=/', max_size=12), max_size=6))
def test_what_was_joined_is_split_into_the_same_arguments(arguments: list[str]):
    assert commandline.split(commandline.join(arguments)) == arguments


@given(st.text(alphabet='ab "\\', max_size=40))
def test_every_line_can_be_split(line: str):
    assert all(isinstance(argument, str) for argument in commandline.split(line))
