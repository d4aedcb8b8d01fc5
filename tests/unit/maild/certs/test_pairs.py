from __future__ import annotations

import datetime as dt
import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from maild.certs import history, pairs
from maild.certs.errors import CertsError
from maild.certs.lock import locked

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
NAMES = ("smtp.xn--9t4b11yi5a.net", "smtp.xn--9t4b11yi5a.co.kr")


def put(folder: Path, name: str = "테스트.net") -> pairs.Pair:
    pair, key = pairs.Pair(folder, name), pairs.new_key()
    pairs.write(pair, key, pairs.self_signed(key, NAMES, NOW))
    return pair


def test_written_pair_is_one_that_tls_takes(tmp_path: Path) -> None:
    pair = put(tmp_path / "tls")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.chain, pair.key)
    found = pairs.read(pair)
    assert found is not None
    assert (found.names, found.self_signed) == (tuple(sorted(NAMES)), True)
    if os.name == "posix":
        # On Windows the folder's ACL says who may read.
        assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in pair.folder.iterdir()) == ["테스트.net-chain.pem", "테스트.net-key.pem"]


def test_chain_for_another_key_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    pair = put(tmp_path)
    before = (pair.chain.read_bytes(), pair.key.read_bytes())
    with pytest.raises(CertsError, match="not for our key"):
        pairs.write(pair, pairs.new_key(), pairs.self_signed(pairs.new_key(), NAMES, NOW))
    with pytest.raises(CertsError, match="holds no certificate"):
        pairs.write(pair, pairs.new_key(), b"nonsense")
    assert (pair.chain.read_bytes(), pair.key.read_bytes()) == before


def test_chain_alone_changes_when_the_key_stays(tmp_path: Path) -> None:
    pair = put(tmp_path)
    key, inode = pairs.key_of(pair), pair.key.stat().st_ino
    assert key is not None
    pairs.write(pair, key, pairs.self_signed(key, NAMES, NOW))
    assert pair.key.stat().st_ino == inode


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(CertsError, match="tls"):
        put(tmp_path / "tls")


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_key_that_is_none_is_not_kept(tmp_path: Path, content: bytes | None) -> None:
    pair = pairs.Pair(tmp_path, "a")
    if content is None:
        key = rsa.generate_private_key(65537, 2048)
        content = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    pair.key.write_bytes(content)
    assert pairs.key_of(pair) is None


def test_file_without_a_certificate_is_an_error_and_a_missing_one_is_none(tmp_path: Path) -> None:
    pair = pairs.Pair(tmp_path, "a")
    assert pairs.read(pair) is None
    pair.chain.write_bytes(b"nonsense")
    with pytest.raises(CertsError, match="holds no certificate"):
        pairs.read(pair)


def test_history_is_read_back_and_damage_is_forgotten(tmp_path: Path) -> None:
    outcome = history.Outcome(at=1.0, waiting=(history.Waiting(name="a.net", text="{x}", values={"x": "왜"}),))
    history.write(tmp_path, {"a": outcome})
    assert history.read(tmp_path) == {"a": outcome}
    (tmp_path / history.NAME).write_bytes(b"{")
    assert history.read(tmp_path) == {}


def test_second_run_waits_and_gives_up(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CertsError, match="does not end"), locked(tmp_path, wait_seconds=0.1):
        pass
    with locked(tmp_path, wait_seconds=0):
        pass
