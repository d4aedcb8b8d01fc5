"""Secrets in rows: they open as what they were wrapped for, and with the key file they were wrapped by, alone."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.wrapping import WrappingError, read_wrap_key, unwrap, wrap

KEY = bytes(range(32))


@given(st.binary(max_size=100), st.text(max_size=30))
def test_a_secret_opens_as_itself_alone(secret: bytes, purpose: str) -> None:
    wrapped = wrap(secret, KEY, purpose)
    assert unwrap(wrapped, KEY, purpose) == secret
    assert wrap(secret, KEY, purpose) != wrapped
    wrongs = [
        (wrapped, KEY, purpose + "x"),
        (wrapped, bytes(32), purpose),
        (wrapped, b"", purpose),
        (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), KEY, purpose),
        (b"\x09" + wrapped[1:], KEY, purpose),
        (b"\x01", KEY, purpose),
        (b"", KEY, purpose),
    ]
    for row, key, other in wrongs:
        with pytest.raises(WrappingError):
            unwrap(row, key, other)


def test_rows_written_before_open_still() -> None:
    row = base64.b64decode("AQABAgMEBQYHCAkKCzRntWmgkRXCqMbIPDH+DOPm/KOjRe4=")
    assert unwrap(row, KEY, "srs") == b"secret"


def test_the_wrap_key_file_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "wrap.key"
    made = read_wrap_key(path, create=True)
    assert len(made) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_wrap_key(path, create=True) == made == read_wrap_key(path)


def test_a_bad_wrap_key_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrap.key"
    with pytest.raises(WrappingError, match="cannot be read"):
        read_wrap_key(path)
    for content in (b"***", base64.b64encode(b"short")):
        path.write_bytes(content)
        with pytest.raises(WrappingError, match="wrap key"):
            read_wrap_key(path)
