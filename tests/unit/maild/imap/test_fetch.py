"""Reading messages in sessions over the real store: FETCH, its sections and its facts."""

from __future__ import annotations

import re

from maild.mail import summary
from maild.mail.header import body_start
from maild.store import Structure
from tests.lib.imap import FORWARDED, KOREAN, PLAIN, Talk, inbox, literal, with_talk


@with_talk
async def test_whole_message_comes_back_byte_for_byte(talk: Talk) -> None:
    await inbox(talk, KOREAN, FORWARDED, b"\r\n", b"bare\nline ends\n")
    for number, message in enumerate((KOREAN, FORWARDED, b"\r\n", b"bare\nline ends\n"), 1):
        (line,) = await talk.ok(f"FETCH {number} BODY.PEEK[]")
        assert literal(line, b"BODY[]") == message


@with_talk
async def test_every_section_of_a_nested_message(talk: Talk) -> None:
    await inbox(talk, FORWARDED)
    at = body_start(FORWARDED)
    wanted = {
        b"BODY[HEADER]": FORWARDED[:at],
        b"BODY[TEXT]": FORWARDED[at:],
        b"BODY[1]": b"See below.",
        b"BODY[1.MIME]": b"\r\n",
        b"BODY[2.1]": b"plain",
        b"BODY[2.1.MIME]": b"Content-Type: text/plain\r\nContent-Language: en, de\r\n\r\n",
        b"BODY[3.HEADER]": b"Subject: single\r\n\r\n",
        b"BODY[3.TEXT]": b"one line",
        b"BODY[3.1]": b"one line",
        b"BODY[2.HEADER.FIELDS (to DATE)]": b"To: a@example.com\r\nDate: Tue, 24 Nov 2026 03:00:00 +0000\r\n\r\n",
        b"BODY[3.HEADER.FIELDS.NOT (Subject)]": b"\r\n",
    }
    (line,) = await talk.ok(b"FETCH 1 (" + b" ".join(name.replace(b"BODY", b"BODY.PEEK", 1) for name in wanted) + b")")
    for name, text in wanted.items():
        assert literal(line, name) == text
    assert await talk.ok("FETCH 1 (BODY.PEEK[9] BODY.PEEK[1.HEADER] BODY.PEEK[2.9.MIME])") == [
        b"* 1 FETCH (BODY[9] NIL BODY[1.HEADER] NIL BODY[2.9.MIME] NIL)"
    ]


@with_talk
async def test_part_of_a_section(talk: Talk) -> None:
    await inbox(talk, PLAIN)
    for offset, length in ((0, 4), (2, 100), (5, 1), (6, 1), (1000, 5)):
        (line,) = await talk.ok(f"FETCH 1 BODY.PEEK[TEXT]<{offset}.{length}>")
        assert literal(line, b"BODY[TEXT]<%d>" % offset) == b"body\r\n"[offset : offset + length]


@with_talk
async def test_header_too_long_to_keep_is_read_from_the_body(talk: Talk) -> None:
    head = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 70) for number in range(1000)) + b"\r\n"
    await inbox(talk, head + b"body")
    (line,) = await talk.ok("FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (X-999)])")
    assert literal(line, b"BODY[HEADER]") == head
    assert literal(line, b"BODY[HEADER.FIELDS (X-999)]") == b"X-999: " + b"y" * 70 + b"\r\n\r\n"
    assert await talk.ok("SEARCH HEADER X-999 yyy") == [b"* SEARCH 1"]


@with_talk
async def test_large_message_is_streamed(talk: Talk) -> None:
    message = PLAIN + b"x" * 78 + b"\r\n"
    message += b"".join(b"%078d\r\n" % number for number in range(40_000))
    await inbox(talk, message)
    (line,) = await talk.ok("FETCH 1 BODY.PEEK[]")
    assert literal(line, b"BODY[]") == message
    (line,) = await talk.ok("FETCH 1 BODY.PEEK[TEXT]<1000.2000000>")
    at = body_start(message)
    assert literal(line, b"BODY[TEXT]<1000>") == message[at + 1000 : at + 2_001_000]


@with_talk
async def test_nul_never_stands_in_a_literal(talk: Talk) -> None:
    await inbox(talk, b"Subject: a\0b\r\nContent-Type: application/x\r\n\r\nx\0y")
    (line,) = await talk.ok("FETCH 1 (BODY.PEEK[] BINARY.PEEK[1] ENVELOPE)")
    assert b"\0" not in literal(line, b"BODY[]")
    assert b"BINARY[1] ~{3}\r\nx\0y" in line


