"""What is re-encoded for a next hop, and what is left as it came."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.delivery.transfer_encoding import MAX_LINE, fitting

KOREAN = "회의는 세 시입니다.\r\n"
PLAIN = b"From: id@example.kr\r\nSubject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
LONG = b"<p>" + b"x" * 3000 + b"</p>\r\n"


def part_of(message: bytes, *path: int) -> EmailMessage:
    found = email.message_from_bytes(message, policy=email.policy.SMTP)
    for number in path:
        found = found.get_payload(number)  # type: ignore[assignment]
    assert isinstance(found, EmailMessage)
    return found


def content(message: bytes, *path: int) -> bytes:
    found = part_of(message, *path).get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def longest(message: bytes) -> int:
    return max(len(line.removesuffix(b"\r")) for line in message.split(b"\n"))


@pytest.mark.parametrize("text", [KOREAN, "caf\u00e9 " * 40 + "\r\n"])
def test_eight_bits_become_seven_and_mean_the_same(text: str) -> None:
    message = PLAIN + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + text.encode()
    sent = fitting(message, eight_bit=False)
    assert sent.isascii()
    assert content(sent) == text.encode()
    assert fitting(message, eight_bit=True) is message


def test_lines_that_are_too_long_are_encoded_and_not_cut() -> None:
    message = PLAIN + b"\r\n" + LONG
    sent = fitting(message, eight_bit=True)
    assert longest(sent) <= MAX_LINE
    assert content(sent) == LONG


def test_line_of_just_the_limit_is_left_as_it_is() -> None:
    for ending in (b"", b"\r\n", b"\r\nshort\r\n"):
        message = PLAIN + b"\r\n" + b"y" * MAX_LINE + ending
        assert fitting(message, eight_bit=True) is message


@pytest.mark.parametrize(
    ("encoding", "body", "means"),
    [
        (b"base64", b"aGVsbG8g" * 400, b"hello " * 400),
        (b"quoted-printable", b"=EC=95=88=0A=0D=0A" * 100, "안\n\r\n".encode() * 100),
    ],
)
def test_encoded_part_of_one_long_line_keeps_its_content_and_encoding(
    encoding: bytes, body: bytes, means: bytes
) -> None:
    message = PLAIN + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body
    sent = fitting(message, eight_bit=True)
    assert longest(sent) <= MAX_LINE
    assert content(sent) == means


def test_message_that_is_not_mime_becomes_mime_when_it_is_encoded() -> None:
    message = b"From: id@example.kr\r\nSubject: a\r\n\r\n" + LONG
    sent = fitting(message, eight_bit=True)
    assert part_of(sent)["MIME-Version"] == "1.0"
    assert content(sent) == LONG


MIXED = (
    b"From: id@example.kr\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
    b"--o\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%b"
    b'--o\r\nContent-Type: multipart/signed; protocol="application/pgp-signature"; boundary=i\r\n\r\n'
    b"--i\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%b"
    b"--i\r\nContent-Type: application/pgp-signature\r\n\r\nsignature\r\n--i--\r\n--o--\r\n"
) % (KOREAN.encode(), KOREAN.encode() + LONG)


@pytest.mark.parametrize("eight_bit", [True, False])
def test_signed_part_stays_byte_for_byte_and_the_others_are_encoded(eight_bit: bool) -> None:
    sent = fitting(MIXED, eight_bit=eight_bit)
    signed = MIXED[MIXED.index(b"--o\r\nContent-Type: multipart/signed") :]
    assert sent.endswith(signed)
    assert part_of(sent, 0)["Content-Transfer-Encoding"] == ("8bit" if eight_bit else "base64")
    # The line break before a boundary belongs to the boundary.
    assert content(sent, 0) == KOREAN.rstrip().encode()


def test_message_signed_as_a_whole_is_left_alone() -> None:
    message = (
        b"From: id@example.kr\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=i\r\n\r\n"
        b"--i\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%b\r\n--i--\r\n"
    ) % KOREAN.encode()
    assert fitting(message, eight_bit=False) == message


@given(st.binary(max_size=400), st.sampled_from([b"text/plain", b"image/png", b"multipart/mixed; boundary=b"]))
def test_any_body_fits_afterwards_or_is_signed(body: bytes, kind: bytes) -> None:
    message = b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n" + body * 7
    sent = fitting(message, eight_bit=False)
    if not kind.startswith(b"multipart"):
        assert sent.isascii()
        assert longest(sent) <= MAX_LINE
