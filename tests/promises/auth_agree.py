"""What we say of a message agrees with dkimpy, pyspf, opendkim and opendmarc, or the RFC's words say why not."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dkim as dkimpy
import spf as pyspf

from maild.dns import MX
from maild.verify import Peer, Verdict, check_message
from maild.verify.check import authentication_results
from tests.lib import authcases, milters, musts
from tests.lib.authcases import Case, Table
from tests.lib.dkim import verified
from tests.lib.zones import Zones

ABOUT = "SPF, DKIM and DMARC results agree with four other implementations; every disagreement is explained"
SEED = 7
COUNTS = {"small": 300, "full": 2400}
US = "us.example"
DATA = Path(__file__).resolve().parent.parent / "data" / "dkim"
_SELECTOR = re.compile(r"dkim=pass[^;]*?header\.s=([^\s;]+)")
_SIGNATURE_SELECTOR = re.compile(rb"[;\s]s=([^;\s]+)")
_DMARC = re.compile(r"dmarc=(\w+) \(p=(\w+)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One result that is not the same."""

    oracle: str
    case: Case
    ours: object
    theirs: object


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a kind of difference is right: the standard's words (``tests/data/rfc/explained.toml``), then ours."""

    oracle: str
    cited: str
    ours: str
    fits: Callable[[Difference], bool]

    @property
    def words(self) -> str:
        """The whole reason."""
        cited = WORDS[self.cited]
        return f'RFC {cited.rfc} section {cited.section}: "{cited.words}" - {self.ours}'


def run(size: str) -> dict[str, object]:
    """Makes the cases, asks everyone, lists the differences, then explains them."""
    appendices = _appendices()
    now = time.time()
    cases = authcases.make(SEED, COUNTS[size], now)
    table = authcases.table_of(cases)
    verdicts = asyncio.run(_ours(cases, table))
    with tempfile.TemporaryDirectory(prefix="auth-agree-") as name:
        folder = Path(name)
        differences = [
            *_dkimpy(cases, verdicts, table),
            *_pyspf(cases, verdicts, table),
            *_opendkim(cases, verdicts, table, folder),
            *_opendmarc(cases, verdicts, table, folder),
        ]
    listed = [
        f"{one.oracle} {one.case.id} {one.case.kind}: ours {one.ours}, theirs {one.theirs}" for one in differences
    ]
    explained: Counter[str] = Counter()
    open_: list[str] = []
    for one, line in zip(differences, listed, strict=True):
        words = next((e.words for e in EXPLANATIONS if e.oracle == one.oracle and e.fits(one)), None)
        if words is None:
            open_.append(line)
        else:
            explained[f"{one.oracle}: {words}"] += 1
    assert not open_, f"{len(open_)} differences without an explanation: " + " | ".join(open_[:12])
    passing = sum(verdict.facts.dmarc.result == "pass" or _passed(verdict) != set() for verdict in verdicts)
    foreign = sum(case.signer in {"dkimpy", "opendkim"} for case in cases)
    assert passing >= 0.4 * len(cases), f"only {passing} of {len(cases)} cases pass"
    assert foreign >= 0.3 * len(cases), f"only {foreign} of {len(cases)} cases are signed by others"
    return {
        "cases": len(cases),
        "appendices": appendices,
        "seed": SEED,
        "passing": passing,
        "signed_by_others": foreign,
        **authcases.counts(cases),
        "oracles": ["dkimpy", "pyspf", "opendkim", "opendmarc"],
        "differences": len(differences),
        "listed": listed[:200],
        "explained": dict(explained.most_common()),
    }


def _appendices() -> list[str]:
    """The signed examples of the RFCs, byte for byte; a changed byte must fail."""
    keys = dict(line.split(" ", 1) for line in (DATA / "keys.txt").read_text().splitlines())
    resolver = Zones({name: {"TXT": [value.encode()]} for name, value in keys.items()})
    shown = []
    for name, signatures in (("rfc6376-a", 1), ("rfc8463-a", 2)):
        data = (DATA / f"{name}.eml").read_bytes()
        assert [check.result for check in verified(data, resolver)] == ["pass"] * signatures, name
        for place in (data.index(b"Joe Six"), data.index(b"hungry")):
            changed = data[:place] + b"X" + data[place + 1 :]
            assert {check.result for check in verified(changed, resolver)} == {"fail"}, (name, place)
        shown.append(name)
    return shown


async def _ours(cases: Sequence[Case], table: Table) -> list[Verdict]:
    resolver = Zones(table)
    return [
        await check_message(
            case.message,
            Peer(ip=case.ip, helo=case.helo, sender=case.sender),
            resolver=resolver,
            server=US,
        )
        for case in cases
    ]


def _passed(verdict: Verdict) -> set[str]:
    return {check.selector for check in verdict.facts.dkim if check.passed}


def _txt(table: Table, name: str) -> bytes | None:
    types = table.get(name)
    values = types.get("TXT") if isinstance(types, dict) else None
    return values[0] if values else None  # type: ignore[return-value]


def _dkimpy(cases: Sequence[Case], verdicts: Sequence[Verdict], table: Table) -> list[Difference]:
    def answer(name: bytes, **_: object) -> bytes | None:
        return _txt(table, name.decode().rstrip("."))

    found = []
    for case, verdict in zip(cases, verdicts, strict=True):
        head = case.message.partition(b"\r\n\r\n")[0]
        fields = [part for part in re.split(rb"\r\n(?![ \t])", head) if part.lower().startswith(b"dkim-signature:")]
        theirs = set()
        for number, field in enumerate(fields):
            try:
                good = dkimpy.DKIM(case.message).verify(idx=number, dnsfunc=answer)
            except dkimpy.DKIMException:
                good = False
            match = _SIGNATURE_SELECTOR.search(field)
            if good and match:
                theirs.add(match[1].decode())
        if theirs != _passed(verdict):
            found.append(Difference("dkimpy", case, sorted(_passed(verdict)), sorted(theirs)))
    return found


