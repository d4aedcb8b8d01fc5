"""Messages in sessions over the real store: FETCH, STORE, COPY, MOVE, APPEND, EXPUNGE and their extensions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from maild.mail import summary
from maild.mail.header import body_start
from maild.store import Store, Structure
from tests.lib.imap import NOW, Talk, deliver, with_talk

DATA = Path("tests/data/mail")
KOREAN = (DATA / "korean-euckr-attachment.eml").read_bytes()
FORWARDED = (DATA / "forwarded-message.eml").read_bytes()
PLAIN = b"From: a@b.net\r\nSubject: plain\r\n\r\nbody\r\n"


def literal(line: bytes, name: bytes) -> bytes:
    """The literal behind an item of a FETCH line."""
    found = re.search(re.escape(name) + rb" ~?\{(\d+)\}\r\n", line)
    assert found, line
    return line[found.end() : found.end() + int(found[1])]


async def inbox(talk: Talk, *messages: bytes, flags: tuple[str, ...] = ()) -> None:
    for message in messages:
        await deliver(talk.store, message, flags=flags)
    await talk.ok("SELECT INBOX")


# FETCH


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


# STORE


@with_talk
async def test_flags_are_added_removed_and_replaced(talk: Talk) -> None:
    await inbox(talk, PLAIN)
    assert await talk.ok("STORE 1 +FLAGS (\\Seen $Forwarded)") == [b"* 1 FETCH (FLAGS (\\Seen $Forwarded))"]
    assert await talk.ok("STORE 1 -FLAGS \\Seen") == [b"* 1 FETCH (FLAGS ($Forwarded))"]
    assert await talk.ok("UID STORE 1 FLAGS (\\flagged)") == [b"* 1 FETCH (UID 1 FLAGS (\\Flagged))"]
    assert await talk.ok("STORE 1 FLAGS.SILENT ()") == []
    assert await talk.ok("FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS ())"]
    assert await talk.ok("STORE 1 +FLAGS (MyOwn)") == [b"* 1 FETCH (FLAGS (MyOwn))"]
    assert (await talk.refused("STORE 1 +FLAGS (\\Recent)")).startswith(b"BAD")
    assert b"MyOwn" in b"".join(await talk.ok("SELECT INBOX"))


@with_talk
async def test_conditional_store(talk: Talk) -> None:
    await inbox(talk, PLAIN, PLAIN)
    (first,) = await talk.ok("STORE 1 +FLAGS (\\Seen)")
    assert b"MODSEQ" not in first
    lines = await talk.ok("FETCH 1:2 (MODSEQ)")
    modseqs = [int(re.findall(rb"MODSEQ \((\d+)\)", line)[0]) for line in lines]
    *lines, last = await talk.ask(f"STORE 1:2 (UNCHANGEDSINCE {modseqs[1]}) +FLAGS.SILENT (\\Flagged)")
    assert b"OK [MODIFIED 1]" in last
    assert len(lines) == 1
    assert re.match(rb"\* 2 FETCH \(UID 2 MODSEQ \(\d+\)\)", lines[0])
    assert await talk.ok("FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Seen))"]


# COPY, MOVE, EXPUNGE, APPEND


@with_talk
async def test_copy_and_move_say_the_new_uids(talk: Talk) -> None:
    await inbox(talk, PLAIN, KOREAN, FORWARDED)
    assert re.match(rb"OK \[COPYUID \d+ 1,3 1:2\]", (await talk.ask("COPY 1,3 Archive"))[-1].partition(b" ")[2])
    lines = await talk.ok("UID MOVE 2 Trash")
    assert re.match(rb"\* OK \[COPYUID \d+ 2 1\]", lines[0])
    assert lines[1] == b"* 2 EXPUNGE"
    await talk.ok("SELECT Trash")
    (line,) = await talk.ok("FETCH 1 BODY.PEEK[]")
    assert literal(line, b"BODY[]") == KOREAN
    assert (await talk.refused("COPY 1 nothing")).startswith(b"NO [TRYCREATE]")
    assert (await talk.refused("MOVE 1 Trash")).startswith(b"NO [CANNOT]")


@with_talk
async def test_expunge_removes_what_is_marked_and_close_does_it_silently(talk: Talk) -> None:
    await inbox(talk, *[PLAIN] * 5)
    await talk.ok("STORE 2,4,5 +FLAGS.SILENT (\\Deleted)")
    assert await talk.ok("UID EXPUNGE 1:4") == [b"* 4 EXPUNGE", b"* 2 EXPUNGE"]
    assert await talk.ok("EXPUNGE") == [b"* 3 EXPUNGE"]
    await talk.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert await talk.ok("CLOSE") == []
    assert await talk.ok("STATUS INBOX (MESSAGES)") == [b'* STATUS "INBOX" (MESSAGES 1)']


@with_talk
async def test_append_keeps_flags_date_and_bytes(talk: Talk) -> None:
    await talk.ok("SELECT Drafts")
    head = b'APPEND Drafts (\\Draft $MDNSent) "17-Jul-2024 02:44:25 +0900" {%d+}\r\n' % len(KOREAN)
    *lines, last = await talk.ask(head + KOREAN)
    assert re.search(rb"OK \[APPENDUID \d+ 1\]", last)
    assert lines == [b"* 1 EXISTS"]
    (line,) = await talk.ok("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])")
    assert line.startswith(b'* 1 FETCH (FLAGS (\\Draft $MDNSent) INTERNALDATE "16-Jul-2024 17:44:25 +0000"')
    assert literal(line, b"BODY[]") == KOREAN


@with_talk
async def test_several_messages_are_appended_at_once_or_not_at_all(talk: Talk) -> None:
    account = await talk.store.directory.account_named("id", "a.net")
    assert account is not None
    # Which accounts have a quota may be known a second late; this one has one from the start.
    await talk.store.directory.save_account(replace(account, quota_bytes=1 << 30))
    two = b"APPEND Archive {%d+}\r\n%b (\\Seen) {%d}\r\n%b" % (len(PLAIN), PLAIN, len(KOREAN), KOREAN)
    assert re.search(rb"\[APPENDUID \d+ 1:2\]", (await talk.ask(two))[-1])
    used, _ = await talk.store.directory.usage(account.id)
    await talk.store.directory.save_account(replace(account, quota_bytes=used + len(PLAIN) + 10))
    assert (await talk.refused(two)).startswith(b"NO [OVERQUOTA]")
    assert await talk.ok("STATUS Archive (MESSAGES)") == [b'* STATUS "Archive" (MESSAGES 2)']
    assert (await talk.refused(b"APPEND nothing {3+}\r\nabc")).startswith(b"NO [TRYCREATE]")
    assert (await talk.refused(b"APPEND Archive {0+}\r\n")).startswith(b"BAD")
    assert (await talk.refused(b'APPEND Archive "32-Foo-2026 00:00:00 +0000" {3+}\r\nabc')).startswith(b"BAD")
    assert (await talk.refused(b"APPEND Archive")).startswith(b"BAD")


@with_talk
async def test_utf8_append_and_literal_mailbox_name(talk: Talk) -> None:
    await talk.ok("ENABLE UTF8=ACCEPT")
    message = "Subject: 가\r\n\r\n나\r\n".encode()
    await talk.ok(b"APPEND {7}\r\nArchive UTF8 (~{%d}\r\n%b)" % (len(message), message))
    await talk.ok("SELECT Archive")
    (line,) = await talk.ok("FETCH 1 BODY.PEEK[]")
    assert literal(line, b"BODY[]") == message


@with_talk
async def test_replace_puts_a_draft_in_place_of_another(talk: Talk) -> None:
    await talk.ok(b"APPEND Drafts {%d+}\r\n%b" % (len(PLAIN), PLAIN))
    await talk.ok("SELECT Drafts")
    lines = await talk.ok(b"REPLACE 1 Drafts (\\Draft) {%d}\r\n%b" % (len(KOREAN), KOREAN))
    assert re.match(rb"\* OK \[APPENDUID \d+ 2\]", lines[1])
    assert lines[2:] == [b"* 1 EXPUNGE", b"* 1 EXISTS"]
    assert await talk.ok("FETCH 1:* (UID FLAGS)") == [b"* 1 FETCH (UID 2 FLAGS (\\Draft))"]
    assert (await talk.refused(b"UID REPLACE 1 Drafts {3+}\r\nabc")).startswith(b"BAD")


# Two sessions


async def second(store: Store) -> Talk:
    other = Talk(store)
    await other.__aenter__()
    await other.login()
    await other.ok("SELECT INBOX")
    return other


@with_talk
async def test_changes_of_another_session_are_told_once(talk: Talk) -> None:
    await inbox(talk, *[PLAIN] * 4)
    other = await second(talk.store)
    await other.ok("STORE 1 +FLAGS (\\Seen)")
    await deliver(talk.store, PLAIN)
    assert await talk.ok("NOOP") == [b"* 5 EXISTS", b"* 1 FETCH (FLAGS (\\Seen))"]
    assert await talk.ok("NOOP") == []
    await other.ok("STORE 2,3 +FLAGS.SILENT (\\Deleted)")
    await other.ok("EXPUNGE")
    assert await talk.ok("NOOP") == [b"* 3 EXPUNGE", b"* 2 EXPUNGE"]
    assert await talk.ok("FETCH 1:* UID") == [b"* 1 FETCH (UID 1)", b"* 2 FETCH (UID 4)", b"* 3 FETCH (UID 5)"]
    await other.__aexit__(None, None, None)


@with_talk
async def test_expunge_is_held_back_while_numbers_are_in_use(talk: Talk) -> None:
    await inbox(talk, *[PLAIN] * 3)
    other = await second(talk.store)
    await other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    await other.ok("EXPUNGE")
    assert await talk.ok("FETCH 3 UID") == [b"* 3 FETCH (UID 3)"]
    *lines, last = await talk.ask("FETCH 1:3 RFC822.SIZE")
    assert b"NO [EXPUNGEISSUED]" in last
    assert [line[:11] for line in lines] == [b"* 2 FETCH (", b"* 3 FETCH ("]
    assert await talk.ok("STORE 3 +FLAGS (\\Seen)") == [b"* 3 FETCH (FLAGS (\\Seen))"]
    assert await talk.ok("SEARCH ALL") == [b"* SEARCH 1 2 3"]
    assert await talk.ok("NOOP") == [b"* 1 EXPUNGE"]
    assert await talk.ok("UID SEARCH ALL") == [b"* SEARCH 2 3"]
    await other.__aexit__(None, None, None)


@with_talk
async def test_selected_mailbox_that_is_deleted_ends_the_session(talk: Talk) -> None:
    await talk.ok("SELECT Archive")
    other = await second(talk.store)
    await other.ok("DELETE Archive")
    talk.send(b"x NOOP\r\n")
    await talk.until(rb"\* BYE The selected mailbox was deleted")
    await other.__aexit__(None, None, None)


@with_talk
async def test_idle_tells_news_until_done(talk: Talk) -> None:
    await inbox(talk, PLAIN)
    other = await second(talk.store)
    talk.send(b"x IDLE\r\n")
    await talk.until(rb"\+ ")
    await deliver(talk.store, PLAIN)
    await talk.until(rb"\* 2 EXISTS")
    await other.ok("STORE 1 +FLAGS (\\Flagged)")
    await talk.until(rb"\* 1 FETCH \(FLAGS \(\\Flagged\)\)")
    await other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    await other.ok("EXPUNGE")
    await talk.until(rb"\* 1 EXPUNGE")
    talk.send(b"DONE\r\n")
    assert (await talk.until(b"x "))[-1].startswith(b"x OK")
    talk.send(b"y IDLE\r\n")
    await talk.until(rb"\+ ")
    talk.send(b"NOOP\r\n")
    assert (await talk.until(b"y "))[-1].startswith(b"y BAD")
    await other.__aexit__(None, None, None)


@with_talk
async def test_idle_ends_when_the_server_stops(talk: Talk) -> None:
    talk.send(b"x IDLE\r\n")
    await talk.until(rb"\+ ")
    talk.stream.stopping()
    await talk.until(rb"\* BYE The server is going down")


# CONDSTORE and QRESYNC


async def modseq_of(talk: Talk) -> tuple[int, int]:
    (line,) = await talk.ok("STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)")
    found = re.search(rb"UIDVALIDITY (\d+) HIGHESTMODSEQ (\d+)", line)
    assert found
    return int(found[1]), int(found[2])


@with_talk
async def test_changes_since_a_modseq(talk: Talk) -> None:
    await inbox(talk, *[PLAIN] * 4)
    _, modseq = await modseq_of(talk)
    await talk.ok("STORE 3 +FLAGS.SILENT (\\Seen)")
    (line,) = await talk.ok(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})")
    assert re.fullmatch(rb"\* 3 FETCH \(FLAGS \(\\Seen\) MODSEQ \(\d+\)\)", line)
    assert (await talk.ok(f"SEARCH MODSEQ {modseq + 1}"))[0].startswith(b"* SEARCH 3 (MODSEQ ")
    assert (await talk.refused(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")).startswith(b"BAD")


@with_talk
async def test_client_that_was_away_is_brought_up_to_date(talk: Talk) -> None:
    await inbox(talk, *[PLAIN] * 5)
    uidvalidity, modseq = await modseq_of(talk)
    await talk.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    await talk.ok("STORE 4 +FLAGS.SILENT (\\Answered)")
    await talk.ok("EXPUNGE")
    await deliver(talk.store, PLAIN)
    await talk.ok("UNSELECT")
    assert (await talk.refused(f"SELECT INBOX (QRESYNC ({uidvalidity} {modseq}))")).startswith(b"BAD")
    await talk.ok("ENABLE QRESYNC")
    lines = await talk.ok(f"SELECT INBOX (QRESYNC ({uidvalidity} {modseq} 1:5 (1:2 1:2)))")
    assert b"* VANISHED (EARLIER) 2" in lines
    fetched = [line for line in lines if b"FETCH" in line]
    assert len(fetched) == 1
    assert re.fullmatch(rb"\* 3 FETCH \(UID 4 FLAGS \(\\Answered\) MODSEQ \(\d+\)\)", fetched[0])
    lines = await talk.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")
    assert lines[0] == b"* VANISHED (EARLIER) 2"
    assert [re.findall(rb"UID (\d)", line)[0] for line in lines[1:]] == [b"4", b"6"]
    await talk.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    *lines, last = await talk.ask("EXPUNGE")
    assert lines == [b"* VANISHED 1"]
    assert b"[HIGHESTMODSEQ " in last
    assert not [line for line in await talk.ok(f"SELECT INBOX (QRESYNC ({uidvalidity + 1} 1))") if b"VANISHED" in line]


@with_talk
async def test_rev2_has_its_own_answers(talk: Talk) -> None:
    await deliver(talk.store, PLAIN)
    await talk.ok("ENABLE IMAP4rev2")
    lines = await talk.ok("SELECT INBOX")
    assert b'* LIST () "/" "INBOX"' in lines
    assert not [line for line in lines if b"RECENT" in line or b"UNSEEN" in line]
    assert (await talk.ok("SEARCH ALL"))[0].startswith(b"* ESEARCH (TAG ")
    assert b"ALL 1" in (await talk.ok("SEARCH ALL"))[0]


@with_talk
async def test_select_describes_the_mailbox(talk: Talk) -> None:
    await deliver(talk.store, PLAIN, flags=("\\Seen",), at=NOW)
    await deliver(talk.store, PLAIN)
    lines = await talk.ok("SELECT INBOX")
    assert lines[0] == b"* 2 EXISTS"
    text = b"\n".join(lines)
    for pattern in (
        rb"\[UIDVALIDITY \d+\]",
        rb"\[UIDNEXT 3\]",
        rb"\[UNSEEN 2\]",
        rb"\[HIGHESTMODSEQ \d+\]",
        rb"\[MAILBOXID \(",
    ):
        assert re.search(pattern, text)
    assert (await talk.ok("SELECT Sent"))[0] == b"* OK [CLOSED] The mailbox before is closed"
