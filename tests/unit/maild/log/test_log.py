"""The log: hMailServer's format byte for byte, JSON, a file a day, nothing a peer can forge."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from maild.log import Log, LogFiles, Record, as_json, as_line
from maild.log.search import of_session, of_tls, of_user

LINE = re.compile(r'"SMTPD"\t\d+\t\d+\t"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"\t"[^"\t]*"\t"[^\t\r\n]*"')
NOON = time.mktime((2026, 11, 25, 12, 0, 0, 0, 0, -1))


def record(text: str, kind: str = "SMTPD", at: float = NOON) -> Record:
    return Record(kind, at, 7876, 1517, "41.196.200.193", text)  # type: ignore[arg-type]


def test_a_session_line_is_written_as_hmailserver_writes_it() -> None:
    assert as_line(record("SENT: 220 mail.example.net ESMTP", at=NOON + 0.26)) == (
        '"SMTPD"\t7876\t1517\t"2026-11-25 12:00:00.260"\t"41.196.200.193"\t"SENT: 220 mail.example.net ESMTP"'
    )


def test_a_line_without_session_has_four_fields() -> None:
    assert as_line(record("Starting servers...", "APPLICATION")) == (
        '"APPLICATION"\t7876\t"2026-11-25 12:00:00.000"\t"Starting servers..."'
    )


@given(st.text(max_size=300))
def test_no_text_breaks_the_line_or_adds_a_field(text: str) -> None:
    line = as_line(record(text))
    assert LINE.fullmatch(line)
    assert len(line.split("\t")) == 6
    assert "\n" not in as_json(record(text)).decode()
    assert json.loads(as_json(record(text)))["session"] == 1517


def test_a_day_has_its_own_files_and_old_ones_go(tmp_path: Path) -> None:
    old, kept, foreign = "maild_2026-10-26.log", "maild_2026-10-28.log", "other_2020-01-01.log"
    for name in (old, kept, foreign):
        (tmp_path / name).write_text("x")
    files = LogFiles(tmp_path, keep_days=30)
    files._turn_to("2026-11-25")
    for each in (record("one"), record("two", "ERROR", NOON), record("three", at=NOON + 86400)):
        files.put(each)
    files.flush()
    files.close()
    found = {path.name for path in tmp_path.iterdir()}
    assert old not in found
    assert {kept, foreign, "maild_2026-11-25.log", "maild_2026-11-26.log", "ERROR_maild_2026-11-25.log"} <= found
    assert (tmp_path / "maild_2026-11-26.log").read_bytes().endswith(b'"three"\r\n')


def test_today_s_file_is_there_from_the_start_and_takes_lines(tmp_path: Path) -> None:
    files = LogFiles(tmp_path / "logs")
    files.start()
    today = tmp_path / "logs" / f"maild_{time.strftime('%Y-%m-%d')}.log"
    assert today.exists()
    Log(files.put).application("한글 로그")
    files.close()
    assert "한글 로그" in today.read_text(encoding="utf-8")


def test_an_error_carries_its_cause_and_place() -> None:
    records: list[Record] = []
    try:
        Path("/nowhere/at/all").read_bytes()
    except OSError as error:
        Log.to(records).fault("store", error)
    assert records[0].text.startswith("store: FileNotFoundError: ")
    assert "pathlib" in records[0].text


def test_lines_are_found_by_session_by_user_and_by_tls() -> None:
    lines = [
        '"TCPIP"\t1\t"t"\t"TCP - 1.2.3.4 connected to 5.6.7.8:465. Session Id: 3"',
        '"TCPIP"\t1\t"t"\t"TCPConnection - TLS/SSL handshake completed. Session Id: 3, Version: TLSv1.3"',
        '"SMTPD"\t1\t3\t"t"\t"1.2.3.4"\t"RECEIVED: AUTH PLAIN ***"',
        '"APPLICATION"\t1\t"t"\t"SMTPD - 1.2.3.4 logged in as id@xn--9t4b11yi5a.net. Session Id: 3"',
        '"SMTPD"\t1\t4\t"t"\t"1.2.3.5"\t"RECEIVED: QUIT"',
    ]
    assert list(of_session(lines, 3)) == lines[:4]
    assert list(of_user(lines, "ID@xn--9t4b11yi5a.net")) == lines[:4]
    assert list(of_tls(lines)) == lines[1:2]


def test_a_session_number_of_another_run_is_another_session() -> None:
    def run(user: str) -> list[str]:
        return [
            '"APPLICATION"\t1\t"t"\t"Starting servers... (maild on smtp.a.net, process 1)"',
            '"SMTPD"\t1\t3\t"t"\t"1.2.3.4"\t"RECEIVED: EHLO c"',
            f'"APPLICATION"\t1\t"t"\t"SMTPD - 1.2.3.4 logged in as {user}. Session Id: 3"',
        ]

    first, second = run("id@a.net"), run("other@a.net")
    assert list(of_user(first + second, "id@a.net")) == first[1:]
    assert list(of_user(first + second, "other@a.net")) == second[1:]
    assert list(of_user(["a line of yesterday's run", *first[1:], *second], "id@a.net")) == first[1:]