def _pyspf(cases: Sequence[Case], verdicts: Sequence[Verdict], table: Table) -> list[Difference]:
    def look_up(name: str, rdtype: str, *_: object, **__: object) -> list[object]:
        types = table.get(name.lower().rstrip("."))
        values = types.get(rdtype, []) if isinstance(types, dict) else []
        return [((name, rdtype), _pyspf_value(value)) for value in values]

    original = pyspf.DNSLookup
    pyspf.DNSLookup = look_up
    try:
        found = []
        for case, verdict in zip(cases, verdicts, strict=True):
            theirs, _ = pyspf.check2(case.ip, case.sender, case.helo)
            if theirs != verdict.facts.spf.result:
                found.append(Difference("pyspf", case, str(verdict.facts.spf.result), theirs))
        return found
    finally:
        pyspf.DNSLookup = original


def _pyspf_value(value: object) -> object:
    if isinstance(value, MX):
        return (value.preference, value.host)
    return (value,) if isinstance(value, bytes) else value


def _opendkim(cases: Sequence[Case], verdicts: Sequence[Verdict], table: Table, folder: Path) -> list[Difference]:
    milters.records(table, folder / "keys")
    settings = {
        "Mode": "v",
        "AuthservID": milters.SERVER,
        "TestPublicKeys": folder / "keys",
        "AlwaysAddARHeader": "yes",
    }
    with milters.running("opendkim", settings, folder) as socket:
        mails = [milters.Mail(case.id, case.message) for case in cases]
        answers = milters.sent(socket, mails, folder, field="Authentication-Results")
    found = []
    for case, verdict in zip(cases, verdicts, strict=True):
        theirs = set(_SELECTOR.findall(" ".join(answers[case.id])))
        if theirs != _passed(verdict):
            found.append(Difference("opendkim", case, sorted(_passed(verdict)), sorted(theirs)))
    return found


def _opendmarc(cases: Sequence[Case], verdicts: Sequence[Verdict], table: Table, folder: Path) -> list[Difference]:
    """Compared where one author is there; every organization here is one label below the suffix, as the list has it."""
    milters.records(table, folder / "dns")
    (folder / "suffixes").write_text("example\n")
    settings = {
        "AuthservID": milters.SERVER,
        "TrustedAuthservIDs": US,
        "TestDNSData": folder / "dns",
        "PublicSuffixList": folder / "suffixes",
        "RejectFailures": "no",
        "SoftwareHeader": "no",
    }
    pairs = [pair for pair in zip(cases, verdicts, strict=True) if pair[0].kind != "from-added"]
    mails = []
    for case, verdict in pairs:
        # opendmarc takes no local part in smtp.mailfrom (RFC 8601 section 2.7.2 allows one); it needs the domain.
        peer = Peer(ip=case.ip, helo=case.helo, sender=case.sender.rpartition("@")[2])
        results = authentication_results(US, peer, verdict.facts)
        mails.append(milters.Mail(case.id, results + case.message, case.ip, case.helo, case.sender))
    with milters.running("opendmarc", settings, folder) as socket:
        answers = milters.sent(socket, mails, folder, field="Authentication-Results")
    found = []
    for case, verdict in pairs:
        match = _DMARC.search(" ".join(answers[case.id]))
        evaluation = verdict.facts.dmarc
        theirs = (match[1], match[2]) if match else ("", "")
        ours = (str(evaluation.result), str(evaluation.requested))
        if theirs != ours:
            found.append(Difference("opendmarc", case, ours, theirs))
    return found


def _record(one: Difference) -> bytes:
    return _txt(one.case.table, f"_dmarc.{one.case.domain}") or b""


def _repeats_unknown(table: Table) -> bool:
    return any(_txt(table, name) is not None and str(_txt(table, name)).count("unknown=x") > 1 for name in table)


def _is_partial(one: Difference) -> bool:
    return one.case.kind == "appended" and one.ours == [] and one.theirs == ["dkim"]


WORDS = {row.probe: row for row in musts.read("explained")}
_PARTIAL = "a signature with l= does not count here once something stands behind the signed part"
EXPLANATIONS: Sequence[Explanation] = (
    Explanation("dkimpy", "body-signed-in-part", _PARTIAL, _is_partial),
    Explanation("opendkim", "body-signed-in-part", _PARTIAL, _is_partial),
    Explanation(
        "opendkim",
        "next-signature",
        "opendkim gives up on the message when one signature has no d=",
        lambda one: one.case.kind == "no-domain" and one.ours == ["dkim-ed"] and one.theirs == [],
    ),
    Explanation(
        "pyspf",
        "repeated-modifiers",
        "pyspf refuses a record in which one comes twice",
        lambda one: one.theirs == "permerror" and _repeats_unknown(one.case.table),
    ),
    Explanation(
        "opendmarc",
        "strict-alignment",
        "opendmarc lets a subdomain pass",
        lambda one: b"=s" in _record(one) and one.ours[0] == "fail" and one.theirs[0] == "pass",  # type: ignore[index]
    ),
    Explanation(
        "opendmarc",
        "null-path",
        "opendmarc takes no identity for a null path",
        lambda one: not one.case.sender and one.ours[0] == "pass" and one.theirs[0] == "fail",  # type: ignore[index]
    ),
)
