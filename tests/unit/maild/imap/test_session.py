"""Whole sessions over the real store: states, login, framing, mailboxes."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest

from maild.settings import Limits
from tests.lib.imap import IMAP, Talk, deliver, open_seeded, with_talk


def stranger(tmp_path: Path, scenario: object, **more: object) -> Talk:
    async def run() -> Talk:
        store = await open_seeded(tmp_path)
        try:
            async with Talk(store, **more) as talk:  # type: ignore[arg-type]
                await scenario(talk)  # type: ignore[operator]
                return talk
        finally:
            await store.close()

    return asyncio.run(run())


def test_commands_have_their_states(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        for command in ('LIST "" *', "SELECT INBOX", "IDLE", "APPEND INBOX {3+}\r\nabc"):
            assert (await talk.refused(command)).startswith(b"BAD Please log in first")
        await talk.login()
        assert await talk.refused("FETCH 1 FLAGS") == b"BAD No mailbox is selected"
        assert await talk.refused("LOGIN a b") == b"BAD You are logged in already"
        await talk.ok("SELECT INBOX")
        await talk.ok("UNSELECT")
        assert await talk.refused("EXPUNGE") == b"BAD No mailbox is selected"

    stranger(tmp_path, scenario)


def test_password_is_not_taken_without_tls(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        assert b"LOGINDISABLED" in (await talk.ok("CAPABILITY"))[0]
        assert b"AUTH=PLAIN" not in (await talk.ok("CAPABILITY"))[0]
        assert (await talk.refused("LOGIN id@a.net id-secret")).startswith(b"NO [PRIVACYREQUIRED]")
        assert (await talk.refused("AUTHENTICATE PLAIN")).startswith(b"NO [PRIVACYREQUIRED]")
        await talk.ok("STARTTLS")
        assert b"AUTH=PLAIN" in (await talk.ok("CAPABILITY"))[0]
        await talk.login()

    stranger(tmp_path, scenario, secure=False, listener=IMAP)


def test_what_was_sent_before_tls_is_thrown_away(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        talk.send(b"x STARTTLS\r\ny LOGOUT\r\n")
        await talk.until(b"x OK")
        assert (await talk.ok("NOOP")) == []

    stranger(tmp_path, scenario, secure=False, listener=IMAP)


@pytest.mark.parametrize(
    "command",
    [
        "LOGIN id@a.net id-secret",
        'LOGIN "id@a.net" "id-secret"',
        "LOGIN {8+}\r\nid@a.net {9+}\r\nid-secret",
        "LOGIN {8}\r\nid@a.net {9}\r\nid-secret",
        "AUTHENTICATE PLAIN " + base64.b64encode(b"\0id@a.net\0id-secret").decode(),
        "AUTHENTICATE PLAIN\r\n" + base64.b64encode(b"id@a.net\0id@a.net\0id-secret").decode(),
        "authenticate plain " + base64.b64encode(b"\0id@a.net\0id-secret").decode(),
    ],
)
def test_every_way_to_log_in(tmp_path: Path, command: str) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.ok(command)
        assert b" IDLE " in (await talk.ok("CAPABILITY"))[0]

    talk = stranger(tmp_path, scenario)
    assert not [record for record in talk.records if "id-secret" in record.text]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("LOGIN id@a.net wrong", b"NO [AUTHENTICATIONFAILED]"),
        ("LOGIN nobody@a.net id-secret", b"NO [AUTHENTICATIONFAILED]"),
        ("AUTHENTICATE PLAIN =", b"BAD "),
        ("AUTHENTICATE PLAIN\r\n*", b"BAD Cancelled"),
        ("AUTHENTICATE PLAIN !!!", b"BAD "),
        ("AUTHENTICATE CRAM-MD5", b"NO [CANNOT]"),
        ("AUTHENTICATE PLAIN b3RoZXJAYS5uZXQAaWRAYS5uZXQAaWQtc2VjcmV0", b"NO [AUTHORIZATIONFAILED]"),
        ("LOGIN id@a.net", b"BAD "),
        ("LOGIN {5000+}\r\n" + "x" * 5000 + " y", b"NO [TOOBIG]"),
        ("LOGIN {5000}", b"NO [TOOBIG]"),
    ],
)  # fmt: skip
def test_login_that_fails_leaves_a_stranger(tmp_path: Path, command: str, answer: bytes) -> None:
    async def scenario(talk: Talk) -> None:
        assert (await talk.refused(command)).startswith(answer)
        await talk.ok("NOOP")
        assert (await talk.refused("SELECT INBOX")).startswith(b"BAD Please log in")

    stranger(tmp_path, scenario)


def test_banned_client_is_sent_away(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        talk.passwords.banned = True
        talk.send(b"a LOGIN id@a.net wrong\r\n")
        await talk.until(rb"\* BYE Too many failed logins")

    stranger(tmp_path, scenario)


@pytest.mark.parametrize(
    ("data", "bye"),
    [
        (b"x" * 70_000, b"A line is too long"),
        (b"a NOOP\n", b"A line is too long or does not end"),
        (b"a NO\rOP\r\n", b"A line is too long or does not end"),
        (b"GET / HTTP/1.1\r\n" * 20, b"That is not IMAP"),
        (b"a LOGIN {99999999999+}\r\n", b"The literal is too large"),
    ],
)
def test_what_is_no_imap_ends_the_session(tmp_path: Path, data: bytes, bye: bytes) -> None:
    async def scenario(talk: Talk) -> None:
        talk.send(data)
        assert bye in (await talk.until(rb"\* BYE"))[-1]

    stranger(tmp_path, scenario)


def test_pipelined_commands_are_answered_in_order_and_in_few_writes(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        before = talk.connection.writes
        talk.send(b"".join(b"p%d NOOP\r\n" % number for number in range(50)))
        assert [line[:3].strip() for line in await talk.until(b"p49")] == [b"p%d" % n for n in range(50)]
        assert talk.connection.writes - before < 10

    stranger(tmp_path, scenario)


def test_command_is_the_same_however_it_arrives(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        for octet in b"a LOGIN {8}\r\nid@a.net {9+}\r\nid-secret\r\nb SELECT INBOX\r\n":
            talk.send(bytes([octet]))
            await asyncio.sleep(0)
        assert (await talk.until(b"b"))[-1] == b"b OK [READ-WRITE] Opened"

    stranger(tmp_path, scenario)


def test_silence_before_login_ends_the_session(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        talk.stream.timed_out()
        await talk.until(rb"\* BYE Nothing was heard")

    stranger(tmp_path, scenario)


@with_talk
async def test_server_that_stops_says_goodbye_and_reads_a_literal_to_its_end(talk: Talk) -> None:
    talk.send(b"a APPEND INBOX {12+}\r\nA: b\r\n")
    await asyncio.sleep(0.01)
    talk.stream.stopping()
    talk.send(b"\r\nbody\r\n")
    assert [line[:5] for line in (await talk.until(rb"\* BYE"))] == [b"a OK ", b"* BYE"]


@with_talk
async def test_logout(talk: Talk) -> None:
    talk.send(b"a LOGOUT\r\n")
    assert await talk.until(b"a OK") == [b"* BYE Until next time", b"a OK Logged out"]
    assert talk.stream._task is not None
    await asyncio.wait({talk.stream._task})
    assert not talk.connection.alive


@with_talk
async def test_id_and_enable(talk: Talk) -> None:
    assert await talk.ok('ID ("name" "test" "version" NIL)') == [b'* ID ("name" "maild")']
    assert await talk.ok("ID NIL") == [b'* ID ("name" "maild")']
    assert (await talk.refused("ID (" + " ".join(['"a" "b"'] * 40) + ")")).startswith(b"BAD")
    assert await talk.ok("ENABLE QRESYNC X-NOTHING imap4rev2") == [b"* ENABLED QRESYNC IMAP4rev2"]
    assert await talk.ok("ENABLE QRESYNC") == [b"* ENABLED"]


@with_talk
async def test_mailboxes_of_a_new_account(talk: Talk) -> None:
    lines = await talk.ok('LIST "" *')
    assert b'* LIST (\\HasNoChildren \\Sent) "/" "Sent"' in lines
    assert b'* LIST (\\HasNoChildren) "/" "INBOX"' in lines
    assert len(lines) == 6
    assert await talk.ok('LIST "" ""') == [b'* LIST (\\Noselect) "/" ""']
    assert await talk.ok("NAMESPACE") == [b'* NAMESPACE (("" "/")) NIL NIL']


@with_talk
async def test_korean_mailbox_is_made_renamed_and_removed(talk: Talk) -> None:
    await talk.ok('CREATE "&vPStAA-/2026"')
    assert b'* LIST (\\HasChildren) "/" "&vPStAA-"' in await talk.ok('LIST "" %')
    assert await talk.ok('LIST "&vPStAA-/" *') == [b'* LIST (\\HasNoChildren) "/" "&vPStAA-/2026"']
    await talk.ok("ENABLE UTF8=ACCEPT")
    assert '* LIST (\\HasChildren) "/" "보관"'.encode() in await talk.ok('LIST "" %')
    await talk.ok('RENAME "보관" "옛날"')
    assert '* LIST (\\HasNoChildren) "/" "옛날/2026"'.encode() in await talk.ok('LIST "" *')
    await talk.ok('DELETE "옛날/2026"')
    await talk.ok('DELETE "옛날"')
    assert len(await talk.ok('LIST "" *')) == 6


@with_talk
async def test_level_above_a_mailbox_that_was_deleted_is_still_shown(talk: Talk) -> None:
    await talk.ok("CREATE a/b")
    await talk.ok("DELETE a")
    assert b'* LIST (\\NonExistent \\Noselect \\HasChildren) "/" "a"' in await talk.ok('LIST "" %')
    assert (await talk.refused("SELECT a")).startswith(b"NO [NONEXISTENT]")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("CREATE INBOX", b"NO [ALREADYEXISTS]"),
        ("CREATE Sent", b"NO [ALREADYEXISTS]"),
        ("CREATE a//b", b"NO [CANNOT]"),
        ("CREATE a (USE (\\Sent))", b"NO [USEATTR]"),
        ("CREATE a (USE (\\Nothing))", b"NO [USEATTR]"),
        ("DELETE INBOX", b"NO [CANNOT]"),
        ("DELETE nothing", b"NO [NONEXISTENT]"),
        ("RENAME nothing b", b"NO [NONEXISTENT]"),
        ("RENAME Sent Drafts", b"NO [ALREADYEXISTS]"),
        ("RENAME Sent Sent/a", b"NO [CANNOT]"),
        ("SELECT nothing", b"NO [NONEXISTENT]"),
        ("STATUS nothing (MESSAGES)", b"NO [NONEXISTENT]"),
        ("STATUS INBOX (NOTHING)", b"BAD"),
        ("STATUS INBOX ()", b"BAD"),
        ("LIST (NOTHING) \"\" *", b"BAD"),
        ("LIST (RECURSIVEMATCH) \"\" *", b"BAD"),
        ("LIST \"\" * RETURN (NOTHING)", b"BAD"),
        ("COPY 1 INBOX", b"BAD No mailbox"),
        ("SETQUOTA \"\" (STORAGE 1)", b"NO [NOPERM]"),
        ("GETQUOTA x", b"NO [NONEXISTENT]"),
        ("XNOTHING", b"BAD There is no command"),
        ("UID NOTHING", b"BAD There is no command"),
        ("", b"BAD"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, command: str, answer: bytes) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.login()
        assert (await talk.refused(command)).startswith(answer)
        await talk.ok("NOOP")

    stranger(tmp_path, scenario)


@with_talk
async def test_subscriptions(talk: Talk) -> None:
    await talk.ok("UNSUBSCRIBE Sent")
    await talk.ok("SUBSCRIBE news/later")
    listed = await talk.ok('LIST (SUBSCRIBED) "" *')
    assert not [line for line in listed if b"Sent" in line]
    assert b'* LIST (\\NonExistent \\Noselect \\HasNoChildren \\Subscribed) "/" "news/later"' in listed
    assert b'* LSUB (\\Noselect) "/" "news"' in await talk.ok('LSUB "" %')
    assert b'* LSUB () "/" "news/later"' in await talk.ok('LSUB "" *')
    above = await talk.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" news')
    assert above == [b'* LIST (\\NonExistent \\Noselect \\HasNoChildren) "/" "news" ("CHILDINFO" ("SUBSCRIBED"))']
    assert len(await talk.ok('LIST (SPECIAL-USE) "" *')) == 5
    assert b'* LIST (\\HasNoChildren) "/" "Sent"' not in await talk.ok('LIST "" (INBOX Drafts)')


@with_talk
async def test_special_use_is_made_with_a_mailbox(talk: Talk) -> None:
    await talk.ok("DELETE Archive")
    await talk.ok("CREATE Keep (USE (\\Archive))")
    assert await talk.ok('LIST "" Keep') == [b'* LIST (\\HasNoChildren \\Archive) "/" "Keep"']


@with_talk
async def test_status_counts(talk: Talk) -> None:
    await deliver(talk.store, b"A: b\r\n\r\n12345", flags=("\\Deleted",))
    await deliver(talk.store, b"A: b\r\n\r\n12345", flags=("\\Seen",))
    (line,) = await talk.ok("STATUS INBOX (MESSAGES RECENT UIDNEXT UNSEEN DELETED SIZE DELETED-STORAGE APPENDLIMIT)")
    assert line == (
        b'* STATUS "INBOX" (MESSAGES 2 RECENT 0 UIDNEXT 3 UNSEEN 1 DELETED 1 SIZE 26 DELETED-STORAGE 13 '
        b"APPENDLIMIT 52428800)"
    )
    lines = await talk.ok('LIST "" INBOX RETURN (STATUS (MESSAGES))')
    assert lines[1] == b'* STATUS "INBOX" (MESSAGES 2)'


@with_talk
async def test_quota(talk: Talk) -> None:
    account = await talk.store.directory.account_named("id", "a.net")
    assert account is not None
    assert await talk.ok("GETQUOTAROOT INBOX") == [b'* QUOTAROOT "INBOX" ""', b'* QUOTA "" ()']
    await talk.store.directory.save_account(replace(account, quota_bytes=10 * 1024))
    await deliver(talk.store, b"A: b\r\n\r\n" + b"x" * 2000)
    assert await talk.ok('GETQUOTA ""') == [b'* QUOTA "" (STORAGE 2 10)']
    assert (await talk.refused(b"APPEND INBOX {9000+}\r\n" + b"x" * 9000)).startswith(b"NO [OVERQUOTA]")


@with_talk
async def test_rights_are_the_owners(talk: Talk) -> None:
    assert await talk.ok("MYRIGHTS INBOX") == [b'* MYRIGHTS "INBOX" lrswipkxtea']
    assert await talk.ok("GETACL Sent") == [b'* ACL "Sent" "id@a.net" lrswipkxtea']
    assert await talk.ok("LISTRIGHTS Sent id@a.net") == [b'* LISTRIGHTS "Sent" "id@a.net" lrswipkxtea']
    assert await talk.ok("LISTRIGHTS Sent anyone") == [b'* LISTRIGHTS "Sent" "anyone" ""']
    assert (await talk.refused("SETACL Sent anyone lr")).startswith(b"NO [NOPERM]")
    assert (await talk.refused("MYRIGHTS nothing")).startswith(b"NO [NONEXISTENT]")
    assert (await talk.ok('LIST "" INBOX RETURN (MYRIGHTS)'))[1] == b'* MYRIGHTS "INBOX" lrswipkxtea'


def test_message_above_the_limit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        await talk.login()
        assert (await talk.refused("APPEND INBOX {70000}")).startswith(b"NO [TOOBIG]")
        assert (await talk.refused(b"APPEND INBOX {65537+}\r\n" + b"x" * 65537)).startswith(b"NO [TOOBIG]")
        await talk.ok(b"APPEND INBOX {65536+}\r\n" + b"x" * 65536)

    stranger(tmp_path, scenario, limits=Limits(message_bytes=65536))
