"""RFC 8301 and RFC 8463 (keys and algorithms of DKIM) demand by demand, in the published texts' words."""

from __future__ import annotations

import pytest

from maild.verify.dkim import Algorithm
from maild.verify.dkim.signing_key import DKIMKeyError, from_pem
from tests.lib import musts
from tests.lib.dkim import key, signed, verified, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Zones
from tests.unit.maild.verify.dkim_messages import (
    DATA,
    DOMAIN,
    MESSAGE,
    PASS,
    by_dkimpy,
    first,
    relaxed,
    stands,
    tags_of,
)

SHORT = DATA / "short-768.pem"


def refused(pem: bytes) -> bool:
    try:
        from_pem(DOMAIN, "s", pem)
    except DKIMKeyError:
        return True
    return False


def weak_record() -> bytes:
    """An RSA key of 512 bits."""
    return (
        b"v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/PlzfV+Py92VaC"
        b"ak19F4WrbVTK5Gg5tW220MCAwEAAQ=="
    )


TABLE = musts.read("rfc8301")
PROBES: Probes = {
    "rsa-sha1-is-retired": (
        lambda: [stands(relaxed()), stands(by_dkimpy(signature_algorithm=b"rsa-sha1"), now=4e9)],
        [PASS, ("policy", "historic-algorithm")],
    ),
    "rsa-1024-to-4096": (
        lambda: [
            [str(check.result) for check in verified(signed(MESSAGE, own), Zones(zone(own)))]
            for own in (key(DOMAIN, "s", bits=bits) for bits in (1024, 2048, 4096))
        ],
        [["pass"], ["pass"], ["pass"]],
    ),
    "rsa-below-1024": (
        lambda: (str(first(relaxed(), weak_record()).result), str(first(relaxed(), weak_record()).reason)),
        ("policy", "weak-key"),
    ),
    "ed25519": (
        lambda: [
            (str(check.result), check.algorithm)
            for check in verified(
                signed(MESSAGE, key(DOMAIN, "e", Algorithm.ED25519)), Zones(zone(key(DOMAIN, "e", Algorithm.ED25519)))
            )
        ],
        [("pass", "ed25519-sha256")],
    ),
    "signs-rsa-sha256-still": (
        lambda: tags_of()["a"],
        "rsa-sha256",
    ),
    "signs-with-long-keys-only": (
        lambda: [
            refused(pem) for pem in (SHORT.read_bytes(), key(DOMAIN, "s", bits=1024).pem(), key(DOMAIN, "s").pem())
        ],
        [True, False, False],
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_8301_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words
