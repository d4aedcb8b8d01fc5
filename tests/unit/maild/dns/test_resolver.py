"""The caching resolver against a real (private) name server: faults told apart, limits, memory, the AD bit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import dns.resolver
import pytest

from maild import services
from maild.dns import MX, NoData, NoName, ServerFailure, Timeout
from maild.dns.answer import Answer
from maild.dns.resolver import CachingResolver, Limits, system_servers
from maild.dns.upstream import CaresUpstream, DirectUpstream, Reply, Row, endpoint
from maild.settings.parts import DNS
from tests.lib.nameserver import NameServer

ZONE = """
@      60 IN MX 20 backup
@      60 IN MX 10 smtp
@      60 IN TXT "v=spf1 " "-all"
smtp   60 IN A 192.0.2.7
smtp   60 IN AAAA 2001:db8::7
www    60 IN CNAME smtp
loop1  60 IN CNAME loop2
loop2  60 IN CNAME loop1
away   60 IN CNAME smtp.elsewhere.example.
"""

ANSWER_SECONDS = 2.0
"""Until a server counts as silent: enough for one that answers on a loaded machine."""


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    made.zone("테스트.net", ZONE)
    yield made
    made.close()


@pytest.fixture(params=["cares", "direct"])
def upstream(request: pytest.FixtureRequest, server: NameServer) -> CaresUpstream | DirectUpstream:
    if request.param == "cares":
        return "cares"  # type: ignore[return-value]  # c-ares needs the running loop: made in resolving()
    return DirectUpstream([server.server], timeout=ANSWER_SECONDS)


def resolving(upstream: object, server: NameServer, **limits: float) -> CachingResolver:
    made = CaresUpstream([server.server], timeout=ANSWER_SECONDS, tries=1) if upstream == "cares" else upstream
    return CachingResolver(made, limits=Limits(**limits))  # type: ignore[arg-type]


def test_records_are_typed_and_names_asked_in_either_form(upstream: object, server: NameServer) -> None:
    async def ask() -> None:
        resolver = resolving(upstream, server)
        assert set((await resolver.query("테스트.net", "MX")).records) == {
            MX(10, "smtp.xn--9t4b11yi5a.net"),
            MX(20, "backup.xn--9t4b11yi5a.net"),
        }
        assert (await resolver.query("xn--9t4b11yi5a.net", "TXT")).records == (b"v=spf1 -all",)
        assert (await resolver.query("SMTP.테스트.net", "A")).records == ("192.0.2.7",)
        assert (await resolver.query("smtp.테스트.net", "AAAA")).records == ("2001:db8::7",)

    asyncio.run(ask())


def test_a_cname_is_followed_and_the_final_name_told(upstream: object, server: NameServer) -> None:
    async def ask() -> Answer:
        return await resolving(upstream, server).query("www.테스트.net", "A")

    answer = asyncio.run(ask())
    assert answer.records == ("192.0.2.7",)
    assert answer.name == "smtp.xn--9t4b11yi5a.net"


@pytest.mark.parametrize(
    ("name", "rdtype", "fault"),
    [
        ("nowhere.테스트.net", "A", NoName),
        ("smtp.테스트.net", "MX", NoData),
        ("loop1.테스트.net", "A", ServerFailure),
        ("unserved.example", "A", ServerFailure),
        ("a" * 64 + ".net", "A", NoName),
        ("a..net", "A", NoName),
    ],
)
def test_faults_are_told_apart(upstream: object, server: NameServer, name: str, rdtype: str, fault: type) -> None:
    async def ask() -> None:
        with pytest.raises(fault):
            await resolving(upstream, server).query(name, rdtype)

    asyncio.run(ask())


def test_a_failing_and_a_silent_server_differ(upstream: object, server: NameServer) -> None:
    server.fault("smtp.테스트.net", rcode="SERVFAIL")
    server.fault("www.테스트.net", silent=True)

    async def ask() -> None:
        resolver = resolving(upstream, server, seconds=3 * ANSWER_SECONDS)
        with pytest.raises(ServerFailure):
            await resolver.query("smtp.테스트.net", "A")
        with pytest.raises(Timeout):
            await resolver.query("www.테스트.net", "A")

    asyncio.run(ask())


class Scripted:
    """An upstream that counts what it is asked and answers from a table."""

    def __init__(self, replies: dict[tuple[str, str], Reply | Exception]) -> None:
        self.replies = replies
        self.asked: list[tuple[str, str]] = []

    async def fetch(self, name: str, rdtype: str) -> Reply:
        self.asked.append((name, rdtype))
        await asyncio.sleep(0)
        reply = self.replies[name, rdtype]
        if isinstance(reply, Exception):
            raise reply
        return reply


def row(name: str, record: str, ttl: int = 60, rdtype: str = "A") -> Row:
    return Row(name, rdtype, ttl, record)


def test_answers_and_absences_are_remembered_for_their_ttl() -> None:
    now = [0.0]
    upstream = Scripted(
        {
            ("a.example", "A"): Reply((row("a.example", "192.0.2.1"),)),
            ("b.example", "A"): NoName("b.example", "A", ttl=60),
        }
    )

    async def ask() -> None:
        resolver = CachingResolver(upstream, clock=lambda: now[0])
        for _ in range(3):
            await resolver.query("a.example", "A")
            with pytest.raises(NoName):
                await resolver.query("b.example", "A")
        assert len(upstream.asked) == 2
        now[0] = 61.0
        await resolver.query("a.example", "A")
        with pytest.raises(NoName):
            await resolver.query("b.example", "A")
        assert len(upstream.asked) == 4

    asyncio.run(ask())


def test_equal_questions_under_way_are_asked_once_and_survive_a_cancelled_asker() -> None:
    upstream = Scripted({("a.example", "A"): Reply((row("a.example", "192.0.2.1"),))})

    async def ask() -> None:
        resolver = CachingResolver(upstream)
        first = asyncio.create_task(resolver.query("a.example", "A"))
        others = [asyncio.create_task(resolver.query("a.example", "A")) for _ in range(5)]
        await asyncio.sleep(0)
        first.cancel()
        assert {(await other).records for other in others} == {("192.0.2.1",)}
        assert len(upstream.asked) == 1

    asyncio.run(ask())


def test_an_answer_over_a_limit_is_a_failure_and_never_a_cut_list() -> None:
    many = Reply(tuple(row("a.example", f"192.0.2.{i}") for i in range(9)))
    big = Reply((Row("b.example", "TXT", 60, b"x" * 5000),))

    async def ask() -> None:
        resolver = CachingResolver(
            Scripted({("a.example", "A"): many, ("b.example", "TXT"): big}), limits=Limits(records=8, octets=4096)
        )
        for name, rdtype in (("a.example", "A"), ("b.example", "TXT")):
            with pytest.raises(ServerFailure):
                await resolver.query(name, rdtype)

    asyncio.run(ask())


def test_a_chain_over_several_answers_is_followed_up_to_its_limit() -> None:
    chain = {
        (f"c{i}.example", "A"): Reply((row(f"c{i}.example", f"c{i + 1}.example", rdtype="CNAME"),)) for i in range(20)
    }
    chain["c5.example", "A"] = Reply((row("c5.example", "192.0.2.1"),))

    async def ask() -> None:
        assert (await CachingResolver(Scripted(dict(chain))).query("c0.example", "A")).records == ("192.0.2.1",)
        with pytest.raises(ServerFailure):
            await CachingResolver(Scripted(dict(chain)), limits=Limits(chain=4)).query("c0.example", "A")

    asyncio.run(ask())


def test_the_whole_question_has_a_time_limit() -> None:
    class Stuck:
        async def fetch(self, name: str, rdtype: str) -> Reply:
            await asyncio.sleep(60)
            raise NoName(name, rdtype)

    async def ask() -> None:
        with pytest.raises(Timeout):
            await CachingResolver(Stuck(), limits=Limits(seconds=0.05)).query("a.example", "A")

    asyncio.run(ask())


def test_only_a_resolver_marked_validating_makes_an_answer_secure(server: NameServer) -> None:
    server.secure = True

    async def ask(validating: bool) -> bool:
        upstream = DirectUpstream([server.server], timeout=ANSWER_SECONDS, validating=validating)
        return (await CachingResolver(upstream).query("smtp.테스트.net", "A")).secure

    assert asyncio.run(ask(validating=True))
    assert not asyncio.run(ask(validating=False))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1#5353", "192.0.2.1", 5353),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("2001:db8::1", "2001:db8::1", 53),
        ("2001:db8::1#5353", "2001:db8::1", 5353),
    ],
)
def test_a_server_is_written_with_or_without_its_port(text: str, host: str, port: int) -> None:
    assert endpoint(text) == (host, port)


def test_the_systems_own_servers_may_be_marked_validating_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "system_servers", lambda: ["192.0.2.53"])
    assert isinstance(services.upstream(DNS(validating=True)), DirectUpstream)

    async def unmarked() -> bool:
        return isinstance(services.upstream(DNS()), CaresUpstream)

    assert asyncio.run(unmarked())


def test_a_system_that_does_not_tell_its_name_servers_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> None:
        raise FileNotFoundError(2, "File not found")

    monkeypatch.setattr(dns.resolver, "Resolver", unreadable)
    assert system_servers() == []
