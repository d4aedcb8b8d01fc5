"""Uploads and downloads in pieces: each within an envelope, in order, checked by hash."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_winrm.errors import HostError, LostSessionError
from pyinfra_winrm.protocol import encode_chunk
from pyinfra_winrm.transport import LARGEST_SEND
from pyinfra_winrm.upload import CHUNK, LINES, PIECE, download, upload
from tests.lib.scriptedhost import ScriptedHost

# Bytes of an envelope around the data of a Send; MaxEnvelopeSizekb counts them too.
AROUND = 4000
LARGEST_ENVELOPE = 500 * 1024


class Disk:
    """A host with one file on it."""

    def __init__(self, content: bytes = b"", damaged: bool = False) -> None:
        self.content = content
        self.arrived = b""
        self.damaged = damaged
        self.host = ScriptedHost(self.answer)

    def answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        match request["verb"]:
            case "upload.begin":
                self.arrived = b""
                return {}
            case "upload.chunk":
                self.arrived += base64.b64decode(request["data"])
                return None
            case "upload.end":
                return {"sha256": hashlib.sha256(b"x" if self.damaged else self.arrived).hexdigest()}
            case "download":
                piece = self.content[request["offset"] : request["offset"] + request["length"]]
                return {"data": base64.b64encode(piece).decode(), "size": len(self.content)}
            case _:
                return {}


# Bytes from which on .NET keeps a text with the large objects; a character takes two, the object itself a few.
LARGE_OBJECT = 85_000


def test_the_chunks_of_a_send_fit_one_envelope_of_an_untouched_server() -> None:
    line = encode_chunk(999_999, bytes(CHUNK))
    assert LINES * len(line) <= LARGEST_SEND
    assert 2 * len(line) + 32 < LARGE_OBJECT
    assert len(base64.b64encode(bytes(LARGEST_SEND))) + AROUND < LARGEST_ENVELOPE


@given(st.binary(max_size=100), st.integers(0, 3))
def test_content_arrives_whole_and_in_order(tail: bytes, chunks: int) -> None:
    disk = Disk()
    content = bytes(range(256)) * (CHUNK * LINES // 256) * chunks + tail
    assert upload(disk.host.session(), content, "C:/x") == hashlib.sha256(content).hexdigest()
    assert disk.arrived == content


def test_file_is_uploaded_from_its_path(tmp_path: Path) -> None:
    source = tmp_path / "파일"
    source.write_bytes(b"content")
    disk = Disk()
    upload(disk.host.session(), source, "C:/x")
    assert disk.arrived == b"content"


def test_what_arrived_damaged_is_an_error() -> None:
    with pytest.raises(HostError, match="the upload of C:/x arrived as"):
        upload(Disk(damaged=True).host.session(), b"content", "C:/x")


def test_cut_upload_says_that_the_target_is_as_it_was() -> None:
    disk = Disk()
    disk.host.cut_before.append("upload.chunk")
    with pytest.raises(LostSessionError, match="the upload of C:/x was cut: run again, the target is as it was"):
        upload(disk.host.session(), b"content", "C:/x")


@given(st.binary(max_size=100), st.integers(0, 2))
def test_download_joins_the_pieces(tail: bytes, pieces: int) -> None:
    content = b"y" * PIECE * pieces + tail
    assert b"".join(download(Disk(content).host.session(), "C:/x")) == content


def test_file_that_changes_while_it_is_read_is_an_error() -> None:
    disk = Disk(b"y" * PIECE * 2)
    pieces = download(disk.host.session(), "C:/x")
    next(pieces)
    disk.content = b"y" * PIECE
    with pytest.raises(HostError, match="changed while it was read"):
        list(pieces)
