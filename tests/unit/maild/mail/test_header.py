from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import charset, header, words

DATA = Path("tests/data/mail")


def read(name: str) -> bytes:
    return (DATA / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "subject", "sender"),
    [
        ("korean-euckr-attachment.eml", "주문하신 상품이 발송되었습니다", "홍길동 <gildong@example.co.kr>"),
        ("korean-cp949-raw-header.eml", "펲시콜라 행사 안내", "똠방각하 <ttom@example.co.kr>"),
        ("korean-iso2022kr.eml", "제목", "old@example.co.kr"),
        ("korean-utf8-eai.eml", "국제화 전자우편", "주문 <주문@테스트.net>"),
    ],
)
def test_korean_headers_are_read(name: str, subject: str, sender: str) -> None:
    found = {field.key: field.text for field in header.fields(read(name))}
    assert found[b"subject"] == subject
    assert found[b"from"] == sender


def test_word_split_inside_a_character_is_joined() -> None:
    assert words.decode(b"=?UTF-8?B?7JWI64WV7ZWY?= =?UTF-8?B?7IS47JqU?=") == "안녕하세요"
    assert words.decode(b"=?euc-kr?Q?=BE=C8=B3?= =?euc-kr?Q?=E7?=") == "안녕"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"a =?us-ascii?q?b=20c?= d", "a b c d"),
        (b"=?utf-8?q?a?=  =?utf-8?q?b?=", "ab"),
        (b"=?utf-8*ko?q?a_b?=", "a b"),
        (b"=?nonsense?q?=EA=B0=80?=", "가"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?a?=b", "ab"),
        (b"=?rot13?q?a?=", "a"),
        (b"", ""),
    ],
)
def test_encoded_words_are_read(value: bytes, text: str) -> None:
    assert words.decode(value) == text


@given(st.binary(max_size=200))
def test_decoding_words_never_fails(value: bytes) -> None:
    words.decode(value)
    words.decode(b"=?euc-kr?b?" + value + b"?=")
    charset.decode(value, value.decode("latin-1"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=300))
def test_written_field_is_read_back(text: str) -> None:
    written = header.field("Subject", text)
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 78 or b" " not in written[9:].strip()
    wanted = " ".join(text.split(" ")).strip()
    assert header.value(written + b"\r\n", "subject") is not None
    assert next(header.fields(written)).text.strip() == wanted.strip()


@given(st.lists(st.text(min_size=1, max_size=30), max_size=8))
def test_no_text_can_add_a_field(pieces: list[str]) -> None:
    written = header.field("Subject", "\r\n".join(pieces))
    assert len(list(header.fields(written))) == 1
    assert all(line[:1] in (b" ", b"S", b"") for line in written.split(b"\r\n"))


@given(st.binary(max_size=400))
def test_fields_and_body_cover_what_stdlib_finds(data: bytes) -> None:
    position = header.body_start(data)
    assert 0 <= position <= len(data)
    previous = 0
    for field in header.fields(data):
        assert previous <= field.start < field.end <= position
        previous = field.end


NAMES = st.sampled_from(["Subject", "X-A", "x-a", "Bcc", "BCC", "To"])
VALUES = st.text("abc \t,;<>@", max_size=30)


@given(st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=12), st.binary(max_size=30))
def test_removing_fields_leaves_every_other_byte(rows: list[tuple[str, str, bool]], body: bytes) -> None:
    pieces = [
        f"{name}:{value}\r\n{' more' if fold else ''}{chr(13) + chr(10) if fold else ''}" for name, value, fold in rows
    ]
    message = "".join(pieces).encode() + b"\r\n" + body
    wanted = "".join(p for p, (name, _, _) in zip(pieces, rows, strict=True) if name.lower() != "bcc")
    assert header.without(message, ["Bcc"]) == wanted.encode() + b"\r\n" + body


@given(st.lists(st.tuples(NAMES, st.text("abcdef", max_size=9)), min_size=1, max_size=12))
def test_values_agree_with_stdlib(rows: list[tuple[str, str]]) -> None:
    message = "".join(f"{name}: {value}\r\n" for name, value in rows).encode() + b"\r\nbody"
    other = email.message_from_bytes(message, policy=email.policy.compat32)
    for name in ("subject", "x-a", "bcc", "to"):
        assert [value.decode() for value in header.values(message, name)] == other.get_all(name, [])


@pytest.mark.parametrize("eol", [b"\r\n", b"\n"])
def test_appended_field_is_the_last_one(eol: bytes) -> None:
    message = eol.join([b"A: 1", b"B: 2", b"", b"C: body"])
    assert header.append(message, b"X: 3\r\n") == eol.join([b"A: 1", b"B: 2", b"X: 3\r\n" + eol + b"C: body"])
    assert header.append(b"A: 1", b"X: 3\r\n") == b"A: 1\r\nX: 3\r\n"


def test_a_megabyte_without_a_colon_is_read_at_once() -> None:
    assert list(header.fields(b"a" * (1 << 20))) == []
    assert list(header.fields(b"a " * (1 << 20))) == []


@pytest.mark.parametrize(
    "label", ["zip", "idna", "punycode", "unicode_escape", "undefined", "nothing", "a" * 99, "b/c"]
)
def test_codec_that_is_no_charset_is_unknown(label: str) -> None:
    assert not charset.known(label)


@pytest.mark.parametrize(
    "label", ["EUC-KR", "ks_c_5601-1987", "CP949", "x-windows-949", "iso-2022-kr", "utf-8", "us-ascii"]
)
def test_korean_charsets_are_known(label: str) -> None:
    assert charset.known(label)
