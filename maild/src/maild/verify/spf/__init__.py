"""Sender Policy Framework (RFC 7208): records parsed, macros expanded, hosts checked, own records linted."""

from maild.verify.spf.check import Outcome, check_host, check_sender
from maild.verify.spf.record import Result

__all__ = ["Outcome", "Result", "check_host", "check_sender"]
