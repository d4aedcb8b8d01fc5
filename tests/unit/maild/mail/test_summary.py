from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import content, media, subject, summary

DATA = Path("tests/data/mail")


@pytest.mark.parametrize("path", sorted(DATA.glob("*.eml")), ids=lambda path: path.stem)
def test_summary_is_stored_and_read_back(path: Path) -> None:
    found = summary.summarise(path.read_bytes())
    assert summary.decode(summary.encode(found)) == found


def test_summary_of_a_korean_message() -> None:
    found = summary.summarise((DATA / "korean-euckr-attachment.eml").read_bytes())
    assert found.preview == "안녕하세요. 주문하신 상품을 보내 드렸습니다."
    assert found.subject == "주문하신 상품이 발송되었습니다"
    assert found.to == "<id@xn--9t4b11yi5a.net>, 최영희 <choi@example.co.kr>"
    assert (found.sort_from, found.sent_zone, found.id) == ("gildong", 540, b"20261123101500.1234@example.co.kr")


def test_references_come_from_in_reply_to_when_there_are_none() -> None:
    assert summary.summarise(b"In-Reply-To: <a@b> <c@d>\r\n\r\n").references == (b"a@b",)
    assert summary.summarise(b"In-Reply-To: <a@b>\r\nReferences: <x@y> <a@b>\r\n\r\n").references == (b"x@y", b"a@b")


@given(st.binary(max_size=500))
def test_summary_never_fails(data: bytes) -> None:
    head = b"Content-Type: text/html; charset=euc-kr\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    for message in (data, head + data):
        found = summary.summarise(message)
        assert summary.decode(summary.encode(found)) == found


@pytest.mark.parametrize(
    ("text", "base", "is_reply"),
    [
        ("Re: hello", "hello", True),
        ("[list] Re[2]: [list] hello (fwd)", "hello", True),
        ("RE: FW: Fwd: hello", "hello", True),
        ("[Fwd: Re: hello]", "hello", True),
        ("[only]", "[only]", False),
        ("답장: 회의  일정", "회의 일정", True),
        ("  hello\t there ", "hello there", False),
        ("Re:", "", True),
        ("", "", False),
    ],
)
def test_base_subject(text: str, base: str, is_reply: bool) -> None:
    assert subject.base(text) == (base, is_reply)


@given(st.text("re:[]() fwd", max_size=80))
def test_base_subject_is_a_fixed_point(text: str) -> None:
    base, _ = subject.base(text)
    assert subject.base(base)[0] == base


@given(st.binary(max_size=300))
def test_transfer_encodings_are_undone(data: bytes) -> None:
    assert content.transfer_decoded(base64.encodebytes(data), "Base64") == data
    assert content.transfer_decoded(data, "8bit") == data
    assert content.transfer_decoded(data, "x-uuencode") is None


@given(st.text(max_size=200))
def test_quoted_printable_text_is_undone(text: str) -> None:
    data = "\r\n".join(text.splitlines()).encode()
    encoded = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    assert content.transfer_decoded(encoded, "quoted-printable") == data


@given(st.binary(max_size=200))
def test_damaged_encodings_give_something(data: bytes) -> None:
    for encoding in ("base64", "quoted-printable"):
        assert content.transfer_decoded(data, encoding) is not None


def test_html_is_shown_without_tags_scripts_and_styles() -> None:
    body = "<head><title>t</title></head><STYLE>x</STYLE><p>안녕 &amp; <b>반가워</b><!-- no --><script>1<2</script>끝"
    message = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + body.encode()
    assert summary.summarise(message).preview == "안녕 & 반가워 끝"


def test_preview_prefers_plain_text_and_leaves_quotes_out() -> None:
    message = (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n"
        b"--b\r\n\r\n> old\r\nnew " + b"x" * 300 + b"\r\n--b--\r\n"
    )
    assert summary.summarise(message).preview == "new " + "x" * 196


@pytest.mark.parametrize("piece", ["<script>", "<!--", "<", "&", "=", " ", "=\r\n", "</script"])
def test_hostile_text_is_read_to_its_end(piece: str) -> None:
    message = (
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + piece.encode() * 200_000
    )
    (_, part) = summary.summarise(message).parts
    assert content.text_of(message, part) is not None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"attachment; filename*0*=euc-kr''%B0%DF%C0%FB; filename*1*=%BC%AD.pdf", "견적서.pdf"),
        (b"attachment; filename*=UTF-8'ko'%EA%B2%AC%EC%A0%81.pdf; filename=x.pdf", "견적.pdf"),
        (b'attachment; filename="=?EUC-KR?B?sN/A+7ytLnBkZg==?="', "견적서.pdf"),
        ('attachment; filename="견적.pdf"'.encode(), "견적.pdf"),
        (b'attachment; filename*0="a;"; filename*1="b"', "a;b"),
        (b"attachment", None),
    ],
)
def test_file_name_is_read(value: bytes, name: str | None) -> None:
    assert media.text(value, "filename") == name
