"""The lines between connector and host."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_winrm.protocol import (
    ERROR_CODES,
    LONGEST_LINE,
    ProtocolError,
    ReplyReader,
    decode_reply,
    decode_request,
    decode_state,
    encode_chunk,
    encode_reply,
    encode_request,
)
from pyinfra_winrm.resource import Absent, Present, Unknown
from pyinfra_winrm.secret import MASK, Secret

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(number=st.integers(0, 2**31), fields=st.dictionaries(st.text(), TREES))
def test_request_comes_out_as_it_went_in(number: int, fields: dict[str, Any]) -> None:
    fields = {key: value for key, value in fields.items() if key not in {"id", "verb"}}
    line = encode_request(number, "read", fields)
    assert line.endswith(b"\r\n")
    assert b"\n" not in line[:-2]
    assert line.isascii()
    assert decode_request(line) == {"id": number, "verb": "read", **fields}


@given(number=st.integers(0, 2**31), data=st.binary())
def test_chunk_comes_out_as_it_went_in(number: int, data: bytes) -> None:
    request = decode_request(encode_chunk(number, data))
    assert (request["verb"], request["number"]) == ("upload.chunk", number)
    assert base64.b64decode(request["data"]) == data


@given(st.binary(max_size=200))
def test_damaged_lines_raise_only_their_own_error(line: bytes) -> None:
    for decode in (decode_request, decode_reply):
        with contextlib.suppress(ProtocolError):
            decode(line)


@given(
    replies=st.lists(st.tuples(st.integers(0, 99), st.text()), max_size=5),
    noise=st.lists(
        st.sampled_from([b"WARNING: x\r\n", "안녕".encode("cp949") + b"\n", b"\0\0\r\n", b"no line end: "]), max_size=5
    ),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    draw=st.randoms(use_true_random=False),
)
def test_replies_are_found_however_the_output_is_cut(
    replies: list[tuple[int, str]], noise: list[bytes], cuts: list[int], draw: Any
) -> None:
    parts = [encode_reply(number, {"ok": True, "text": text}) for number, text in replies]
    for line in noise:
        parts.insert(draw.randint(0, len(parts)), line)
    wanted = [number for part in parts if part.startswith(b"@@") for number in [int(part.split()[1])]]
    stream = b"".join(parts)
    reader = ReplyReader()
    found = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        found += list(reader.feed(stream[start:end]))
    assert [reply.id for reply in found] == wanted


def test_failure_has_a_code_a_sentence_and_what_it_is_about() -> None:
    error = {"code": "sharing-violation", "message": "held by PID 4", "what": "C:\\x"}
    failure = decode_reply(encode_reply(4, {"ok": False, "error": error})).failure
    assert failure is not None
    assert (failure.code, failure.message, failure.what) == ("sharing-violation", "held by PID 4", "C:\\x")
    odd = decode_reply(encode_reply(4, {"ok": False, "error": {"code": "invented"}})).failure
    assert odd is not None
    assert odd.code == "other"
    assert "other" in ERROR_CODES
    bare = decode_reply(encode_reply(4, {"ok": False})).failure
    assert bare is not None
    assert bare.message


def test_line_that_never_ends_is_refused() -> None:
    reader = ReplyReader()
    with pytest.raises(ProtocolError, match="a line of more than"):
        list(reader.feed(b"x" * (LONGEST_LINE + 1)))


def test_states() -> None:
    assert decode_state({"state": "present", "value": {"a": 1}}) == Present({"a": 1})
    assert decode_state({"state": "absent"}) == Absent()
    assert decode_state({"state": "unknown", "reason": "MySQL is down"}) == Unknown("MySQL is down")
    for damaged in ({"state": "present"}, {"state": "there"}, {}, None, [], "absent"):
        with pytest.raises(ProtocolError):
            decode_state(damaged)


def test_secret_shows_itself_only_in_a_request() -> None:
    secret = Secret("hunter2 비밀")
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {secret:>12}"
    assert "hunter2" not in shown
    assert MASK in shown
    request = decode_request(encode_request(1, "apply", {"desired": {"password": secret}}))
    assert request["desired"]["password"] == "hunter2 비밀"
    assert copy.deepcopy({"p": secret})["p"] is secret
    assert (secret == Secret("hunter2 비밀"), secret == "hunter2 비밀") == (True, False)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
