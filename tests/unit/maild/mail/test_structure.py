from __future__ import annotations

import email
import email.message
import email.policy
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imapclient.response_parser import parse_fetch_response

from maild.mail.structure import MAX_DEPTH, MAX_PARTS, Part, scan

DATA = Path("tests/data/mail")


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def parts(message: bytes) -> dict[str, bytes]:
    return {part.path: message[part.body : part.end] for part in scan(message).parts}


def test_envelope_has_every_field_as_rfc_3501_says() -> None:
    message = (DATA / "forwarded-message.eml").read_bytes()
    assert scan(message).envelope == (
        b'("Wed, 25 Nov 2026 03:00:00 +0000" "Fwd: report" ((NIL NIL "a" "example.com"))'
        b' ((NIL NIL "a" "example.com")) ((NIL NIL "a" "example.com"))'
        b' ((NIL NIL "Group" NIL)(NIL NIL "b" "example.com")("C, D" NIL "c" "example.com")(NIL NIL NIL NIL))'
        b' NIL NIL "<report@example.org>" "<fwd@example.com>")'
    )


def test_structure_of_a_message_in_a_message_in_a_multipart() -> None:
    message = (DATA / "forwarded-message.eml").read_bytes()
    found = scan(message)
    x = b'((NIL NIL "x" "example.org"))'
    assert found.body == (
        b'(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 0)'
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 357'
        b' ("Tue, 24 Nov 2026 03:00:00 +0000" "report" ' + x + b" " + x + b" " + x
        + b' ((NIL NIL "a" "example.com")) NIL NIL NIL "<report@example.org>")'
        b' (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 0)("TEXT" "HTML" NIL "<html@example.org>" NIL "7BIT" 13 1)'
        b' "ALTERNATIVE") 18)'
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 27 (NIL "single" NIL NIL NIL NIL NIL NIL NIL NIL)'
        b' ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 8 0) 2) "MIXED")'
    )  # fmt: skip
    assert b'"ALTERNATIVE" ("BOUNDARY" "outer-2") NIL NIL NIL) 18 NIL ("INLINE" NIL) NIL NIL)' in found.bodystructure
    assert b'"7BIT" 5 0 NIL NIL ("en" "de") NIL)' in found.bodystructure
    assert found.bodystructure.endswith(b'"MIXED" ("BOUNDARY" "outer") NIL NIL NIL)')


def test_parts_are_numbered_and_cut_as_rfc_3501_says() -> None:
    message = (DATA / "forwarded-message.eml").read_bytes()
    found = parts(message)
    assert list(found) == ["", "1", "2", "2.1", "2.2", "3", "3.1"]
    assert found["1"] == b"See below."
    assert found["2.1"] == b"plain"
    assert found["2.2"] == b"<p>html</p>\r\n"
    assert found["3"] == b"Subject: single\r\n\r\none line"
    assert found["3.1"] == b"one line"
    (third,) = [part for part in scan(message).parts if part.path == "3"]
    assert message[third.start : third.body] == b"Content-Type: message/rfc822\r\n\r\n"
    assert message[third.inner : third.end] == b"one line"


def test_korean_attachment_is_described() -> None:
    message = (DATA / "korean-euckr-attachment.eml").read_bytes()
    found = scan(message)
    assert b'"BASE64" 374 NIL ("ATTACHMENT" ("FILENAME*0*" "euc-kr\'\'%B0%DF%C0%FB" ' in found.bodystructure
    assert [part.path for part in found.parts] == ["", "1", "1.1", "1.2", "2"]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.eml")), ids=lambda path: path.stem)
def test_imapclient_reads_what_is_written(path: Path) -> None:
    found = scan(path.read_bytes())
    line = b"1 (UID 1 ENVELOPE %b BODYSTRUCTURE %b)" % (found.envelope, found.bodystructure)
    answer = parse_fetch_response([line] if b"{" not in line else literals(line))
    assert answer[1][b"ENVELOPE"].message_id


def literals(line: bytes) -> list[object]:
    """The line as imaplib hands it on: text up to each literal paired with the literal."""
    out: list[object] = []
    position = 0
    while match := re.compile(rb"\{(\d+)\}\r\n").search(line, position):
        end = match.end() + int(match[1])
        out.append((line[position : match.end() - 2], line[match.end() : end]))
        position = end
    return [*out, line[position:]]


def test_single_part_message_has_part_1() -> None:
    message = crlf("Subject: a\n\nbody\n")
    assert scan(message).parts == (Part("", 0, 0, 20, 14), Part("1", 0, 14, 20))
    assert scan(message).body == b'("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 6 1)'


def test_message_as_the_whole_content_has_its_parts_below_1() -> None:
    message = crlf("Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n")
    assert list(parts(message)) == ["", "1", "1.1"]


def test_multipart_without_parts_has_one_empty_part() -> None:
    found = scan(crlf("Content-Type: multipart/mixed; boundary=b\n\nnothing\n"))
    assert found.body == b'(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 0 0) "MIXED")'


def test_multipart_without_boundary_is_octets() -> None:
    assert scan(crlf("Content-Type: multipart/mixed\n\n--\nx\n")).body.startswith(b'("APPLICATION" "OCTET-STREAM" NIL')


