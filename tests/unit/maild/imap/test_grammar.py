from __future__ import annotations

import re
from array import array
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient import imap_utf7

from maild.imap import attributes, criteria, framing, names, sequences
from maild.imap.attributes import Attribute, Section
from maild.imap.errors import BadCommand, ImapError, Refused
from maild.imap.parser import Literal, Parser
from maild.imap.sequences import SequenceSet
from maild.mail import charset


def parser(*texts: bytes, literals: tuple[bytes, ...] = ()) -> Parser:
    return Parser(texts, [Literal(data) for data in literals])


# Sequences


@pytest.mark.parametrize(
    ("text", "highest", "ranges"),
    [
        (b"1", 9, [(1, 1)]),
        (b"3:1,5", 9, [(1, 3), (5, 5)]),
        (b"1,2,3,7:*", 9, [(1, 3), (7, 9)]),
        (b"*", 9, [(9, 9)]),
        (b"12:*", 9, [(9, 12)]),
        (b"*:*", 9, [(9, 9)]),
        (b"4:2,3:6", 9, [(2, 6)]),
    ],
)
def test_set_is_resolved(text: bytes, highest: int, ranges: list[tuple[int, int]]) -> None:
    assert SequenceSet.parse(text).merged(highest) == ranges


@pytest.mark.parametrize("text", [b"0", b"1:", b":1", b"1,,2", b"4294967296", b"1:2:3", b"1,"])
def test_broken_set_is_refused(text: bytes) -> None:
    with pytest.raises(BadCommand):
        SequenceSet.parse(text)


@given(st.lists(st.integers(1, 60), unique=True))
def test_written_set_is_read_back(numbers: list[int]) -> None:
    written = sequences.write(sorted(numbers))
    if not numbers:
        assert written == b""
        return
    ranges = SequenceSet.parse(written).merged(60)
    assert [n for first, last in ranges for n in range(first, last + 1)] == sorted(numbers)


@given(st.lists(st.integers(1, 40), unique=True), st.text("0123456789:*,", min_size=1, max_size=12))
def test_positions_are_those_of_the_uids_in_the_set(uids: list[int], text: str) -> None:
    known = array("q", sorted(uids))
    try:
        wanted = SequenceSet.parse(text.encode())
    except BadCommand:
        return
    highest = known[-1] if known else 0
    found = [at for run in sequences.positions(known, wanted.merged(highest)) for at in run]
    ends = [(min(a, b), max(a, b)) for a, b in wanted.ranges]
    ends = [tuple(sorted(highest if each == sequences.STAR else each for each in pair)) for pair in wanted.ranges]  # type: ignore[assignment]
    assert found == [at for at, uid in enumerate(known) if any(low <= uid <= high for low, high in ends)]


# Names


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"INBOX", "INBOX"),
        (b"inbox", "INBOX"),
        (b"Inbox/sub", "INBOX/sub"),
        (b"inboxes", "inboxes"),
        (b"&vPStAA-", "보관"),
        (b"&ZeVnLIqe-/&U,BTFw-", "日本語/台北"),
        (b"a&-b", "a&b"),
        ("보관".encode(), "보관"),
    ],
)
def test_modified_utf7_is_read(raw: bytes, name: str) -> None:
    assert names.decode(raw, utf8=False) == name


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_name_is_written_and_read_back(name: str) -> None:
    wanted = names.normal(name)
    if not re.search("[\x00-\x1f\x7f]", wanted):
        assert names.encode(wanted, utf8=False)[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\") == imap_utf7.encode(
            wanted
        )
    for utf8 in (True, False):
        written = names.encode(wanted, utf8=utf8)
        if utf8 or not re.search("[\r\n\0]", name):
            raw = written[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
            assert names.decode(raw, utf8=utf8) == wanted
        if not utf8:
            assert written.isascii()


@given(st.binary(max_size=30), st.booleans())
def test_reading_a_name_raises_nothing_but_its_own_error(raw: bytes, utf8: bool) -> None:
    try:
        names.decode(raw, utf8=utf8)
    except BadCommand:
        return


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "/a", "a/ /b", "a*", "a%b", "a\nb", "x" * 256, "/".join("abcdefghijklmnopqrstu")]
)
def test_name_that_may_not_be_created(name: str) -> None:
    with pytest.raises(Refused):
        names.check(name)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "a/b", True),
        ("%", "a/b", False),
        ("%", "a", True),
        ("a/%", "a/b", True),
        ("a/%", "a/b/c", False),
        ("*c", "a/b/c", True),
        ("inbox", "INBOX", True),
        ("INBOX/%", "INBOX/x", True),
        ("%/%", "a/b", True),
        ("보*", "보관/2026", True),
        ("", "a", False),
    ],
)
def test_list_pattern(pattern: str, name: str, matches: bool) -> None:
    assert names.matcher(pattern)(name) is matches


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_list_pattern_agrees_with_a_regular_expression(pattern: str, name: str) -> None:
    expression = "".join({"*": ".*", "%": "[^/]*"}.get(each, re.escape(each)) for each in pattern)
    assert names.matcher(pattern)(name) is bool(re.fullmatch(expression, name, re.DOTALL))


