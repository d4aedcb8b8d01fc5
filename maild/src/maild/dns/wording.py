"""Findings about a zone in words: the state of a record, and what to do about it. Texts are translated here."""

from __future__ import annotations

from maild.dns import zone
from maild.dns.check import Finding, Problem, State
from maild.dns.names import shown
from maild.dns.records import Expected
from maild.locale import Translator

HEADINGS = ("Type", "Host", "Value", "Priority", "State")


def headings(say: Translator) -> tuple[str, ...]:
    """The table's headings: 타입, 호스트, 값, 우선순위, 상태."""
    return tuple(say(word) for word in HEADINGS)


def state(finding: Finding | None, say: Translator) -> str:
    """One or two words for the table."""
    if finding is None:
        return say("not checked")
    if finding.state is State.OK and not finding.fine:
        return say("needs attention")
    words = {
        State.OK: "in order",
        State.MISSING: "missing",
        State.DIFFERENT: "differs",
        State.PARTIAL: "not on all servers yet",
        State.UNKNOWN: "no answer",
    }
    return say(words[finding.state])


def problem(finding: Finding, say: Translator) -> str:
    """What is wrong and what to do, as sentences; empty when nothing is."""
    row = finding.expected
    found = ", ".join(finding.found)
    host = shown(row.owner)
    sentences = {
        Problem.MX_IS_ADDRESS: "The MX of {host} is an IP address ({cause}) but must be a name. Enter {value}.",
        Problem.MX_IS_ALIAS: "The MX of {host} is an alias ({cause}). Give that name an A record, no CNAME.",
        Problem.DUPLICATE: "{host} has several records of this kind ({found}); then none counts. Leave this one.",
        Problem.EXTRA_MX: "{host} has other MX records ({found}); remove those of servers that do not take your mail.",
        Problem.NOT_CONFIRMED: "{value} does not lead back to the address; its A or AAAA record must name it.",
        Problem.NO_ANSWER: "No name server answered for {host} ({cause}); try again later.",
        Problem.NOT_AUTHORITATIVE: "The domain's name servers could not be reached; this is what the resolver knows.",
    }
    kind = Problem.NO_ANSWER if finding.state is State.UNKNOWN else finding.problem
    if kind is Problem.NOT_AUTHORITATIVE and not finding.fine:
        return _through_the_resolver(finding, say)
    if kind in sentences:
        return say(sentences[kind], host=host, found=found, value=shown(row.value), cause=finding.cause or found)
    if row.rdtype == "PTR" and finding.state in {State.MISSING, State.DIFFERENT}:
        return say(
            "Ask the internet company to set the reverse name (PTR) of this address to {value}.",
            value=shown(row.value),
        )
    if finding.state is State.MISSING:
        return say("{host} has no such record. Enter it.", host=host)
    if finding.state is State.DIFFERENT:
        return say("{host} has another value: {found}. Enter the one below.", host=host, found=found)
    if finding.state is State.PARTIAL:
        return say("These name servers do not have it yet: {servers}.", servers=", ".join(finding.servers))
    return ""


def _through_the_resolver(finding: Finding, say: Translator) -> str:
    """What is wrong by the word of the resolver alone, which may be older than the zone."""
    if finding.found:
        return say(
            "The domain's name servers could not be reached; the resolver knows {found}. Enter the value below.",
            found=", ".join(finding.found),
        )
    return say("The domain's name servers could not be reached; the resolver knows no such record. Enter it.")


def entry(row: Expected, say: Translator) -> list[str]:
    """The record as it is entered; a long TXT value on one line and in quoted strings."""
    priority = f" | {row.preference}" if row.preference is not None else ""
    lines = [f"{row.rdtype} | {shown(row.owner)} | {row.value}{priority}"]
    if row.rdtype == "TXT" and len(zone.strings(row.value)) > 1:
        lines.append(
            say("or, where a form takes at most 255 characters at once: {value}", value=zone.quoted(row.value))
        )
    return lines
