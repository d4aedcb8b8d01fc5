"""DMARC (RFC 9989): policy discovery by tree walk, alignment, the policy to apply; reports (RFC 9990, RFC 8460)."""

from maild.verify.dmarc.evaluate import Evaluation, Result, evaluate
from maild.verify.dmarc.record import Disposition

__all__ = ["Disposition", "Evaluation", "Result", "evaluate"]