def test_hostile_pattern_ends() -> None:
    assert not names.matcher("*a" * 2000)("a" * 250 + "b")


# FETCH items


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (b"ALL", [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"]),
        (b"(uid flags)", [b"UID", b"FLAGS"]),
        (b"BODY[]", [b"BODY[]"]),
        (b"BODY.PEEK[1.2.MIME]<3.4>", [b"BODY[1.2.MIME]<3>"]),
        (b"BODY[2.HEADER.FIELDS (From \"X Y\")]", [b'BODY[2.HEADER.FIELDS (From "X Y")]']),
        (b"BODY[HEADER.FIELDS.NOT (To)]", [b"BODY[HEADER.FIELDS.NOT (To)]"]),
        (b"(BODY BODYSTRUCTURE RFC822 RFC822.TEXT)", [b"BODY", b"BODYSTRUCTURE", b"RFC822", b"RFC822.TEXT"]),
        (b"BINARY.PEEK[1]<0.5>", [b"BINARY[1]<0>"]),
        (b"BINARY.SIZE[1.2]", [b"BINARY.SIZE[1.2]"]),
        (b"PREVIEW (LAZY)", [b"PREVIEW"]),
    ],
)  # fmt: skip
def test_fetch_items(text: bytes, labels: list[bytes]) -> None:
    reader = parser(text)
    assert [each.label for each in attributes.parse(reader)] == labels
    reader.end()


def test_only_items_without_peek_mark_as_seen() -> None:
    assert [each.seen for each in attributes.parse(parser(b"(BODY[] BODY.PEEK[] BINARY[1] RFC822 RFC822.HEADER)"))] == [
        True, False, True, True, False
    ]  # fmt: skip
    assert attributes.parse(parser(b"BODY[1]"))[0] == Attribute(b"BODY", Section("1"), seen=True)


@pytest.mark.parametrize(
    "text",
    [b"", b"(", b"()", b"NOTHING", b"BODY[", b"BODY[MIME]", b"BODY[0]", b"BODY[1.]", b"BODY[1.HEADER.FIELDS ()]",
     b"BODY[]<1.0>", b"BODY[]<a.1>", b"BODY.PEEK", b"BINARY[TEXT]", b"(UID  FLAGS)", b"PREVIEW (EAGER)"],
)  # fmt: skip
def test_broken_fetch_item_is_refused(text: bytes) -> None:
    def read() -> None:
        reader = parser(text)
        attributes.parse(reader)
        reader.end()

    with pytest.raises(BadCommand):
        read()


# SEARCH keys


def search(text: bytes, *literals: bytes, label: str = "UTF-8") -> criteria.Key:
    pieces = text.split(b"~")
    return criteria.parse(parser(*pieces, literals=literals), label)


SEEN, DRAFT = criteria.Flag("\\Seen", wanted=True), criteria.Flag("\\Draft", wanted=True)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b"ALL", criteria.All()),
        (b"unseen", criteria.Flag("\\Seen", wanted=False)),
        (b"KEYWORD $Junk", criteria.Flag("$Junk", wanted=True)),
        (b"1:3", criteria.Numbers(SequenceSet(((1, 3),)), uids=False)),
        (b"UID 1,5:*", criteria.Numbers(SequenceSet(((1, 1), (5, sequences.STAR))), uids=True)),
        (b"$", criteria.Numbers(SequenceSet((), saved=True), uids=False)),
        (b'SUBJECT "a b"', criteria.Header("subject", "a b")),
        (b"HEADER X-Spam yes", criteria.Header("x-spam", "yes")),
        (b"SENTSINCE 1-Feb-2026", criteria.Day("sent", "since", date(2026, 2, 1))),
        (b'BEFORE "25-Nov-2026"', criteria.Day("internal", "before", date(2026, 11, 25))),
        (b"OR SEEN NOT DRAFT", criteria.Or(SEEN, criteria.Not(DRAFT))),
        (b"(SEEN DRAFT) LARGER 5", criteria.And((criteria.And((SEEN, DRAFT)), criteria.Size("larger", 5)))),
        (b"YOUNGER 60", criteria.Age("younger", 60)),
        (b'MODSEQ "/flags/\\\\draft" all 620162338', criteria.ModSeq(620162338)),
        (b"MODSEQ 5", criteria.ModSeq(5)),
        (b"NEW", criteria.Nothing()),
        (b"OLD", criteria.All()),
    ],
)  # fmt: skip
def test_search_keys(text: bytes, key: criteria.Key) -> None:
    assert search(text) == key


