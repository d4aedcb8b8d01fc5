"""Changing messages in sessions over the real store: STORE, COPY, MOVE, APPEND, EXPUNGE, REPLACE."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.lib.imap import FORWARDED, KOREAN, PLAIN, Talk, inbox, literal, with_talk


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
