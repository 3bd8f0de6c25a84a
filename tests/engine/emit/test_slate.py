from __future__ import annotations

import numpy as np
import pytest

from mien.emit import lettering
from mien.emit.lettering import GLYPHS
from mien.emit.mark import Mark
from mien.emit.slate import PANIC, STALLED, slate

SIZES = [(1920, 1080), (640, 480), (360, 640), (64, 64), (40, 200)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("words", [PANIC, STALLED])
def test_the_words_stand_in_the_middle(width: int, height: int, words: tuple[str, ...]) -> None:
    out = slate(width, height, *words)
    assert out.shape == (height, width, 3)
    assert out.flags.c_contiguous
    ys, xs = np.nonzero((out != out[0, 0]).any(axis=2))
    assert len(ys) > 0
    assert xs.min() > 0
    assert xs.max() < width - 1
    assert abs((xs.min() + xs.max()) / 2 - width / 2) < max(0.06 * width, 2)
    assert abs((ys.min() + ys.max()) / 2 - height / 2) < max(0.06 * height, 2)


def test_what_happened_can_be_told_apart() -> None:
    assert (slate(320, 240, *PANIC) != slate(320, 240, *STALLED)).any()


def test_a_long_line_shrinks_until_it_fits() -> None:
    out = slate(320, 240, "a title that goes on and on and on and on and on and on and on")
    _, xs = np.nonzero((out != out[0, 0]).any(axis=2))
    assert 0 < xs.min() < xs.max() < 319


def test_it_is_marked_where_nothing_else_marks_it() -> None:
    plain, marked = slate(320, 240, *PANIC), slate(320, 240, *PANIC, mark=True)
    Mark(320, 240).apply(plain)
    np.testing.assert_array_equal(plain, marked)


def test_letters_that_the_font_lacks_are_left_out() -> None:
    np.testing.assert_array_equal(slate(320, 240, "Æone moment\n"), slate(320, 240, "one moment"))
    assert len(np.unique(slate(64, 64, "").reshape(-1, 3), axis=0)) == 1


def test_no_two_letters_look_alike() -> None:
    drawn = {}
    for letter in GLYPHS:
        ink = lettering.coverage(letter, 24.0, 32, 40, 4.0, 30.0)
        drawn[letter] = ink
        assert (ink.max() > 0.9) == (letter != " ")
        assert ink[0].max() == ink[-1].max() == ink[:, -1].max() == 0, f"{letter!r} reaches out of its room"
    letters = list(drawn)
    for place, one in enumerate(letters):
        for other in letters[place + 1 :]:
            assert np.abs(drawn[one] - drawn[other]).sum() > 5, f"{one!r} and {other!r}"