@pytest.mark.parametrize("label", ["EUC-KR", "CP949", "ISO-2022-KR", "UTF-8", "ks_c_5601-1987"])
def test_text_is_read_in_the_charset_of_the_command(label: str) -> None:
    codec = charset.codec(label)
    assert codec is not None
    assert search(b"SUBJECT ~", "주문".encode(codec), label=label) == criteria.Header("subject", "주문")


def test_unknown_charset_names_those_that_are_known() -> None:
    with pytest.raises(Refused) as refused:
        search(b"ALL", label="KLINGON")
    assert refused.value.code.startswith(b"BADCHARSET (UTF-8")


@pytest.mark.parametrize(
    "text", [b"", b"NOTHING", b"OR SEEN", b"NOT", b"(SEEN", b"()", b"SEEN  DRAFT", b"LARGER x", b"SINCE 31-Feb-2026",
             b"SINCE 1-Foo-2026", b"KEYWORD \\Nothing", b"UID", b"SEEN ", b"NOT " * 99 + b"SEEN",
             b"(" * 100 + b"SEEN" + b")" * 100]
)  # fmt: skip
def test_broken_search_is_refused(text: bytes) -> None:
    with pytest.raises(BadCommand):
        search(text)


WORDS = st.sampled_from(
    [b"OR", b"NOT", b"(", b")", b" ", b"SEEN", b"FROM", b'"x"', b"1:*", b"UID", b"BODY[", b"]", b"HEADER", b".FIELDS",
     b"<0.1>", b"RETURN", b"$", b"{3}", b"NIL", b"SINCE", b"1-Jan-2026", b"~", b"\\", b'"', b"%", b"*", b"MODSEQ"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=12), st.binary(max_size=12))
def test_no_command_raises_anything_but_an_imap_error(words: list[bytes], rest: bytes) -> None:
    text = b"".join(words) + rest
    for read in (
        lambda each: criteria.parse(each, "EUC-KR"),
        attributes.parse,
        lambda each: each.astring(),
        lambda each: each.list_mailbox(),
        lambda each: each.sequence_set(),
        lambda each: each.flag(),
        lambda each: each.date(),
        lambda each: each.literal(),
        lambda each: each.nstring(),
        lambda each: each.partial_range(),
    ):
        try:
            read(parser(text, b"", literals=(b"lit",)))
        except ImapError:
            continue


# Framing


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"a LOGIN {5}", framing.Announced(b"a LOGIN ", 5, waits=True, binary=False)),
        (b"a LOGIN {5+}", framing.Announced(b"a LOGIN ", 5, waits=False, binary=False)),
        (b"a APPEND x ~{12+}", framing.Announced(b"a APPEND x ", 12, waits=False, binary=True)),
        (b"a SEARCH {}", None),
        (b"a SEARCH {5} ", None),
        (b"a SEARCH {-5}", None),
        (b"a SEARCH {99999999999999999999}", None),
    ],
)
def test_announced_literal(line: bytes, found: framing.Announced | None) -> None:
    assert framing.announced(line) == found


@pytest.mark.parametrize(
    ("first", "literals", "text", "is_message"),
    [
        (b"a APPEND ", 0, b"a APPEND ", False),
        (b"a APPEND ", 1, b" (\\Seen) ", True),
        (b"a append INBOX ", 0, b"a append INBOX ", True),
        (b"a UID REPLACE 5 ", 0, b"a UID REPLACE 5 ", False),
        (b"a REPLACE 5 INBOX ", 0, b"a REPLACE 5 INBOX ", True),
        (b"a LOGIN ", 0, b"a LOGIN ", False),
        (b"a SEARCH APPEND ", 0, b"a SEARCH APPEND ", False),
    ],
)
def test_which_literal_is_a_message(first: bytes, literals: int, text: bytes, is_message: bool) -> None:
    assert framing.is_message(first, literals, text) is is_message
