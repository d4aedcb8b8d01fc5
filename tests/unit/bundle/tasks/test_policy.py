"""What a deploy says of rates, checks of strangers, ranges without login and routes, as the daemon reads it."""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from maild.policy.relay import Verdict, decide
from maild.reconcile import read
from maild.settings import BlockList, Policy
from maild.settings import load as load_maild
from maild.store import Direction, IPRange, RouteAuth
from tasks import configuration, objects
from tasks.facts import Facts
from tasks.settings import Settings, SettingsError, load

OFFICE = {"name": "사무실", "network": "203.0.113.0/24"}


def settings(**changes: Any) -> Settings:
    return load({"domains": [{"name": "테스트.net"}], "public_ipv4": "192.0.2.25"} | changes)


def policy(tmp_path: Path, **changes: Any) -> Policy:
    file = tmp_path / "maild.toml"
    file.write_text(configuration.maild_toml(settings(**changes), Facts()), encoding="utf-8")
    return load_maild(file).policy


def test_out_of_the_box_the_daemon_keeps_its_own_defaults(tmp_path: Path) -> None:
    assert policy(tmp_path) == Policy()


def test_rates_and_checks_of_strangers_reach_the_daemon(tmp_path: Path) -> None:
    checks = {"greylisting": True, "helo_must_resolve": True, "ptr_required": True, "sender_must_take_mail": True}
    lists = ["zen.spamhaus.org", "bl.spamcop.net"]
    found = policy(tmp_path, policy={**checks, "block_lists": lists, "messages_per_hour": 50, "recipients_per_day": 0})
    assert all((found.greylisting.enabled, found.helo_must_resolve, found.ptr_required, found.sender_must_take_mail))
    assert found.block_lists == tuple(BlockList(zone=zone) for zone in lists)
    assert (found.messages_per_hour, found.recipients_per_day) == (50, 0)


@pytest.mark.parametrize("wrong", [{"messages_per_hour": -1}, {"block_lists": "zen.spamhaus.org"}, {"greylist": True}])
def test_a_policy_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"policy\."):
        settings(policy=wrong)


@pytest.mark.parametrize(
    ("without_login", "local_sender", "foreign_sender"),
    [(False, Verdict.LOGIN_NEEDED, Verdict.RELAY_DENIED), (True, Verdict.ALLOW, Verdict.RELAY_DENIED)],
)
def test_only_a_range_that_says_so_sends_outside_without_login_and_as_one_of_ours_alone(
    local_sender: Verdict, foreign_sender: Verdict, *, without_login: bool
) -> None:
    wanted = settings(ip_ranges=[OFFICE | {"send_without_login": without_login}])
    (span,) = read(json.dumps({"ip_ranges": objects.desired(wanted)["ip_ranges"]})).ip_ranges
    network = ip_network(span.network)
    range_ = IPRange(
        name=span.name,
        low=network[0],
        high=network[-1],
        priority=30,
        allow=frozenset(Direction) - {Direction.EXTERNAL_TO_EXTERNAL},
        require_auth=frozenset(span.require_auth or ()),
        allow_local_sender=bool(span.allow_local_sender),
    )
    for sender_local, verdict in ((True, local_sender), (False, foreign_sender)):
        assert decide(range_, authenticated=False, sender_local=sender_local, recipient_local=False) is verdict


@pytest.mark.parametrize(
    ("more", "auth"),
    [({}, RouteAuth.NONE), ({"user": "u"}, RouteAuth.PASSWORD), ({"user": "u", "login": "xoauth2"}, RouteAuth.XOAUTH2)],
)
def test_a_route_logs_in_as_the_settings_say(more: dict[str, str], auth: RouteAuth) -> None:
    wanted = settings(routes=[{"domain": "partner.example", "host": "mx.partner.example", **more}])
    (route,) = read(json.dumps({"routes": objects.desired(wanted)["routes"]})).routes
    assert route.auth is auth
