"""What is accepted from whom: IP ranges, the relay decision, logins, bans, rates, and checks of strangers.

The decisions are pure functions over rows; ``Gate`` and ``Login`` hold what the daemon knows of them at a moment.
"""

from maild.policy.gate import Gate
from maild.policy.login import LANES, Answer, Login, Outcome
from maild.policy.passwords import hash_password, verifier_of
from maild.policy.ranges import BAN_PRIORITY, DEFAULT_RANGES, Table
from maild.policy.rates import Bound, Rates
from maild.policy.relay import Verdict, decide, direction
from maild.policy.scram import SCRAMError
from maild.policy.senders import Own, foreign_author, own_addresses

__all__ = [
    "BAN_PRIORITY",
    "DEFAULT_RANGES",
    "LANES",
    "Answer",
    "Bound",
    "Gate",
    "Login",
    "Outcome",
    "Own",
    "Rates",
    "SCRAMError",
    "Table",
    "Verdict",
    "decide",
    "direction",
    "foreign_author",
    "hash_password",
    "own_addresses",
    "verifier_of",
]
