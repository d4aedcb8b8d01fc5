"""DNS for the daemon: one resolver interface with typed answers and told-apart faults, and the records a domain needs.

Other packages ask through ``Resolver`` and catch ``DNSError``; where an answer comes from (c-ares, dnspython, a test's
zone) is chosen by the one who builds it.
"""

from maild.dns.answer import (
    MX,
    SOA,
    TLSA,
    Answer,
    DNSError,
    NoData,
    NoName,
    Record,
    Resolver,
    ServerFailure,
    Timeout,
)

__all__ = [
    "MX",
    "SOA",
    "TLSA",
    "Answer",
    "DNSError",
    "NoData",
    "NoName",
    "Record",
    "Resolver",
    "ServerFailure",
    "Timeout",
]
