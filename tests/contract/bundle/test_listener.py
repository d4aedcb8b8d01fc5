"""The listener of remote management on both engines: at once, or by a task of the host that outlives the session."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.kinds import certificate
from pyinfra_winrm.kinds import KINDS, WinRMListener
from tests.lib.kindhost import ENGINES, KindHost, RefusedError, kind_host

pytestmark = pytest.mark.pwsh
KIND = KINDS["winrm_listener"]
PATIENCE = 60.0


@pytest.fixture(params=ENGINES)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KindHost]:
    with kind_host(tmp_path / "host", request.param) as started:
        yield started


def listener(host: KindHost, name: str) -> WinRMListener:
    made = certificate.create(host.host, {"dnsname": [name]})
    return WinRMListener(hostname=name, thumbprint=made["Thumbprint"])


def later(host: KindHost, wanted: WinRMListener, seconds: int) -> dict[str, object]:
    """The state that the host answers when it is told to make the change later."""
    host.load("winrm_listener")
    desired = {**KIND.desired(wanted), "later": seconds}
    reply = host.ask("apply", kind="winrm_listener", key={**KIND.key(wanted), **desired}, desired=desired)
    state: dict[str, object] = reply.fields["state"]
    return state


def until_changed(host: KindHost, thumbprint: str) -> None:
    until = time.monotonic() + PATIENCE
    while (host.host.listeners.get("HTTPS") or {}).get("thumbprint") != thumbprint or host.host.tasks.paths():
        assert time.monotonic() < until, host.host.tasks.paths()
        time.sleep(0.1)


def test_a_later_change_is_made_by_a_task_that_removes_itself(host: KindHost) -> None:
    first, second = listener(host, "it's.example"), listener(host, "new.example")
    assert host.apply(first) == ()
    state = later(host, second, 2)
    recorded = host.host.listeners.get("HTTPS")
    assert recorded is not None
    assert recorded["thumbprint"] == first.thumbprint
    assert host.host.tasks.paths() == ["\\pyinfra-winrm-listener"]
    assert state["value"] == {"port": 5986, "hostname": "it's.example", "thumbprint": first.thumbprint}
    assert len(str(state["fingerprint"])) == 64
    until_changed(host, second.thumbprint)
    assert host.differences(second) == ()
    quoted = listener(host, "it's.another")
    later(host, quoted, 0)
    until_changed(host, quoted.thumbprint)
    assert host.differences(quoted) == ()


def test_a_listener_that_is_not_there_is_made_later_too(host: KindHost) -> None:
    wanted = listener(host, "first.example")
    assert later(host, wanted, 0)["state"] in {"absent", "present"}
    until_changed(host, wanted.thumbprint)


def test_a_certificate_that_is_not_in_the_store_is_refused_at_once(host: KindHost) -> None:
    wanted = WinRMListener(hostname="x", thumbprint="9" * 40)
    for seconds in (0, 5):
        with pytest.raises(RefusedError, match="9" * 40) as refused:
            later(host, wanted, seconds)
        assert refused.value.failure is not None
        assert refused.value.failure.code == "not-found"
    assert host.host.tasks.paths() == []
    assert host.host.listeners.get("HTTPS") is None
