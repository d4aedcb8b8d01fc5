"""A server that refuses nonces is asked again, within a bound; any other refusal is taken at its word."""

from __future__ import annotations

import pytest
import requests
from acme import client, messages

from maild.certs import account


def refusing(monkeypatch: pytest.MonkeyPatch, code: str, times: int) -> list[str]:
    """The library's own post refuses that often; returns the urls that were asked."""
    asked: list[str] = []

    def post(_: object, url: str) -> requests.Response:
        asked.append(url)
        if len(asked) <= times:
            raise messages.Error.with_code(code, detail="no")
        return requests.Response()

    monkeypatch.setattr(client.ClientNetwork, "post", post)
    return asked


def network() -> account._Network:
    return account._Network.__new__(account._Network)


def test_refused_nonce_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "badNonce", account.NONCE_TRIES - 1)
    assert isinstance(network().post("https://acme.example/order"), requests.Response)
    assert len(asked) == account.NONCE_TRIES


def test_nonces_refused_for_good_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "badNonce", 100)
    with pytest.raises(messages.Error):
        network().post("https://acme.example/order")
    assert len(asked) == account.NONCE_TRIES


def test_any_other_refusal_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "malformed", 1)
    with pytest.raises(messages.Error):
        network().post("https://acme.example/order")
    assert len(asked) == 1
