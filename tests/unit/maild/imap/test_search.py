"""SEARCH, SORT and THREAD over the real store."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from maild.mail.dates import micros
from tests.lib.imap import NOW, Talk, deliver, with_talk

DATA = Path("tests/data/mail")
DAY = 24 * 3600 * 1_000_000
NAMES = (
    "korean-euckr-attachment",
    "korean-cp949-raw-header",
    "korean-iso2022kr",
    "korean-utf8-eai",
    "forwarded-message",
)


async def filled(talk: Talk) -> None:
    """The five messages of tests/data/mail, received a day apart up to now, the second flagged, the third seen."""
    for number, name in enumerate(NAMES, 1):
        flags = {2: ("\\Flagged", "$Junk"), 3: ("\\Seen",)}.get(number, ())
        await deliver(talk.store, (DATA / f"{name}.eml").read_bytes(), flags=flags, at=NOW - (5 - number) * DAY)
    await talk.ok("SELECT INBOX")


async def found(talk: Talk, keys: str | bytes) -> list[int]:
    text = keys.encode() if isinstance(keys, str) else keys
    (line,) = await talk.ok(b"SEARCH " + text)
    assert line.startswith(b"* SEARCH")
    return [int(number) for number in line.split()[2:]]


@with_talk
async def test_keys_find_what_they_say(talk: Talk) -> None:
    await filled(talk)
    for keys, numbers in {
        "ALL": [1, 2, 3, 4, 5],
        "UNSEEN": [1, 2, 4, 5],
        "FLAGGED": [2],
        "KEYWORD $Junk": [2],
        "UNKEYWORD $Junk NOT SEEN": [1, 4, 5],
        "KEYWORD nothing": [],
        "2:4 UNFLAGGED": [3, 4],
        "UID 1,5": [1, 5],
        "UID 9:*": [5],
        "OR SEEN FLAGGED": [2, 3],
        "NOT OR SEEN FLAGGED": [1, 4, 5],
        "(OR 1 2) (OR 2 3)": [2],
        "SINCE 23-Nov-2026": [3, 4, 5],
        "ON 22-Nov-2026": [2],
        "BEFORE 22-Nov-2026": [1],
        "SENTON 4-Jan-1999": [3],
        "SENTSINCE 25-Nov-2026": [4, 5],
        "SENTBEFORE 24-Nov-2026": [1, 3],
        "SAVEDSINCE 1-Jan-2026": [1, 2, 3, 4, 5],
        "SAVEDBEFORE 1-Jan-2026": [],
        "YOUNGER 90000": [4, 5],
        "OLDER 90000": [1, 2, 3],
        "LARGER 850": [1, 5],
        "SMALLER 290": [2, 4],
        "FROM gildong": [1],
        "TO xn--9t4b11yi5a.net": [1, 2, 4],
        "SUBJECT fwd": [5],
        "SUBJECT FWD": [5],
        "HEADER In-Reply-To report@": [5],
        "HEADER Content-Transfer-Encoding \"\"": [2, 3, 4],
        "BODY html": [5],
        "BODY \"See below\"": [5],
        "TEXT epilogue": [],
        "TEXT References": [5],
        "NEW": [],
        "OLD 1": [1],
        "EMAILID 00000000000000000000000000000000": [],
    }.items():  # fmt: skip
        assert await found(talk, keys) == numbers, keys


@with_talk
async def test_korean_texts_are_found_in_every_charset(talk: Talk) -> None:
    await filled(talk)
    for codec, label in (
        ("utf-8", b"UTF-8"),
        ("euc-kr", b"EUC-KR"),
        ("cp949", b"CP949"),
        ("iso2022_kr", b"ISO-2022-KR"),
    ):
        for key, text, numbers in (
            (b"SUBJECT", "상품", [1]),
            (b"FROM", "홍길동", [1]),
            (b"TO", "최영희", [1]),
            (b"BODY", "안녕하세요", [1, 4]),
            (b"BODY", "본문입니다", [3]),
            (b"TEXT", "국제화", [4]),
        ):
            raw = text.encode(codec)
            assert await found(talk, b"CHARSET %b %b {%d+}\r\n%b" % (label, key, len(raw), raw)) == numbers, (
                label,
                text,
            )
    raw = "뷁".encode("cp949")
    assert await found(talk, b"CHARSET CP949 BODY {%d+}\r\n%b" % (len(raw), raw)) == [2]
    assert (await talk.refused("SEARCH CHARSET X-NONE ALL")).startswith(b"NO [BADCHARSET (UTF-8")


@with_talk
async def test_domain_is_found_in_both_its_forms(talk: Talk) -> None:
    await filled(talk)
    for text in ("테스트.net", "xn--9t4b11yi5a.net"):
        raw = text.encode()
        assert await found(talk, b"TO {%d+}\r\n%b" % (len(raw), raw)) == [1, 2, 4]


@with_talk
async def test_extended_results(talk: Talk) -> None:
    await filled(talk)
    for keys, answer in {
        "RETURN () UNSEEN": b" ALL 1:2,4:5",
        "RETURN (MIN MAX COUNT) UNSEEN": b" MIN 1 MAX 5 COUNT 4",
        "RETURN (COUNT) KEYWORD none": b" COUNT 0",
        "RETURN (ALL MIN) KEYWORD none": b"",
        "RETURN (PARTIAL 1:2) UNSEEN": b" PARTIAL (1:2 1:2)",
        "RETURN (PARTIAL -1:-2) UNSEEN": b" PARTIAL (-1:-2 4:5)",
        "RETURN (PARTIAL 9:10) UNSEEN": b" PARTIAL (9:10 NIL)",
    }.items():
        (line,) = await talk.ok("SEARCH " + keys)
        assert re.fullmatch(rb'\* ESEARCH \(TAG "t\d+"\)(.*)', line)[1] == answer, keys  # type: ignore[index]
    assert b" UID ALL 1:2" in (await talk.ok("UID SEARCH RETURN (ALL) 1:2"))[0]
    assert (await talk.refused("SEARCH RETURN (ALL PARTIAL 1:2) ALL")).startswith(b"BAD")
    assert (await talk.refused("SEARCH RETURN (NOTHING) ALL")).startswith(b"BAD")


@with_talk
async def test_saved_result_stands_for_its_messages(talk: Talk) -> None:
    await filled(talk)
    assert await talk.ok("SEARCH RETURN (SAVE) UNSEEN") == []
    assert await found(talk, "$ FLAGGED") == [2]
    assert len(await talk.ok("FETCH $ FLAGS")) == 4
    await talk.ok("SEARCH RETURN (SAVE MIN MAX) UNSEEN")
    assert await found(talk, "$") == [1, 5]
    await talk.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    await talk.ok("EXPUNGE")
    assert await found(talk, "$") == [4]
    await talk.ok("SELECT INBOX")
    assert await found(talk, "$") == []


@with_talk
async def test_search_with_modseq_says_the_highest(talk: Talk) -> None:
    await filled(talk)
    (line,) = await talk.ok("SEARCH OR MODSEQ 1 NOT MODSEQ 1")
    assert re.fullmatch(rb"\* SEARCH 1 2 3 4 5 \(MODSEQ \d+\)", line)
    (line,) = await talk.ok("SEARCH RETURN (COUNT) MODSEQ 1")
    assert re.search(rb"COUNT 5 MODSEQ \d+$", line)


@with_talk
async def test_sort_orders_by_every_key(talk: Talk) -> None:
    await filled(talk)
    for keys, numbers in {
        "(ARRIVAL)": b"1 2 3 4 5",
        "(REVERSE ARRIVAL)": b"5 4 3 2 1",
        "(DATE)": b"3 1 2 4 5",
        "(SIZE)": b"2 4 3 5 1",
        "(FROM)": b"5 1 3 2 4",
        "(SUBJECT)": b"5 4 3 1 2",
        "(CC ARRIVAL)": b"1 2 3 4 5",
        "(TO REVERSE SIZE)": b"3 5 1 2 4",
    }.items():
        assert await talk.ok(f"SORT {keys} UTF-8 ALL") == [b"* SORT " + numbers], keys
    assert await talk.ok("UID SORT (ARRIVAL) UTF-8 FLAGGED") == [b"* SORT 2"]
    assert b"MIN 5 MAX 1 COUNT 5" in (await talk.ok("SORT RETURN (MIN MAX COUNT) (REVERSE ARRIVAL) UTF-8 ALL"))[0]
    for broken in ("()", "(REVERSE)", "(NOTHING)"):
        assert (await talk.refused(f"SORT {broken} UTF-8 ALL")).startswith(b"BAD")


def message(number: int, subject: str, *references: int) -> bytes:
    above = " ".join(f"<{each}@a>" for each in references)
    when = datetime(2026, 11, 25, number, tzinfo=UTC)
    head = f"Message-ID: <{number}@a>\r\nSubject: {subject}\r\nDate: {when:%d %b %Y %H:%M:%S +0000}\r\n"
    return (head + (f"References: {above}\r\n" if references else "") + "\r\nx\r\n").encode()


@with_talk
async def test_threads_follow_references_and_subjects(talk: Talk) -> None:
    for each in (
        message(1, "회의"), message(2, "Re: 회의", 1), message(3, "Re: 회의", 1, 2), message(4, "other"),
        message(5, "Re: 회의", 1), message(6, "Re: other"),
    ):  # fmt: skip
        await deliver(talk.store, each, at=micros(datetime(2026, 11, 25, tzinfo=UTC)))
    await talk.ok("SELECT INBOX")
    assert await talk.ok("THREAD REFERENCES UTF-8 ALL") == [b"* THREAD (1 (2 3)(5))(4 6)"]
    assert await talk.ok("UID THREAD REFERENCES UTF-8 4:6") == [b"* THREAD (4 6)(5)"]
    assert await talk.ok("THREAD REFERENCES UTF-8 KEYWORD none") == [b"* THREAD "]
    assert (await talk.refused("THREAD ORDEREDSUBJECT UTF-8 ALL")).startswith(b"BAD")
