"""The checks' own words in words for people: why a signature does not count, what is wrong with a record or a chain.

The checks speak English, for logs and header fields. What is recognised here becomes a text that can be translated; the
rest stays as it is.
"""

from __future__ import annotations

import re

from maild.verify.dkim import Check
from maild.verify.dkim.signature import Reason
from maild.verify.explain.line import Words

SIGNATURES = {
    Reason.NO_KEY: "no key is published for it",
    Reason.REVOKED: "its key has been revoked",
    Reason.KEY_SYNTAX: "its key record cannot be read ({detail})",
    Reason.KEY_MISMATCH: "its key record is for another use ({detail})",
    Reason.WEAK_KEY: "its key is shorter than 1024 bits",
    Reason.HISTORIC: "it uses rsa-sha1, which has been retired",
    Reason.BODY: "the text was changed behind it",
    Reason.SIGNATURE: "signed header fields were changed behind it, or the published key is another one",
    Reason.PARTIAL_BODY: "it covers the beginning of the text only",
    Reason.EXPIRED: "it has expired",
    Reason.FUTURE: "it is dated in the future",
    Reason.FROM_UNSIGNED: "it does not cover the From field",
    Reason.DOMAIN: "its i= lies outside its domain",
    Reason.DNS: "its key could not be looked up",
    Reason.TOO_MANY: "there are too many signatures; {detail}",
    Reason.SYNTAX: "it cannot be read ({detail})",
}
_KNOWN = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"(?P<domain>\S+) has (?P<count>\d+) SPF records", "there are {count} SPF records; then none counts"),
        (r"(?P<term>\S+): no SPF record there", "{term} leads to no SPF record"),
        (r"more than (?P<count>\d+) look-ups found nothing", "more than {count} of its names do not exist"),
        (
            r"(?P<term>\S+): more than (?P<count>\d+) terms need DNS",
            "from {term} on it needs over {count} look-ups",
        ),
        (r"(?P<term>\S+): more than (?P<count>\d+) MX records", "{term} has more than {count} MX records"),
        (r"the record is not ASCII", "it holds characters other than ASCII"),
        (r"the domain cannot be looked up", "the name cannot be looked up"),
        (r"(?P<name>\S+) (?P<type>[A-Z0-9]+): no answer in time.*", "no name server of {name} answered in time"),
        (r"(?P<name>\S+) (?P<type>[A-Z0-9]+): the name server failed.*", "the name servers of {name} report a failure"),
        (r"no From field", "there is no From field"),
        (r"(?P<count>\d+) From fields", "there are {count} From fields"),
        (r"the From field holds no valid domain", "the From field holds no valid domain"),
        (r"no address in From", "the From field holds no address"),
        (r"addresses of several domains in From", "the From field names several domains"),
        (r"the body was changed behind the last forwarder", "the text was changed behind the last forwarder"),
        (
            r"header fields were changed behind the last forwarder",
            "the header was changed behind the last forwarder",
        ),
        (r"seal (?P<count>\d+) of (?P<domain>\S+) does not hold", "seal {count}, of {domain}, does not hold"),
        (r"the last message signature: (?P<detail>.+)", "the last forwarder's signature does not count ({detail})"),
        (r"set (?P<count>\d+) is not complete", "set {count} is not complete"),
        (r"(?P<term>[^\s:=]+[:=]?\S*): (?P<detail>.+)", "the term {term} cannot be used ({detail})"),
    )
)
TEXTS = (*SIGNATURES.values(), *(text for _, text in _KNOWN))


def why(check: Check) -> Words:
    """Why a signature does not count."""
    text = SIGNATURES.get(check.reason)
    return Words(text, {"detail": check.detail}) if text else Words(check.detail)


def problem(detail: str) -> Words:
    """What a check said is wrong."""
    for pattern, text in _KNOWN:
        match = pattern.fullmatch(detail)
        if match:
            return Words(text, match.groupdict())
    return Words(detail)
