from __future__ import annotations

import base64

import pytest

from lab.faults import Fault, Gate, request_verbs
from lab.wsman import soap
from lab.wsman.server import CutError
from pyinfra_winrm.protocol import encode_chunk, encode_request


def send(*lines: bytes) -> soap.Request:
    stream = base64.b64encode(b"".join(lines)).decode()
    body = soap.parse(
        f'<s:Body xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:rsp="{soap.SHELL[1:-1]}">'
        f'<rsp:Send><rsp:Stream Name="stdin">{stream}</rsp:Stream></rsp:Send></s:Body>'
    )
    return soap.Request(f"{soap.SHELL_ACTION}/Send", "", "", 1, 1, {}, {}, body)


READ, APPLY = send(encode_request(1, "read", {})), send(encode_request(2, "apply", {}))
CHUNK = send(encode_chunk(0, b"data"))


def gate() -> Gate:
    return Gate(lambda _: None, lambda _: None)


def test_the_verbs_of_a_send_are_seen():
    both = send(encode_request(1, "load", {}), encode_request(2, "read", {}))
    assert request_verbs(both) == ["send", "load", "read"]
    assert request_verbs(CHUNK) == ["send", "upload.chunk"]
    assert request_verbs(send(b"\xff\xfe nonsense\n")) == ["send"]


def test_a_cut_waits_for_its_verb_and_happens_so_often():
    made = gate()
    made.add(Fault("cut", verb="apply", after=1, times=2))
    made.before(READ)
    made.before(APPLY)
    for _ in range(2):
        with pytest.raises(CutError):
            made.before(APPLY)
    made.before(APPLY)


@pytest.mark.parametrize("request_", [APPLY, CHUNK])
def test_a_change_is_an_apply_or_an_upload(request_: soap.Request):
    made = gate()
    made.add(Fault("cut", verb="change"))
    made.before(READ)
    with pytest.raises(CutError):
        made.before(request_)


def test_a_cut_after_the_effect_lets_the_request_through_and_no_answer_out():
    made = gate()
    made.add(Fault("cut-after", verb="apply"))
    made.before(APPLY)
    assert made.after(APPLY, b"") == 0.0
    assert made.after(APPLY, b"") == 1.0


def test_a_host_that_is_down_admits_nobody_until_it_is_back():
    made = gate()
    made.add(Fault("down", seconds=60))
    assert not made.admit()
    made.clear()
    assert made.admit()


def test_a_stall_is_told_once_to_the_program_behind():
    made = gate()
    made.add(Fault("stall", verb="read", seconds=7))
    made.before(READ)
    assert [made.stall(), made.stall()] == [7, 0]
