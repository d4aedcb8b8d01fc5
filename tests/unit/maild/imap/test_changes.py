"""What a session learns of others' changes over the real store: NOOP, IDLE, CONDSTORE, QRESYNC, SELECT."""

from __future__ import annotations

import re

from maild.store import Store
from tests.lib.imap import NOW, PLAIN, Talk, deliver, inbox, with_talk


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
