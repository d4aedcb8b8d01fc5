"""SCRAM-SHA-256 against its test vector, and everything that is not it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.policy import scram
from maild.policy.saslprep import SASLprepError, prepared
from maild.policy.scram import SCRAMError, Verifier
from tests.lib.scram import Client

# RFC 7677 section 3.
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CHALLENGE = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
LAST = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
PENCIL = scram.verifier("pencil", salt=base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)


def test_exchange_of_rfc_7677() -> None:
    opened = scram.opening(FIRST)
    assert scram.challenge(opened, PENCIL, SERVER_NONCE) == CHALLENGE
    assert scram.conclusion(opened, CHALLENGE, FINAL, PENCIL) == LAST


def test_verifier_comes_back_from_its_written_form() -> None:
    assert Verifier.read(str(PENCIL)) == PENCIL
    assert str(PENCIL).startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    for wrong in ("", "SCRAM-SHA-1$1:YQ==$YQ==:YQ==", "SCRAM-SHA-256$x:YQ==$YQ==:YQ==", "SCRAM-SHA-256$1:Y$Y:Y"):
        with pytest.raises(SCRAMError):
            Verifier.read(wrong)


@given(
    st.text(
        st.characters(max_codepoint=0xD7A3, categories=["L", "N", "P"], exclude_characters="\u1806"),
        min_size=1,
        max_size=20,
    )
)
def test_client_that_knows_the_password_gets_in_and_no_other(password: str) -> None:
    try:
        kept = scram.verifier(password, iterations=1)
    except SASLprepError:
        return
    for tried in (password, password + "x"):
        client = Client("id@테스트.net", tried)
        opened = scram.opening(client.first())
        challenged = scram.challenge(opened, kept, scram.new_nonce())
        said = scram.conclusion(opened, challenged, client.final(challenged), kept)
        assert (said is not None) == (tried == password)
        assert said is None or client.trusts(said)


def test_stand_in_of_an_unknown_user_is_stable_and_fits_no_proof() -> None:
    kept = scram.stand_in(b"key", "nobody@a.net")
    assert kept == scram.stand_in(b"key", "nobody@a.net")
    assert kept.salt != scram.stand_in(b"key", "other@a.net").salt
    assert kept.salt != scram.stand_in(b"another", "nobody@a.net").salt
    assert (kept.iterations, len(kept.salt)) == (scram.ITERATIONS, len(scram.verifier("x").salt))
    client = Client("nobody@a.net", "")
    opened = scram.opening(client.first())
    challenged = scram.challenge(opened, kept, "n")
    assert scram.conclusion(opened, challenged, client.final(challenged), kept) is None


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n,,",
        b"n,,n=,r=a",
        b"n,,n=a=b,r=a",
        b"n,,n=a,r=",
        b"n,,r=a,n=a",
        b"n,,m=x,n=a,r=a",
        b"n,a=other,n=a,r=a",
        b"p=tls-exporter,,n=a,r=a",
        b"x,,n=a,r=a",
        b"n,,n=\xff,r=a",
        b"n,,n=a\0,r=a",
        b"n,,n=a,r=" + b"a" * 3000,
    ],
)
def test_first_message_that_is_none_is_refused(message: bytes) -> None:
    with pytest.raises(SCRAMError):
        scram.opening(message)


def test_names_may_hold_commas_and_equals_signs_and_extensions_are_ignored() -> None:
    assert scram.opening(b"y,a=a=2Cb=3D,n=a=2Cb=3D,r=x,f=new").user == "a,b="


@pytest.mark.parametrize(
    "message",
    [
        b"",
        FINAL.replace(b"biws", b"eSws"),
        FINAL.replace(b"k0,p", b"k1,p"),
        FINAL.replace(b"r=rO", b"r=xO"),
        FINAL.replace(b"p=", b"p=!"),
        FINAL.partition(b",p=")[0],
    ],
)
def test_last_message_of_another_exchange_is_refused(message: bytes) -> None:
    with pytest.raises(SCRAMError):
        scram.conclusion(scram.opening(FIRST), CHALLENGE, message, PENCIL)


@pytest.mark.parametrize("proof", [b"AAAA", base64.b64encode(bytes(32)), base64.b64encode(bytes(33))])
def test_wrong_proof_is_no_error_and_no_login(proof: bytes) -> None:
    message = FINAL.partition(b",p=")[0] + b",p=" + proof
    assert scram.conclusion(scram.opening(FIRST), CHALLENGE, message, PENCIL) is None


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused(message: bytes) -> None:
    for read in (scram.opening, lambda data: scram.conclusion(scram.opening(FIRST), CHALLENGE, data, PENCIL)):
        try:
            read(message)
        except SCRAMError:
            continue


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("비\u1112\u1161\u11ab", "비한"),
        ("a\u00a0b", "a b"),
    ],
)
def test_examples_of_rfc_4013_and_a_composed_syllable(text: str, form: str) -> None:
    assert prepared(text) == form


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031", "\U0001f600", "\ue000"])
def test_prohibited_texts_have_no_form(text: str) -> None:
    with pytest.raises(SASLprepError):
        prepared(text)
