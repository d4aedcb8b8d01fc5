"""The explanation of a checked message: a line each for SPF, every signature, DMARC, ARC, TLS, PTR, size, list fields.

Pure: facts come checked, the records of our own domains come made. A remedy names the exact record wherever the domain
or the address is ours; for others' it says whose administrator has to do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maild.dns.names import reverse as reverse_name
from maild.dns.names import shown
from maild.dns.records import Expected, Purpose
from maild.verify import arc, dmarc, reverse, spf
from maild.verify.decision import Facts
from maild.verify.dkim import Check
from maild.verify.dkim import Result as DKIMResult
from maild.verify.dkim.signature import Reason
from maild.verify.explain import lists, receivers, wording
from maild.verify.explain.line import Level, Line
from maild.verify.explain.path import Path
from maild.verify.message import Headers


@dataclass(frozen=True, slots=True)
class Own:
    """The records of our own domains."""

    records: tuple[Expected, ...] = ()

    def of(self, purpose: Purpose, domain: str = "") -> tuple[Expected, ...]:
        """The records of this kind, of one domain when it is named."""
        return tuple(row for row in self.records if row.purpose is purpose and domain in {"", row.domain})

    def has(self, domain: str) -> bool:
        """Whether the domain is one of ours."""
        return any(row.domain == domain for row in self.records)

    def names(self, ip: str) -> tuple[Expected, ...]:
        """The reverse name that an address of ours should have."""
        return tuple(row for row in self.of(Purpose.PTR) if row.owner == reverse_name(ip))


def explain(
    facts: Facts, headers: Headers, path: Path, size: int, own: Own, asked: Sequence[str] = tuple(receivers.RECEIVERS)
) -> list[Line]:
    """All lines, those of the receivers asked for last."""
    leaving = lists.leaving(headers, facts.dkim)
    message = receivers.Message(
        facts=facts,
        size=size,
        tls=path.tls,
        one_click=leaving.one_click and leaving.is_signed,
        has_unsubscribe=leaving.possible,
        is_bulk=leaving.is_bulk,
        form=lists.misformed(headers),
    )
    lines = [
        _spf(facts, path, own),
        *(_dkim(check, own) for check in facts.dkim),
        _dmarc(facts.dmarc, path, own),
        _arc(facts.arc),
        _tls(path),
        _reverse(facts.reverse, path, own),
        Line(topic="Size", level=Level.GOOD, text="{size:,} bytes", values={"size": size}),
        _unsubscribe(leaving),
    ]
    for name in asked:
        lines += receivers.lines(name, message)
    return lines


_SPF = {
    spf.Result.PASS: "{ip} may send for {domain} ({term})",
    spf.Result.FAIL: "{ip} may not send for {domain} ({term})",
    spf.Result.SOFTFAIL: "{ip} should not send for {domain} ({term})",
    spf.Result.NEUTRAL: "{domain} says nothing about {ip}",
    spf.Result.NONE: "{domain} has no SPF record",
    spf.Result.TEMPERROR: "{domain} could not be looked up: {problem}",
    spf.Result.PERMERROR: "the SPF record of {domain} has an error: {problem}",
}


def _spf(facts: Facts, path: Path, own: Own) -> Line:
    outcome = facts.spf
    good = outcome.result is spf.Result.PASS
    # Forwarding breaks SPF and leaves a signature whole, so the author's own signature settles it.
    is_settled = bool(facts.dmarc.aligned_dkim) and not own.names(path.ip)
    # A stranger at another address who writes in our name is no fault of our record.
    records = () if good or not own.names(path.ip) else own.of(Purpose.SPF, outcome.domain)
    remedy = _SETTLED if is_settled else _spf_remedy(outcome, bool(records), own)
    return Line(
        topic="SPF",
        level=Level.GOOD if good else Level.NOTE if is_settled else Level.BAD,
        text=_SPF[outcome.result],
        values={
            "ip": path.ip,
            "domain": shown(outcome.domain),
            "term": outcome.term or "-",
            "problem": wording.problem(outcome.problem),
        },
        remedy="" if good else remedy,
        records=records,
    )


_SETTLED = "Forwarded mail fails SPF; the author's signature vouches for it instead."


def _spf_remedy(outcome: spf.Outcome, has_records: bool, own: Own) -> str:
    if outcome.result is spf.Result.TEMPERROR:
        return "Try again later; the name servers of {domain} must answer."
    if has_records:
        return "Enter this record:"
    if own.has(outcome.domain):
        return "This address is not ours: it is a forwarder's or a forger's. Nothing has to be entered."
    return "The administrator of {domain} has to add {ip} to its SPF record."


_OURS = {
    Reason.NO_KEY: "Enter the key's record:",
    Reason.REVOKED: "Sign with a key that is published; enter its record:",
    Reason.KEY_SYNTAX: "Correct the key's record:",
    Reason.KEY_MISMATCH: "The record must hold the key that signs:",
    Reason.WEAK_KEY: "Make a key of 2048 bits: maild dkim rotate {domain}",
    Reason.SIGNATURE: "If nothing changed the message on the way, the record must hold the key that signs:",
}
"""What to do where the signing domain is ours."""
_ANYBODY = {
    Reason.HISTORIC: "Sign with rsa-sha256 or ed25519-sha256.",
    Reason.BODY: "Whatever adds text on the way (a footer, a virus scanner, a list) has to sign anew.",
    Reason.SIGNATURE: "Whatever changes header fields on the way (a list, a gateway) has to sign anew.",
    Reason.PARTIAL_BODY: "Sign the whole body, without l=.",
    Reason.EXPIRED: "It was too long on the way; see the queue of the sender.",
    Reason.FUTURE: "The clock of the signing server is wrong; set it by NTP.",
    Reason.FROM_UNSIGNED: "The From field must be signed.",
    Reason.DOMAIN: "i= must be within d=.",
    Reason.DNS: "Try again later; the name servers must answer.",
    Reason.TOO_MANY: "A message needs one or two signatures.",
    Reason.SYNTAX: "The signature field is broken; the signing program has to be corrected.",
}
_THEIRS = "The administrator of {domain} has to correct the key {selector}._domainkey.{domain}."


def _dkim(check: Check, own: Own) -> Line:
    is_ours = own.has(check.domain)
    values: dict[str, object] = {
        "domain": shown(check.domain),
        "selector": check.selector,
        "algorithm": check.algorithm,
        "bits": check.bits,
        "detail": wording.why(check),
    }
    if check.result is DKIMResult.NONE:
        return Line(
            topic="DKIM",
            level=Level.BAD,
            text="the message is not signed",
            remedy="The sender's server has to sign it; ours does by itself, with the keys that maild dkim list shows.",
        )
    if check.passed:
        weak = check.algorithm == "rsa-sha256" and check.bits < 2048
        remedy = (_OURS[Reason.WEAK_KEY] if is_ours else "A key of 2048 bits is advised.") if weak else ""
        return Line(
            topic="DKIM",
            level=Level.NOTE if weak or check.testing else Level.GOOD,
            text="signed by {domain}, selector {selector} ({algorithm}, {bits} bits)",
            values=values,
            remedy=remedy or ("Remove t=y from the key's record: it says the domain is only testing." * check.testing),
        )
    rows = own.of(Purpose.DKIM, check.domain) if check.reason in _OURS else ()
    records = tuple(row for row in rows if row.owner.startswith(f"{check.selector}."))
    remedy = _OURS[check.reason] if records else _ANYBODY.get(check.reason, _THEIRS)
    text = "the signature of {domain}, selector {selector}, does not count: {detail}"
    return Line(
        topic="DKIM",
        level=Level.BAD,
        text=text if check.domain else "a signature does not count: {detail}",
        values=values,
        remedy=remedy,
        records=records,
    )


_UNALIGNED = "SPF must pass for the domain of the From field, or a signature of that domain (alignment)."
_FORGED = (
    "A genuine message passes SPF for the domain of its From field or bears a signature of that domain; "
    "this one may be forged."
)


def _dmarc(evaluation: dmarc.Evaluation, path: Path, own: Own) -> Line:
    values: dict[str, object] = {
        "domain": shown(evaluation.domain),
        "policy": evaluation.requested,
        "place": shown(evaluation.policy_domain),
        "problem": wording.problem(evaluation.problem),
    }
    match evaluation.result:
        case dmarc.Result.PASS:
            by = " + ".join(
                filter(None, ["SPF" * bool(evaluation.aligned_spf), "DKIM" * bool(evaluation.aligned_dkim)])
            )
            text = "passes for {domain} by {by}; its policy is {policy}"
            return Line(topic="DMARC", level=Level.GOOD, text=text, values=values | {"by": by})
        case dmarc.Result.FAIL:
            return Line(
                topic="DMARC",
                level=Level.BAD,
                text="neither SPF nor DKIM passes for {domain}; {place} asks receivers to: {policy}",
                values=values,
                remedy=_UNALIGNED if own.names(path.ip) else _FORGED,
            )
        case dmarc.Result.NONE:
            records = own.of(Purpose.DMARC, evaluation.domain)
            return Line(
                topic="DMARC",
                level=Level.NOTE,
                text="{domain} has no DMARC policy",
                values=values,
                remedy="Enter this record:" if records else "The administrator of {domain} should enter one.",
                records=records,
            )
        case dmarc.Result.TEMPERROR:
            text, remedy = "could not be looked up: {problem}", "Try again later; the name servers must answer."
        case _:
            text, remedy = "cannot be checked: {problem}", "A message needs one From field with one domain."
    return Line(topic="DMARC", level=Level.BAD, text=text, values=values, remedy=remedy)


def _arc(chain: arc.Chain) -> Line:
    values = {"sealers": ", ".join(map(shown, chain.sealers)), "detail": wording.problem(chain.detail)}
    if chain.result is arc.Result.NONE:
        return Line(topic="ARC", level=Level.GOOD, text="the message was not forwarded under a seal")
    if chain.result is arc.Result.PASS:
        return Line(topic="ARC", level=Level.GOOD, text="the chain of {sealers} holds", values=values)
    return Line(
        topic="ARC",
        level=Level.NOTE,
        text="the chain is broken: {detail}",
        values=values,
        remedy="Receivers ignore it; what changed the message stands behind the last seal.",
    )


def _tls(path: Path) -> Line:
    if path.tls is None:
        return Line(
            topic="TLS",
            level=Level.NOTE,
            text="not known: the message has not been on the way yet",
            remedy="Our server uses TLS wherever the receiver offers it; the queue's log shows it.",
        )
    if path.tls:
        return Line(topic="TLS", level=Level.GOOD, text="the last hop was encrypted")
    remedy = "The sending server should use STARTTLS."
    return Line(topic="TLS", level=Level.BAD, text="the last hop was not encrypted", remedy=remedy)


def _reverse(found: reverse.Reverse, path: Path, own: Own) -> Line:
    values = {"ip": path.ip, "name": found.name}
    if found.result is reverse.Result.PASS:
        return Line(topic="PTR", level=Level.GOOD, text="{ip} is called {name}, and that leads back", values=values)
    if found.result is reverse.Result.TEMPERROR:
        remedy = "Try again later; the name servers must answer."
        return Line(topic="PTR", level=Level.NOTE, text="{ip} could not be looked up", values=values, remedy=remedy)
    records = own.names(path.ip)
    return Line(
        topic="PTR",
        level=Level.BAD,
        text="{ip} is called {name}, which does not lead back" if found.name else "{ip} has no reverse name",
        values=values,
        remedy="Ask the internet company for this reverse name, and let its A record name the address:"
        if records
        else "Whoever runs {ip} has to give it a name that leads back to it.",
        records=records,
    )


def _unsubscribe(leaving: lists.Leaving) -> Line:
    topic = "List-Unsubscribe"
    if leaving.one_click and leaving.is_signed:
        return Line(topic=topic, level=Level.GOOD, text="can be unsubscribed from by one click")
    if leaving.one_click:
        return Line(
            topic=topic,
            level=Level.NOTE,
            text="can be unsubscribed from by one click, but no signature covers both fields",
            remedy="Sign List-Unsubscribe and List-Unsubscribe-Post (RFC 8058); ours does.",
        )
    remedy = (
        "Add these fields, the address your own: List-Unsubscribe: <https://...> and "
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    )
    if leaving.possible:
        text = "can be unsubscribed from, but not by one click"
        return Line(topic=topic, level=Level.NOTE, text=text, remedy=remedy)
    if leaving.is_bulk:
        return Line(topic=topic, level=Level.NOTE, text="is list mail without a way to unsubscribe", remedy=remedy)
    return Line(topic=topic, level=Level.GOOD, text="not there; only newsletters and advertisements need it")