@with_talk
async def test_binary_undoes_the_transfer_encoding(talk: Talk) -> None:
    await inbox(talk, KOREAN, PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"))
    (line,) = await talk.ok("FETCH 1 (BINARY.PEEK[1.1] BINARY.SIZE[1.1] BINARY.PEEK[1.1]<6.4>)")
    text = "안녕하세요.\r\n주문하신 상품을 보내 드렸습니다.\r\n".encode("cp949")
    assert literal(line, b"BINARY[1.1]") == text
    assert b"BINARY.SIZE[1.1] %d" % len(text) in line
    assert literal(line, b"BINARY[1.1]<6>") == text[6:10]
    assert (await talk.refused("FETCH 2 BINARY.PEEK[1]")).startswith(b"NO [UNKNOWN-CTE]")


@with_talk
async def test_fetching_marks_as_seen_unless_peeked_or_examined(talk: Talk) -> None:
    await inbox(talk, PLAIN, PLAIN, PLAIN)
    assert b"FLAGS" not in (await talk.ok("FETCH 1 BODY.PEEK[TEXT]"))[0]
    assert (await talk.ok("FETCH 1 BODY[TEXT]"))[0].endswith(b" FLAGS (\\Seen))")
    assert (await talk.ok("FETCH 2 (FLAGS RFC822.HEADER)"))[0].startswith(b"* 2 FETCH (FLAGS () ")
    assert (await talk.ok("FETCH 2 (FLAGS RFC822.TEXT)"))[0].startswith(b"* 2 FETCH (FLAGS (\\Seen) ")
    await talk.ok("EXAMINE INBOX")
    assert b"Seen" not in (await talk.ok("FETCH 3 BODY[]"))[0]
    assert (await talk.refused("STORE 3 +FLAGS (\\Seen)")).startswith(b"NO [READ-ONLY]")


@with_talk
async def test_facts_of_a_message(talk: Talk) -> None:
    await inbox(talk, PLAIN)
    (line,) = await talk.ok("FETCH 1 (INTERNALDATE RFC822.SIZE EMAILID THREADID PREVIEW (LAZY) MODSEQ SAVEDATE)")
    assert b'INTERNALDATE "25-Nov-2026 03:00:00 +0000" RFC822.SIZE %d ' % len(PLAIN) in line
    assert re.search(rb'EMAILID \([0-9a-f]{32}\) THREADID NIL PREVIEW "body" MODSEQ \(\d+\) SAVEDATE "', line)


@with_talk
async def test_korean_preview_is_a_literal_of_utf8(talk: Talk) -> None:
    await inbox(talk, KOREAN)
    (line,) = await talk.ok("FETCH 1 PREVIEW")
    assert literal(line, b"PREVIEW").decode() == "안녕하세요. 주문하신 상품을 보내 드렸습니다."


@with_talk
async def test_summary_of_an_older_version_is_computed_again(talk: Talk) -> None:
    await inbox(talk, PLAIN)
    first = await talk.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE)")
    account = await talk.store.directory.account_named("id", "a.net")
    assert account is not None
    (row,) = await talk.store.messages.get(account.inbox_id, [1])
    await talk.store.messages.save_structure(row.blob_id, Structure(version=0, data=b"old"))
    assert await talk.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE)") == first
    await talk.store.messages.save_structure(row.blob_id, Structure(version=summary.VERSION, data=b"damaged"))
    assert await talk.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE)") == first


@with_talk
async def test_numbers_that_are_not_there(talk: Talk) -> None:
    await inbox(talk, PLAIN)
    assert (await talk.refused("FETCH 2 FLAGS")).startswith(b"BAD")
    assert await talk.ok("UID FETCH 2:5 FLAGS") == []
    assert await talk.ok("UID FETCH 5:* FLAGS") == [b"* 1 FETCH (UID 1 FLAGS ())"]
    assert await talk.ok("FETCH * UID") == [b"* 1 FETCH (UID 1)"]
    await talk.ok("SELECT Sent")
    assert await talk.ok("FETCH 1:* FLAGS") == []


@with_talk
async def test_partial_fetch_takes_a_window(talk: Talk) -> None:
    await inbox(talk, *[PLAIN] * 5)
    uids = [re.findall(rb"UID (\d)", line)[0] for line in await talk.ok("UID FETCH 1:* (UID) (PARTIAL 2:3)")]
    assert uids == [b"2", b"3"]
    uids = [re.findall(rb"UID (\d)", line)[0] for line in await talk.ok("UID FETCH 1:* (UID) (PARTIAL -1:-2)")]
    assert uids == [b"4", b"5"]
