"""What reports say in words: why mail in our name failed at a receiver, why TLS to us did. Texts are translated here.

Results are those of RFC 8601, reasons those of RFC 9990, kinds of failed TLS those of RFC 8460 section 4.3; what a
reporter makes up beside them is shown as it stands.
"""

from __future__ import annotations

from maild.dns.names import shown
from maild.locale import Translator
from maild.verify.dmarc.intake import Cause

_CAUSES = {
    ("dkim", "pass"): "signed by {domain}, which is not the domain of the author",
    ("dkim", "none"): "without a DKIM signature",
    ("dkim", "fail"): "the DKIM signature of {domain} was broken: the message was changed, or it is forged",
    ("dkim", "temperror"): "the receiver could not look up the DKIM key of {domain}",
    ("dkim", "permerror"): "the DKIM key of {domain} could not be used",
    ("spf", "pass"): "sent in the name of {domain}, which is not the domain of the author",
    ("spf", "none"): "{domain} has no SPF record",
    ("spf", "neutral"): "the SPF record of {domain} says nothing of this address",
    ("spf", "softfail"): "the SPF record of {domain} does not name this address (softly)",
    ("spf", "fail"): "the SPF record of {domain} does not name this address",
    ("spf", "temperror"): "the receiver could not look up the SPF record of {domain}",
    ("spf", "permerror"): "the SPF record of {domain} is wrong",
}
_SPARED = {
    "forwarded": "the receiver took it for forwarded mail",
    "mailing_list": "the receiver took it for mail of a list",
    "trusted_forwarder": "it came over a forwarder that the receiver trusts",
    "local_policy": "a rule of the receiver let it pass",
    "policy_test_mode": "your record says that the policy is only tested (t=y)",
    "sampled_out": "your record applies to a share of the mail only (pct=)",
}
_TLS = {
    "starttls-not-supported": "the server did not offer STARTTLS",
    "certificate-host-mismatch": "the certificate is for another name",
    "certificate-expired": "the certificate has expired",
    "certificate-not-trusted": "the certificate is of no authority that the sender trusts",
    "validation-failure": "TLS could not be agreed on",
    "tlsa-invalid": "the TLSA record does not fit the certificate",
    "dnssec-invalid": "the zone's DNSSEC is broken",
    "dane-required": "the sender asks for DANE, and there is no TLSA record",
    "sts-policy-fetch-error": "the MTA-STS policy could not be fetched",
    "sts-policy-invalid": "the MTA-STS policy is wrong",
    "sts-webpki-invalid": "the web server of the MTA-STS policy has no valid certificate",
}


def cause_text(cause: Cause, say: Translator) -> str:
    """Why messages failed."""
    if cause.method == "reason":
        return say(_SPARED[cause.result]) if cause.result in _SPARED else cause.result
    text = _CAUSES.get((cause.method, cause.result))
    if text is None:
        return f"{cause.method.upper()}: {cause.result} ({shown(cause.domain)})"
    return say(text, domain=shown(cause.domain))


def tls_text(kind: str, say: Translator) -> str:
    """Why TLS failed."""
    return say(_TLS[kind]) if kind in _TLS else kind
