"""What an authority is told of us."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from acme import messages

from maild.certs import account
from maild.certs.errors import AccountError


class Authority:
    """What registering needs of a client, and what it was told."""

    def __init__(self) -> None:
        self.directory = messages.Directory.from_json({"meta": {}})
        self.told: list[messages.NewRegistration] = []

    def external_account_required(self) -> bool:
        return False

    def new_account(self, registration: messages.NewRegistration) -> None:
        self.told.append(registration)


def registered(contact: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[str, ...]:
    authority = Authority()
    monkeypatch.setattr(account.client, "ClientV2", _with(authority))
    account.connect(account.Registration(directory="staging", contact=contact, terms_agreed=True, folder=folder))
    return tuple(authority.told[0].contact)


def _with(authority: Authority) -> Any:
    class Client:
        get_directory = staticmethod(lambda *_: authority.directory)

        def __new__(cls, *_: Any) -> Any:
            return authority

    return cast("Any", Client)


def test_a_contact_is_told_with_its_domain_in_ascii(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert registered("id@테스트.net", monkeypatch, tmp_path) == ("mailto:id@xn--9t4b11yi5a.net",)


def test_no_contact_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert registered("", monkeypatch, tmp_path) == ()


def test_a_contact_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(AccountError, match=r"acme\.contact id@a b"):
        registered("id@a b", monkeypatch, tmp_path)
