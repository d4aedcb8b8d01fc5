"""What a session tells of a mailbox, applied as a client does, always gives the mailbox."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from maild.imap.selected import Selected
from maild.store.records.mail import Changes, Mailbox, Message, View

BOX = Mailbox(
    id=1, account_id=1, name="INBOX", uidvalidity=1, uidnext=1, highestmodseq=1, messages=0, unseen=0, deleted=0, size=0
)


def row(uid: int, modseq: int, flags: int) -> Message:
    return Message(mailbox_id=1, uid=uid, blob_id=b"", modseq=modseq, flags=flags, internal_at=0, saved_at=0, size=0)


@dataclass
class Server:
    """The mailbox itself."""

    flags: dict[int, int] = field(default_factory=dict)
    modseqs: dict[int, int] = field(default_factory=dict)
    vanished: dict[int, int] = field(default_factory=dict)
    modseq: int = 1
    uidnext: int = 1

    def add(self) -> None:
        self.modseq += 1
        self.flags[self.uidnext], self.modseqs[self.uidnext] = 0, self.modseq
        self.uidnext += 1

    def change(self, uid: int, flags: int) -> None:
        if uid in self.flags:
            self.modseq += 1
            self.flags[uid], self.modseqs[uid] = flags, self.modseq

    def remove(self, uid: int) -> None:
        if self.flags.pop(uid, None) is not None:
            self.modseq += 1
            self.vanished[uid] = self.modseq

    def changes(self, since: int) -> Changes:
        messages = tuple(
            row(uid, self.modseqs[uid], self.flags[uid]) for uid in self.flags if self.modseqs[uid] > since
        )
        gone = tuple(uid for uid, modseq in self.vanished.items() if modseq > since)
        return Changes(modseq=self.modseq, messages=messages, vanished=gone)


@dataclass
class Client:
    """Flags by message number, from nothing but the lines it is sent; None is not known yet."""

    messages: list[int | None] = field(default_factory=list)

    def hear(self, line: bytes) -> None:
        number = int(re.findall(rb"\d+", line)[0])
        if b"EXISTS" in line:
            assert number >= len(self.messages)
            self.messages += [None] * (number - len(self.messages))
        elif b"EXPUNGE" in line:
            del self.messages[number - 1]
        else:
            self.messages[number - 1] = int(line.rsplit(b" ", 1)[1])


STEPS = st.lists(
    st.one_of(
        st.just(("add", 0, 0)),
        st.tuples(st.just("change"), st.integers(1, 8), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.integers(1, 8), st.just(0)),
        st.tuples(st.just("sync"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("own"), st.integers(1, 8), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(STEPS)
def test_client_that_hears_every_line_knows_the_mailbox(steps: list[tuple[str, int, int]]) -> None:
    server, client = Server(), Client()
    selected = Selected.of(BOX, View(1, 1, array("q"), array("q")), read_only=False)

    def sync(*, expunge: bool) -> None:
        for line in selected.news(
            server.changes(selected.modseq), expunge=expunge, vanished=False,
            write=lambda number, flags, _: b"* %d FETCH %d" % (number, flags),
        ):  # fmt: skip
            client.hear(line)

    for kind, uid, flags in [*steps, ("sync", 1, 0)]:
        if kind == "add":
            server.add()
        elif kind == "change":
            server.change(uid, flags)
        elif kind == "remove":
            server.remove(uid)
        elif kind == "sync":
            sync(expunge=bool(uid))
        elif selected.position(uid) is not None and uid in server.flags:
            # A STORE of its own: the answer tells the flags, the news must not repeat or miss anything.
            server.change(uid, flags)
            selected.tell(uid, flags, server.modseqs[uid])
            client.messages[selected.position(uid)] = flags  # type: ignore[call-overload]
    assert list(selected.uids) == list(server.flags)
    assert list(selected.flags) == list(server.flags.values())
    assert len(client.messages) == len(server.flags)
    for known, flags in zip(client.messages, server.flags.values(), strict=True):
        assert known is None or known == flags


@given(st.sets(st.integers(1, 200)), st.sets(st.integers(1, 200)))
def test_many_that_vanish_are_told_in_one_line_or_by_number(uids: set[int], gone: set[int]) -> None:
    for vanished in (True, False):
        selected = Selected.of(BOX, View(1, 1, array("q", sorted(uids)), array("q", [0] * len(uids))), read_only=False)
        lines = selected.news(
            Changes(modseq=2, messages=(), vanished=tuple(gone)), expunge=True, vanished=vanished, write=lambda *_: b""
        )
        assert list(selected.uids) == sorted(uids - gone)
        assert len(lines) == (bool(uids & gone) if vanished else len(uids & gone))
