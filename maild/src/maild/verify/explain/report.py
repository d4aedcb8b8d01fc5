"""The explanation of a checked message: a line each for SPF, every signature, DMARC, ARC, TLS, PTR, size, list fields.

Pure: facts come checked, the records of our own domains come made. A remedy names the exact record wherever the domain
is ours; for others' domains it says what their administrator has to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maild.dns.names import shown
from maild.dns.records import Expected, Purpose
from maild.verify import arc, dmarc, reverse, spf
from maild.verify.decision import Facts
from maild.verify.dkim import Check
from maild.verify.dkim import Result as DKIMResult
from maild.verify.dkim.signature import Reason
from maild.verify.explain import receivers
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


def explain(
    facts: Facts, headers: Headers, path: Path, size: int, own: Own, asked: Sequence[str] = tuple(receivers.RULES)
) -> list[Line]:
    """All lines, those of the receivers asked for last."""
    unsubscribe = headers.all(b"list-unsubscribe")
    one_click = bool(headers.all(b"list-unsubscribe-post")) and any(b"https:" in one.value for one in unsubscribe)
    message = receivers.Message(
        facts=facts, size=size, tls=path.tls, one_click=one_click, has_unsubscribe=bool(unsubscribe)
    )
    lines = [
        _spf(facts.spf, path, own),
        *(_dkim(check, own) for check in facts.dkim),
        _dmarc(facts.dmarc, own),
        _arc(facts.arc),
        _tls(path),
        _reverse(facts.reverse, path, own),
        Line(topic="Size", level=Level.GOOD, text="{size:,} bytes", values={"size": size}),
        _unsubscribe(message),
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


def _spf(outcome: spf.Outcome, path: Path, own: Own) -> Line:
    good = outcome.result is spf.Result.PASS
    records = () if good else own.of(Purpose.SPF, outcome.domain)
    remedy = ""
    if outcome.result is spf.Result.TEMPERROR:
        remedy = "Try again later; the name servers of {domain} must answer."
    elif not good:
        remedy = "Enter this record:" if records else "The administrator of {domain} has to add {ip} to its SPF record."
    return Line(
        topic="SPF",
        level=Level.GOOD if good else Level.BAD,
        text=_SPF[outcome.result],
        values={
            "ip": path.ip,
            "domain": shown(outcome.domain),
            "term": outcome.term or "-",
            "problem": outcome.problem,
        },
        remedy=remedy,
        records=records,
    )


_DKIM_REMEDIES = {
    Reason.NO_KEY: "Enter the key's record:",
    Reason.REVOKED: "Sign with a key that is published; enter its record:",
    Reason.KEY_SYNTAX: "Correct the key's record:",
    Reason.KEY_MISMATCH: "The record must hold the key that signs:",
    Reason.WEAK_KEY: "Make a key of 2048 bits: maild dkim rotate.",
    Reason.HISTORIC: "Sign with rsa-sha256 or ed25519-sha256.",
    Reason.BODY: "Something changed the text on the way: a footer, a virus scanner, a list. Let it sign anew.",
    Reason.SIGNATURE: "Something changed a signed field on the way, or the record holds another key.",
    Reason.PARTIAL_BODY: "Sign the whole body, without l=.",
    Reason.EXPIRED: "It was too long on the way; see the queue.",
    Reason.FUTURE: "The clock of the signing server is wrong; set it by NTP.",
    Reason.FROM_UNSIGNED: "The From field must be signed.",
    Reason.DOMAIN: "i= must be within d=.",
    Reason.DNS: "Try again later; the name servers must answer.",
    Reason.TOO_MANY: "A message needs one or two signatures.",
    Reason.SYNTAX: "The signature field is broken; the signing program has to be corrected.",
}


def _dkim(check: Check, own: Own) -> Line:
    values = {
        "domain": shown(check.domain),
        "selector": check.selector,
        "algorithm": check.algorithm,
        "bits": check.bits,
        "detail": check.detail,
    }
    if check.result is DKIMResult.NONE:
        return Line(
            topic="DKIM",
            level=Level.BAD,
            text="the message is not signed",
            remedy="Sign it: keys are made by maild reconcile and shown by maild dkim list.",
        )
    if check.passed:
        weak = check.algorithm == "rsa-sha256" and check.bits < 2048
        text = "signed by {domain}, selector {selector} ({algorithm}, {bits} bits)"
        return Line(
            topic="DKIM",
            level=Level.NOTE if weak or check.testing else Level.GOOD,
            text=text,
            values=values,
            remedy=_DKIM_REMEDIES[Reason.WEAK_KEY]
            if weak
            else "Remove t=y from the key's record."
            if check.testing
            else "",
        )
    records = own.of(Purpose.DKIM, check.domain) if check.reason in _ABOUT_RECORDS else ()
    return Line(
        topic="DKIM",
        level=Level.BAD,
        text="the signature of {domain}, selector {selector}, does not count: {detail}"
        if check.domain
        else "a signature does not count: {detail}",
        values=values,
        remedy=_DKIM_REMEDIES.get(check.reason, ""),
        records=tuple(row for row in records if row.owner.startswith(f"{check.selector}.")),
    )


_ABOUT_RECORDS = frozenset({Reason.NO_KEY, Reason.REVOKED, Reason.KEY_SYNTAX, Reason.KEY_MISMATCH, Reason.SIGNATURE})


def _dmarc(evaluation: dmarc.Evaluation, own: Own) -> Line:
    values = {
        "domain": shown(evaluation.domain),
        "policy": evaluation.requested,
        "place": shown(evaluation.policy_domain),
        "problem": evaluation.problem,
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
                remedy="Let SPF pass for the domain of the From field, or sign with it (alignment).",
                records=own.of(Purpose.SPF, evaluation.domain) + own.of(Purpose.DKIM, evaluation.domain),
            )
        case dmarc.Result.NONE:
            return Line(
                topic="DMARC",
                level=Level.NOTE,
                text="{domain} has no DMARC policy",
                values=values,
                remedy="Enter this record:" if own.of(Purpose.DMARC, evaluation.domain) else "",
                records=own.of(Purpose.DMARC, evaluation.domain),
            )
        case dmarc.Result.TEMPERROR:
            text, remedy = "could not be looked up: {problem}", "Try again later; the name servers must answer."
        case _:
            text, remedy = "cannot be checked: {problem}", "A message needs one From field with one domain."
    return Line(topic="DMARC", level=Level.BAD, text=text, values=values, remedy=remedy)


def _arc(chain: arc.Chain) -> Line:
    values = {"sealers": ", ".join(map(shown, chain.sealers)), "detail": chain.detail}
    if chain.result is arc.Result.NONE:
        return Line(topic="ARC", level=Level.GOOD, text="the message was not forwarded under a seal")
    if chain.result is arc.Result.PASS:
        return Line(topic="ARC", level=Level.GOOD, text="the chain of {sealers} holds", values=values)
    return Line(
        topic="ARC",
        level=Level.NOTE,
        text="the chain is broken: {detail}",
        values=values,
        remedy="Receivers ignore it; a forwarder changed the message behind its seal.",
    )


def _tls(path: Path) -> Line:
    if path.tls is None:
        return Line(topic="TLS", level=Level.NOTE, text="not known: the message has not been on the way yet")
    if path.tls:
        return Line(topic="TLS", level=Level.GOOD, text="the last hop was encrypted")
    remedy = "The sending server should use STARTTLS."
    return Line(topic="TLS", level=Level.BAD, text="the last hop was not encrypted", remedy=remedy)


def _reverse(found: reverse.Reverse, path: Path, own: Own) -> Line:
    values = {"ip": path.ip, "name": found.name}
    if found.result is reverse.Result.PASS:
        return Line(topic="PTR", level=Level.GOOD, text="{ip} is called {name}, and that leads back", values=values)
    if found.result is reverse.Result.TEMPERROR:
        return Line(topic="PTR", level=Level.NOTE, text="{ip} could not be looked up", values=values)
    text = "{ip} is called {name}, which does not lead back" if found.name else "{ip} has no reverse name"
    return Line(
        topic="PTR",
        level=Level.BAD,
        text=text,
        values=values,
        remedy="Ask the internet company for this reverse name, and let its A record name the address:",
        records=own.of(Purpose.PTR),
    )


def _unsubscribe(message: receivers.Message) -> Line:
    if message.one_click:
        text, level = "can be unsubscribed from by one click", Level.GOOD
    elif message.has_unsubscribe:
        text, level = "can be unsubscribed from, but not by one click", Level.NOTE
    else:
        text, level = "has no way to unsubscribe; only bulk mail needs one", Level.GOOD
    remedy = "" if level is Level.GOOD else receivers.ONE_CLICK.remedy
    return Line(topic="List-Unsubscribe", level=level, text=text, remedy=remedy)
