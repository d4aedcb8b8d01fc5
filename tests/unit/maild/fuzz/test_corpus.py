"""Every seed and everything that once broke a parser, and a short run of mutations of each."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.__main__ import broken, corpus_of
from tests.fuzz.mutate import mutated
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

SEED = 5321
INPUTS = 200


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_input_of_the_corpus_breaks_the_parser(target: Target) -> None:
    for data in corpus_of(target):
        assert broken(target, data) == ""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_mutation_breaks_the_parser(target: Target) -> None:
    chance = random.Random(SEED)
    corpus = corpus_of(target)
    for _ in range(INPUTS):
        assert broken(target, mutated(chance, corpus, target.words)) == ""
