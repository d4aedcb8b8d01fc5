"""Who really sent a message: SPF, DKIM, DMARC and ARC checked, the result written, one decision made; mail signed.

``check_message`` serves the SMTP server at the end of DATA, ``sign_outgoing`` the delivery. Resolver, clock and options
are passed in; nothing here reads settings, stores rows or speaks to a peer.
"""

from maild.verify.check import Checker, Peer, Verdict, check_message
from maild.verify.decision import Action, Decision, Rules, Signal
from maild.verify.keyring import FixedKeys, Keyring, StoredKeys
from maild.verify.outgoing import Signed, sign_outgoing
from maild.verify.results import without_forged

__all__ = [
    "Action",
    "Checker",
    "Decision",
    "FixedKeys",
    "Keyring",
    "Peer",
    "Rules",
    "Signal",
    "Signed",
    "StoredKeys",
    "Verdict",
    "check_message",
    "sign_outgoing",
    "without_forged",
]
