"""DKIM (RFC 6376 with 8301, 8463, 8616): signatures verified and made, keys kept, rotated and taken over."""

from maild.verify.dkim.signature import Check, Result
from maild.verify.dkim.signer import Signer
from maild.verify.dkim.signing_key import Algorithm, SigningKey
from maild.verify.dkim.verifier import Verifier

__all__ = ["Algorithm", "Check", "Result", "Signer", "SigningKey", "Verifier"]
