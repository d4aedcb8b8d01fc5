"""Private keys: made, taken over, wrapped; nothing opens with the wrong file, row or name."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from maild.verify.dkim.public_key import read
from maild.verify.dkim.signing_key import Algorithm, DKIMKeyError, from_pem, generate, unwrap, wrap
from tests.lib.dkim import key

WRAP = bytes(range(32))


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_new_key_publishes_a_record_that_verifies_what_it_signs(algorithm: Algorithm) -> None:
    own = generate("테스트.net", "dkim", algorithm)
    assert (own.domain, own.algorithm, own.is_weak) == ("xn--9t4b11yi5a.net", algorithm, False)
    digest = b"\x07" * 32
    assert read(own.record.encode(), algorithm).verifies(own.sign(digest), digest)
    assert len(own.record) < 420


def test_the_tutorials_key_is_taken_over_and_called_weak() -> None:
    private = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the tutorial's size
    for form in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
        own = from_pem("테스트.net", "dkim", private.private_bytes(Encoding.PEM, form, NoEncryption()))
        assert (own.bits, own.is_weak) == (1024, True)


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        (b"-----BEGIN NOTHING-----\n", "no private key"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "only RSA and Ed25519",
        ),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
            ),
            "encrypted with a password",
        ),
    ],
)
def test_a_key_that_cannot_sign_mail_is_refused_with_the_reason(pem: bytes, words: str) -> None:
    with pytest.raises(DKIMKeyError, match=words):
        from_pem("a.example", "s", pem)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_wrapped_key_opens_only_as_itself(algorithm: Algorithm) -> None:
    own = key("a.example", "s", algorithm)
    row = wrap(own, WRAP)
    assert unwrap("a.example", "s", row, WRAP).record == own.record
    assert wrap(own, WRAP) != row
    wrongs = [
        ("b.example", "s", row, WRAP),
        ("a.example", "t", row, WRAP),
        ("a.example", "s", row[:-1] + bytes([row[-1] ^ 1]), WRAP),
        ("a.example", "s", row, bytes(32)),
        ("a.example", "s", b"\x09" + row[1:], WRAP),
        ("a.example", "s", b"", WRAP),
    ]
    for domain, selector, wrapped, wrap_key in wrongs:
        with pytest.raises(DKIMKeyError):
            unwrap(domain, selector, wrapped, wrap_key)