def test_unclosed_multipart_ends_with_the_message() -> None:
    assert parts(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n\ny\n"))["2"] == b"y\r\n"


def test_line_that_only_begins_like_the_boundary_is_content() -> None:
    found = parts(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b  \n\nx\n--bc\n--b -\n --b\nx--b\n--b--\n"))
    assert found["1"] == b"x\r\n--bc\r\n--b -\r\n --b\r\nx--b"


def test_empty_parts_are_there() -> None:
    found = parts(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b\n\n\n--b--"))
    assert found == {"": found[""], "1": b"", "2": b"", "3": b""}


def test_digest_parts_are_messages() -> None:
    message = crlf("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\ntext\n--b--\n")
    assert scan(message).body.startswith(b'(("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 19 (NIL "in" ')
    assert parts(message)["1.1"] == b"text"


def test_eight_bit_values_are_literals() -> None:
    found = scan("Subject: 가\r\n\r\n".encode())
    assert b"{3}\r\n\xea\xb0\x80 NIL" in found.envelope


def test_depth_is_limited() -> None:
    message = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500))
    found = scan(message)
    assert max(part.path.count(".") for part in found.parts) == MAX_DEPTH - 1
    assert b'"OCTET-STREAM"' in found.body
    assert len(scan(b"Content-Type: message/rfc822\r\n\r\n" * 500).parts) == MAX_DEPTH + 2


def test_number_of_parts_is_limited() -> None:
    message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 50_000
    assert MAX_PARTS <= len(scan(message).parts) <= MAX_PARTS + 2


@pytest.mark.parametrize("line", [b"--bb\r\n", b"--b x\n", b"\n", b"--b--x\n", b"-" * 70 + b"\n"])
def test_a_million_lines_that_are_no_boundary_are_content(line: bytes) -> None:
    message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + line * 300_000 + b"\r\nend"
    assert parts(message)["1"].endswith(b"\r\nend")


@given(st.binary(max_size=400))
def test_scan_never_fails(data: bytes) -> None:
    for message in (data, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + data.replace(b"\0", b"\r\n--b\r\n")):
        found = scan(message)
        for part in found.parts:
            assert 0 <= part.start <= part.body <= part.end <= len(message)
            assert part.inner == -1 or part.body <= part.inner <= part.end


TEXT = st.text("ab -\n가", max_size=30).map(lambda text: text.replace("\n", "\r\n"))


@st.composite
def leaves(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["", "Content-Type: text/html; charset=utf-8\r\n", "Content-Type: image/png\r\n"]))
    return f"{kind}\r\n{draw(TEXT)}"


@st.composite
def messages(draw: st.DrawFn, depth: int = 3) -> str:
    shape = draw(st.sampled_from(["leaf", "leaf", "multipart", "message"] if depth else ["leaf"]))
    if shape == "leaf":
        return draw(leaves())
    if shape == "message":
        return f"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n{draw(messages(depth - 1))}"
    children = draw(st.lists(messages(depth - 1), min_size=1, max_size=3))
    # A boundary that begins like another one is what careless scanners trip over.
    boundary = "b" * (depth + 1)
    body = "".join(f"--{boundary}\r\n{child}\r\n" for child in children)
    preamble = draw(st.sampled_from(["", "preamble\r\n"]))
    return f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n{preamble}{body}--{boundary}--\r\n'


def outline(message: email.message.Message) -> object:
    if message.is_multipart():
        children = [outline(child) for child in message.get_payload()]  # type: ignore[union-attr,arg-type]
        return (message.get_content_type(), children)
    payload = message._payload  # as parsed: get_payload decodes 8bit text
    assert isinstance(payload, str)
    return (message.get_content_type(), payload.encode("utf-8", "surrogateescape"))


def outline_of_scan(message: bytes) -> object:
    """The same outline from BODYSTRUCTURE's nesting and the part offsets."""
    found = scan(message)
    bodies = {part.path: message[part.body : part.end] for part in found.parts}
    tree = parse_fetch_response([b"1 (UID 1 BODYSTRUCTURE %b)" % found.bodystructure])[1][b"BODYSTRUCTURE"]

    def walk(node: tuple[object, ...], path: str, *, of_message: bool) -> object:
        if not isinstance(node[0], bytes):
            below = (
                node[0]
                if isinstance(node[0], list)
                else list(itertools.takewhile(lambda n: isinstance(n, tuple), node))
            )
            subtype = node[1] if isinstance(node[0], list) else node[len(below)]
            children = [walk(child, f"{path}.{n}".lstrip("."), of_message=False) for n, child in enumerate(below, 1)]
            return (f"multipart/{bytes(subtype).decode().lower()}", children)  # type: ignore[call-overload]
        if of_message:
            path = f"{path}.1".lstrip(".")
        kind = b"/".join(node[:2]).decode().lower()  # type: ignore[arg-type]
        if kind == "message/rfc822":
            return (kind, [walk(node[8], path, of_message=True)])  # type: ignore[arg-type]
        return (kind, bodies[path])

    return walk(tree, "", of_message=True)


@settings(max_examples=300)
@given(messages())
def test_scan_agrees_with_stdlib(text: str) -> None:
    message = text.encode()
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    assert outline_of_scan(message) == outline(parsed)
