"""The error-correcting code of the invisible mark."""

from __future__ import annotations

import random

import pytest

from mien.marking import bch, payload
from mien.marking.payload import Payload


@pytest.mark.parametrize("wrong", range(bch.CORRECTED + 1))
def test_up_to_ten_wrong_bits_are_mended(wrong: int) -> None:
    chance = random.Random(wrong)
    for _ in range(5):
        data = chance.getrandbits(bch.DATA)
        word = bch.encode(data)
        assert word >> bch.LENGTH == 0
        for place in chance.sample(range(bch.LENGTH), wrong):
            word ^= 1 << place
        assert bch.decode(word) == data


def test_words_far_from_any_code_word_are_refused() -> None:
    chance = random.Random(0)
    assert sum(bch.decode(chance.getrandbits(bch.LENGTH)) is not None for _ in range(200)) == 0


def test_the_generator_is_that_of_the_published_code() -> None:
    assert bch.GENERATOR.bit_length() - 1 == bch.LENGTH - bch.DATA
    assert bch.decode(bch.GENERATOR) == bch.GENERATOR >> (bch.LENGTH - bch.DATA), "it is a code word itself"


def test_a_payload_is_read_and_a_changed_one_is_not() -> None:
    said = payload.drawn()
    assert payload.read(said.bits) == said
    assert len(said.name) == 11
    assert [payload.read(said.bits ^ 1 << place) for place in range(64)] == [None] * 64
    assert payload.read(Payload(said.session, version=2).bits) is None
