"""Certificates as declared: stand-ins for what is missing, nothing taken from an authority's, absent ones gone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from maild.certs import pairs
from maild.reconcile import ReconcileError, certificates, read
from maild.reconcile.certificates import Writer
from tests.lib.certificates import write_pair

WEB, MAIL = "mta-sts.xn--9t4b11yi5a.net", "smtp.xn--9t4b11yi5a.net"


def bring(folder: Path, *declared: dict[str, Any], apply: bool = True) -> list[tuple[object, ...]]:
    """The changes, made or planned."""
    desired = read(json.dumps({"certificates": declared}).encode())
    steps = certificates.steps(desired, certificates.look(folder), Writer(folder))
    for step in steps if apply else ():
        asyncio.run(step.apply(cast("Any", None)))  # type: ignore[arg-type]
    return [(change.name, change.field, change.current, change.wanted) for step in steps for change in step.changes]


def test_missing_certificate_gets_a_self_signed_pair_and_then_nothing_changes(tmp_path: Path) -> None:
    declared = {"name": "smtp.테스트.net", "names": ["mta-sts.테스트.net"]}
    expected = [
        ("smtp.테스트.net", "state", "absent", "present"),
        ("smtp.테스트.net", "names", None, "mta-sts.테스트.net, smtp.테스트.net"),
    ]
    assert bring(tmp_path, declared, apply=False) == expected
    assert not list(tmp_path.iterdir())
    assert bring(tmp_path, declared) == expected
    found = certificates.look(tmp_path)[MAIL]
    assert (found.names, found.self_signed) == ((WEB, MAIL), True)
    assert bring(tmp_path, declared) == []


def test_stand_in_follows_its_names_and_keeps_its_key(tmp_path: Path) -> None:
    bring(tmp_path, {"name": MAIL})
    key = pairs.Pair(tmp_path, MAIL).key.read_bytes()
    assert bring(tmp_path, {"name": MAIL, "names": [WEB]}) == [
        ("smtp.테스트.net", "names", "smtp.테스트.net", "mta-sts.테스트.net, smtp.테스트.net")
    ]
    assert pairs.Pair(tmp_path, MAIL).key.read_bytes() == key


def test_absent_one_is_removed_with_its_key(tmp_path: Path) -> None:
    bring(tmp_path, {"name": MAIL}, {"name": WEB})
    gone = {"name": MAIL, "state": "absent"}
    assert bring(tmp_path, gone) == [("smtp.테스트.net", "state", "present", "absent")]
    assert bring(tmp_path, gone) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{WEB}-chain.pem", f"{WEB}-key.pem"]


def test_what_nobody_declared_is_named_only_where_certificates_are_declared(tmp_path: Path) -> None:
    bring(tmp_path, {"name": WEB})
    shelf = certificates.look(tmp_path)
    assert certificates.not_managed(read(b"{}"), shelf) == []
    (left,) = certificates.not_managed(read(json.dumps({"certificates": [{"name": MAIL}]}).encode()), shelf)
    assert (left.object, left.name) == ("certificate", "mta-sts.테스트.net")


def test_certificate_of_an_authority_is_left_alone_whatever_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pair(tmp_path, MAIL, (MAIL,))
    original = pairs.read
    monkeypatch.setattr(
        "maild.certs.pairs.read", lambda pair: pairs.Found(**{**_fields(original(pair)), "self_signed": False})
    )
    assert bring(tmp_path, {"name": MAIL, "names": [WEB]}) == []


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(ReconcileError, match="declared twice"):
        read(json.dumps({"certificates": [{"name": "테스트.net"}, {"name": "xn--9t4b11yi5a.net"}]}).encode())


def _fields(found: pairs.Found | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in pairs.Found.__dataclass_fields__}
