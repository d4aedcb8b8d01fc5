"""Which ports a lab takes, and that a stopped one keeps them."""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from lab import bases
from tests.lib.ports import free_port


@pytest.fixture(autouse=True)
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Notes of the test's own, and the ports that somebody listens on: labs of other tests come and go meanwhile."""
    ports: set[int] = set()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MAILHOST_LAB_PORT_BASE", raising=False)
    monkeypatch.setattr(bases, "free", lambda port: port not in ports)
    return ports


def claim_at_once(folder: Path, start: Barrier, found: SimpleQueue[int]) -> None:
    start.wait()
    found.put(bases.claim(folder))


def test_a_stopped_lab_keeps_its_ports_from_the_next_one(tmp_path: Path) -> None:
    first = bases.claim(tmp_path / "one")
    assert bases.claim(tmp_path / "two") != first
    assert bases.claim(tmp_path / "one") == first


def test_ports_of_a_lab_whose_folder_is_gone_are_free_again(tmp_path: Path) -> None:
    first = bases.claim(tmp_path / "one")
    (tmp_path / "one").rmdir()
    assert bases.claim(tmp_path / "two") == first


def test_labs_that_start_in_the_same_moment_have_different_ports(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, found = context.Barrier(8), context.SimpleQueue()
    labs = [context.Process(target=claim_at_once, args=(tmp_path / str(number), start, found)) for number in range(8)]
    for lab in labs:
        lab.start()
    for lab in labs:
        lab.join(60)
    assert len({found.get() for _ in labs}) == len(labs)


def test_more_stopped_labs_than_there_are_bases_give_up_the_one_not_used_for_longest(tmp_path: Path) -> None:
    taken = {bases.claim(tmp_path / str(number)): number for number in range(len(bases.BASES))}
    oldest, second, *_ = taken
    assert len(taken) == len(bases.BASES)
    bases.claim(tmp_path / "copy", oldest)
    assert bases.claim(tmp_path / "one more") == second


def test_ports_of_labs_on_different_bases_never_meet() -> None:
    ports = [base + port for base in bases.BASES for port in bases.USED]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 32768


def test_a_copy_of_a_lab_that_is_gone_keeps_the_ports_it_came_with(tmp_path: Path) -> None:
    base = bases.claim(tmp_path / "one")
    (tmp_path / "one").rmdir()
    assert bases.claim(tmp_path / "copy", base) == base
    assert bases.claim(tmp_path / "two") != base


def test_a_lab_that_is_told_its_ports_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILHOST_LAB_PORT_BASE", "31000")
    assert bases.claim(tmp_path / "one") == 31000


def test_ports_somebody_listens_on_are_not_given_to_a_lab(tmp_path: Path, taken: set[int]) -> None:
    first = bases.claim(tmp_path / "one")
    taken.add(first + 993)
    assert bases.claim(tmp_path / "one") != first


def test_a_port_is_free_until_somebody_listens_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    port = free_port()
    assert bases.free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not bases.free(port)
