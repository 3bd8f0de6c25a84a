from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.timeline import BACK, GAP, JUMP, Line, Timeline, beside, follow

STEP, NONE = Fraction(1, 25), Fraction(0)
WRAP = Fraction(1 << 33, 90_000)
stamps = st.lists(st.one_of(st.none(), st.fractions(-100_000, 100_000, max_denominator=90_000)), max_size=40)


def test_good_times_pass_untouched() -> None:
    line = Timeline(Fraction(1, 90000), 3000)
    assert [line.place(pts) for pts in (-3000, 0, 3003, 90000)] == [-3000, 0, 3003, 90000]


def test_duplicate_and_backward_times_are_moved_by_the_least() -> None:
    line = Timeline(Fraction(1, 1000), 40)
    assert [line.place(pts) for pts in (0, 40, 40, 39, 80, 120)] == [0, 40, 41, 42, 80, 120]


def test_missing_times_follow_by_duration_or_step() -> None:
    line = Timeline(Fraction(1, 1000), 40)
    assert [line.place(None), line.place(None, 20), line.place(None), line.place(200)] == [0, 40, 60, 200]


def test_a_clock_that_was_reset_goes_on() -> None:
    line = Timeline(Fraction(1, 1000), 40)
    assert [line.place(pts) for pts in (5000, 5040, 0, 40, 80)] == [5000, 5040, 5080, 5120, 5160]


def test_what_pictures_jumped_by_is_what_sound_jumps_by() -> None:
    line, second = Timeline(Fraction(1, 1000), 40), Fraction(1)
    assert [line.place(pts) for pts in (0, 40)] == [0, 40]
    assert line.place(36_000_100, hint=-36_000 * second) == 100
    assert line.jumped == 0, "it was told of by the sound"
    assert line.offset == -36_000


@pytest.mark.parametrize("jump", [36_000, -36_000, -WRAP, 61, -2])
def test_a_jump_is_closed_and_told_once(jump: Fraction) -> None:
    line, told, times = Line(), list[Fraction](), list[Fraction]()
    for number in range(50):
        line, time, jumped = follow(line, number * STEP + (jump if number >= 20 else 0), STEP, None, NONE)
        times.append(time)
        told.extend([jumped] if jumped else [])
    assert times == [number * STEP for number in range(50)]
    assert told == [jump]


@pytest.mark.parametrize("step", [59, Fraction(1, 2), -BACK * STEP])
def test_a_gap_is_no_jump(step: Fraction) -> None:
    line, _, _ = follow(Line(), Fraction(5), STEP, None, NONE)
    assert follow(line, 5 + step, STEP, None, NONE)[1:] == (5 + step, NONE)


def test_a_stamp_is_followed_as_far_as_time_has_passed_otherwise() -> None:
    line, _, _ = follow(Line(), Fraction(0), STEP, None, NONE)
    assert follow(line, Fraction(1000), STEP, Fraction(990), NONE)[1:] == (Fraction(1000), NONE)
    assert follow(line, Fraction(1000), STEP, Fraction(900), NONE)[2] == 1000 - STEP


@pytest.mark.parametrize("frames", [25, 13, 6])
def test_pieces_that_each_begin_anew_follow_each_other(frames: int) -> None:
    line, told, times = Line(), list[Fraction](), list[Fraction]()
    for number in range(4 * frames):
        line, time, jumped = follow(line, number % frames * STEP, STEP, None, NONE)
        times.append(time)
        told.extend([jumped] if jumped else [])
    assert times == [number * STEP for number in range(4 * frames)]
    assert len(told) == 3


@pytest.mark.parametrize("back", [1, BACK])
def test_stamps_that_waver_are_no_clock_that_was_set_back(back: int) -> None:
    line, numbers = Line(), [0, 1, 2, 3, 3 - back, 5, 6, 6 - back, 8]
    for number in numbers:
        line, time, jumped = follow(line, number * STEP, STEP, None, NONE)
        assert (time, jumped) == (number * STEP, NONE)


@pytest.mark.parametrize("wrong", [-10 * STEP, -100 * STEP, 100 + GAP])
def test_a_stamp_that_is_wrong_moves_only_itself(wrong: Fraction) -> None:
    line, times = Line(), list[Fraction]()
    for number in range(20):
        line, time, _ = follow(line, number * STEP + (wrong if number == 12 else 0), STEP, None, NONE)
        times.append(time)
    assert times == [number * STEP for number in range(20)]


def test_sound_that_stepped_first_goes_on_with_the_pictures() -> None:
    """Sound of the next piece is read before its pictures, and the piece's sound ended 0.2 s before them."""
    sound, pictures, overlap = Line(), Line(), Fraction(JUMP)
    for number in range(20):
        sound, _, _ = follow(beside(sound, NONE, pictures.last), number * STEP, STEP, pictures.last, NONE, GAP, overlap)
    sound, time, jumped = follow(sound, NONE, STEP, Fraction(17, 25), NONE, GAP, overlap)
    assert (time, jumped) == (20 * STEP, -20 * STEP)
    for number in range(25):
        pictures, _, _ = follow(pictures, number * STEP, STEP, sound.last, sound.offset)
    pictures, time, jumped = follow(pictures, NONE, STEP, sound.last, sound.offset)
    assert (time, jumped) == (25 * STEP, -25 * STEP), "squeezed by none of those that sound did not last for"
    sound = beside(sound, pictures.offset, pictures.last)
    assert follow(sound, STEP, STEP, pictures.last, pictures.offset, GAP, overlap)[1] == 26 * STEP


def test_sound_that_lasted_longer_than_its_pictures_stays_in_step() -> None:
    sound, pictures, overlap = Line(), Line(), Fraction(JUMP)
    for number in range(25):
        sound, _, _ = follow(sound, number * STEP, STEP, pictures.last, NONE, GAP, overlap)
    for number in range(19):
        pictures, _, _ = follow(pictures, number % 18 * STEP, STEP, sound.last, sound.offset)
    assert pictures.offset == 18 * STEP
    for number in range(25):
        sound = beside(sound, pictures.offset, pictures.last)
        sound, time, _ = follow(sound, number * STEP, STEP, pictures.last, pictures.offset, GAP, overlap)
        assert time == (18 + number) * STEP


def test_sound_that_overlaps_while_pictures_go_on_is_cut() -> None:
    sound, times, overlap = Line(), list[Fraction](), Fraction(JUMP)
    for number in range(100):
        stamp = number * STEP - (10 * STEP if number >= 20 else 0)
        until = (number - 10 if number >= 20 else number) * STEP
        sound, time, _ = follow(beside(sound, NONE, until), stamp, STEP, until, NONE, GAP, overlap)
        times.append(time)
    assert times[20] == 20 * STEP
    assert times[-1] == 89 * STEP, "in step with the pictures again"


@given(stamps)
def test_whatever_the_stamps_the_line_goes_on(given_stamps: list[Fraction | None]) -> None:
    line, timeline, placed = Line(), Timeline(Fraction(1, 90_000), 3600), list[int]()
    for stamp in given_stamps:
        before = line
        line, time, _ = follow(line, stamp, STEP, None, NONE)
        if before.last is not None:
            assert before.last - 1 <= time <= before.last + before.step + GAP
        placed.append(timeline.place(None if stamp is None else round(stamp * 90_000)))
    assert all(0 < b - a <= (GAP + STEP) * 90_000 for a, b in pairwise(placed))
