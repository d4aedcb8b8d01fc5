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


@pytest.fixture(autouse=True)
def own_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("MAILHOST_LAB_PORT_BASE", raising=False)


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


def test_a_copy_of_a_lab_that_is_gone_keeps_the_ports_it_came_with(tmp_path: Path) -> None:
    base = bases.claim(tmp_path / "one")
    (tmp_path / "one").rmdir()
    assert bases.claim(tmp_path / "copy", base) == base
    assert bases.claim(tmp_path / "two") != base


def test_a_lab_that_is_told_its_ports_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILHOST_LAB_PORT_BASE", "31000")
    assert bases.claim(tmp_path / "one") == 31000


def test_ports_somebody_listens_on_are_not_given_to_a_lab(tmp_path: Path) -> None:
    first = bases.claim(tmp_path / "one")
    with socket.create_server(("127.0.0.1", first + 993)):
        assert bases.claim(tmp_path / "one") != first
