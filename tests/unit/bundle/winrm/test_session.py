"""One session: reads are asked again, changes never, and what goes wrong is one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from pyinfra_winrm.errors import HostTimeoutError, LostSessionError, RequestFailedError
from tests.lib.scriptedhost import ScriptedHost, failure, ticking


def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {"facts": {"build": 17763}} if request["verb"] == "facts" else {"items": [], "said": request["verb"]}


def test_scripts_travel_once_with_the_request_that_needs_them() -> None:
    host = ScriptedHost(echo)
    session = host.session()
    session.connect()
    session.read("read", {"items": []}, kinds=("service", "file"))
    session.read("read", {"items": []}, kinds=("file",))
    loaded = [request["name"] for request in host.asked if request["verb"] == "load"]
    assert loaded == ["host", "seam", "service", "file"]
    assert session.facts == {"build": 17763}
    session.close()
    assert session.requests_made == 4


def breaking(when: str, *verbs: str) -> ScriptedHost:
    host = ScriptedHost(echo)
    (host.cut_before if when == "before" else host.cut_after).extend(verbs)
    return host


@pytest.mark.parametrize("when", ["before", "after"])
def test_read_is_asked_again_on_a_new_session(when: str) -> None:
    host = breaking(when, "read")
    session = host.session()
    session.connect()
    assert session.read("read", {"items": []}, kinds=("file",)).fields["said"] == "read"
    assert (host.opened, session.generation) == (2, 2)


def test_read_that_is_cut_twice_is_an_error_with_host_and_cause() -> None:
    host = ScriptedHost(echo, cut_before=["read", "read"])
    session = host.session()
    with pytest.raises(LostSessionError, match=r"^server: the connection to https://server:5986/wsman was cut$"):
        session.read("read", {"items": []})


@pytest.mark.parametrize("when", ["before", "after"])
def test_change_is_never_asked_again(when: str) -> None:
    host = breaking(when, "apply")
    session = host.session()
    session.connect()
    with pytest.raises(LostSessionError, match="service maild may or may not be done: run again"):
        session.change("apply", {}, about="service maild")
    assert host.verbs().count("apply") == (0 if when == "before" else 1)
    assert (host.opened, host.closed, host.abandoned) == (1, 0, 1), "a change is left to finish"
    session.read("read", {"items": []})
    assert host.opened == 2


def test_request_that_takes_too_long_is_stopped_and_the_next_one_has_a_new_session() -> None:
    host = ScriptedHost(echo)
    session = host.session()
    session.connect()
    with ticking(session):
        host.silent = True
        with pytest.raises(HostTimeoutError, match=r"server: the script did not finish within 5 s and was stopped"):
            session.change("run", {}, about="the script", timeout=5)
        assert isinstance(HostTimeoutError("x"), TimeoutError)
        host.silent = False
        assert session.read("ping", {}).ok
    assert host.opened == 2


def test_failure_of_the_host_names_what_and_what_to_do() -> None:
    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        return {} if request["verb"] == "facts" else dict(failure("sharing-violation", "It is in use.", "C:\\x.dll"))

    session = ScriptedHost(refuse).session()
    with pytest.raises(RequestFailedError) as caught:
        session.change("apply", {}, about="file C:/x.dll")
    assert str(caught.value) == (
        "server: file C:/x.dll: C:\\x.dll: It is in use (close the program that holds it open and run again)"
    )


def test_session_that_the_bootstrap_refuses_is_one_sentence() -> None:
    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        request["id"] = 0
        return dict(failure("language-mode", "constrained language mode"))

    with pytest.raises(RequestFailedError, match=r"^server: constrained language mode \(allow this account"):
        ScriptedHost(refuse).session().read("read", {"items": []})
