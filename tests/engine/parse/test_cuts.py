"""Cuts in drivers as the parser finds them, and what is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.cuts import RATE, SIDE, brighter, close_up, driver_frames, far_off, hall, mixed, shown

from mien.capture.image import resized
from mien.face.face import Face
from mien.parse.parser import Parser
from mien.parse.shots import Cut
from mien.shots import Shot

Pixels = NDArray[np.uint8]
Clip = list[Pixels]
BLACK = np.zeros((SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return driver_frames(60)


@pytest.fixture(scope="module")
def other(pictures: dict[str, Pixels]) -> Clip:
    """Somebody else before another wall."""
    return [resized(np.ascontiguousarray(pictures["mira"]), SIDE, SIDE)] * 30


def parsed(pictures: Clip, rate: int = RATE, face: int | None = None) -> tuple[list[Face | None], tuple[Shot, ...]]:
    with Parser(hints=False, face=face) as parser:
        faces = [parser(frame) for frame in shown(pictures, rate)]
        return faces, parser.shots.all


def begins(shots: tuple[Shot, ...]) -> list[tuple[int, int]]:
    """(number, first frame) of each."""
    return [(shot.shot, round(shot.begin * RATE)) for shot in shots]


CUTS: dict[str, tuple[Callable[[Clip, Clip], Clip], list[tuple[int, int]]]] = {
    "close-up": (lambda a, b: [*a[:12], *map(close_up, a[12:24])], [(0, 0), (1, 12)]),
    "a little closer": (lambda a, b: [*a[:12], *(close_up(p, 1.3) for p in a[12:24])], [(0, 0), (1, 12)]),
    "far off and back": (lambda a, b: [*a[:12], *map(far_off, a[12:24]), *a[24:36]], [(0, 0), (1, 12), (0, 24)]),
    "somebody else": (lambda a, b: [*a[:12], *b[:12]], [(0, 0), (1, 12)]),
    "three frames": (
        lambda a, b: [*a[:12], *map(close_up, a[12:15]), *b[:3], *a[18:30]],
        [(0, 0), (1, 12), (2, 15), (0, 18)],
    ),
    "nobody and back": (lambda a, b: [*a[:12], *[hall(a[0])] * 15, *a[12:20]], [(0, 0), (1, 12), (0, 27)]),
    "nobody, then another": (lambda a, b: [*a[:12], *[hall(a[0])] * 15, *b[:8]], [(0, 0), (1, 12), (2, 27)]),
    "nobody for three frames, then closer": (
        lambda a, b: [*a[:12], *[hall(a[0])] * 3, *map(close_up, a[12:20])],
        [(0, 0), (1, 15)],
    ),
    "through black": (
        lambda a, b: [*a[:6], *(mixed(p, BLACK, i / 8) for i, p in enumerate(a[6:14])), *[BLACK] * 5, *b[:12]],
        [(0, 0), (1, 19)],
    ),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_cut_is_found_with_its_first_frame(name: str, clip: Clip, other: Clip) -> None:
    build, expected = CUTS[name]
    pictures = build(clip, other)
    faces, shots = parsed(pictures)
    assert begins(shots) == expected
    assert sum(shot.frames for shot in shots) == len(pictures)
    assert all(shot.cause for shot in shots)
    numbers = {face.shot for face in faces if face is not None}
    assert numbers <= {shot.shot for shot in shots}


@pytest.mark.parametrize("length", [6, 12])
def test_a_dissolve_is_one_cut(length: int, clip: Clip, other: Clip) -> None:
    between = [mixed(a, b, (i + 1) / length) for i, (a, b) in enumerate(zip(clip[12:], other[:length], strict=False))]
    _, shots = parsed([*clip[:12], *between, *other[length:30]])
    assert len(shots) == 2
    assert 12 <= round(shots[1].begin * RATE) <= 12 + length + 6


def test_a_wipe_is_one_cut(clip: Clip, other: Clip) -> None:
    edges = [SIDE * (i + 1) // 8 for i in range(8)]
    between = [np.concatenate([b[:, :x], a[:, x:]], axis=1) for a, b, x in zip(clip[12:], other, edges, strict=False)]
    _, shots = parsed([*clip[:12], *between, *other[8:28]])
    assert len(shots) == 2
    assert 12 <= round(shots[1].begin * RATE) <= 26


def flashed(clip: Clip, frames: int, levels: float) -> Clip:
    return [brighter(p, levels) if 12 <= i < 12 + frames else p for i, p in enumerate(clip[:30])]


def behind_a_hand(clip: Clip) -> Clip:
    """A hand that whips through the picture close before the lens."""
    out = [picture.copy() for picture in clip[:30]]
    ys, xs = np.mgrid[:SIDE, :SIDE]
    for number in range(8):
        middle = SIDE * (-0.3 + 0.23 * number)
        covered = ((xs - middle) / (0.4 * SIDE)) ** 2 + ((ys - 130) / (0.6 * SIDE)) ** 2 < 1
        out[12 + number][covered] = np.stack([190 + xs // 16, 140 + ys // 12, 120 + xs // 20], -1)[covered]
    return out


def panned(clip: Clip) -> Clip:
    """A camera that turns away from an empty place within half a second."""
    wide = np.concatenate([hall(clip[0]), clip[0]], axis=1)
    steps = [wide[:, int(i * SIDE / 12) :][:, :SIDE] for i in range(13)]
    return [*[hall(clip[0])] * 4, *steps, *clip[:12]]


STEADY: dict[str, Callable[[Clip], Clip]] = {
    "as it is": lambda a: a,
    "flash": lambda a: flashed(a, 1, 150),
    "long flash": lambda a: flashed(a, 3, 150),
    "white": lambda a: flashed(a, 2, 255),
    "glaring": lambda a: flashed(a, 2, 230),
    "exposure": lambda a: [p if i < 12 else (p * 0.35).astype(np.uint8) for i, p in enumerate(a[:30])],
    "fade out and in": lambda a: [(p * (abs(12 - i) / 12)).astype(np.uint8) for i, p in enumerate(a[:25])],
    "hand": behind_a_hand,
    "blocks": lambda a: [p if i % 5 else p[::8, ::8].repeat(8, 0).repeat(8, 1) for i, p in enumerate(a[:30])],
    "noise in the dark": lambda a: [
        np.clip(p * 0.12 + np.random.default_rng(i).normal(0, 4, p.shape), 0, 255).astype(np.uint8)
        for i, p in enumerate(a[:30])
    ],
    "shaken": lambda a: [np.roll(p, (i * 37 % 11 - 5, i * 53 % 11 - 5), (0, 1)) for i, p in enumerate(a[:30])],
    "a second left out": lambda a: [*a[:15], *a[40:55]],
    "another resolution": lambda a: [resized(p, 160, 160) if 12 <= i < 20 else p for i, p in enumerate(a[:30])],
}


@pytest.mark.parametrize("name", STEADY)
def test_what_is_no_cut_is_none(name: str, clip: Clip) -> None:
    _, shots = parsed(STEADY[name](clip))
    assert begins(shots) == [(0, 0)]


def test_a_source_of_few_frames_is_not_cut(clip: Clip) -> None:
    _, shots = parsed(clip[::5], rate=5)
    assert len(shots) == 1
    _, shots = parsed([*clip[:30:5], *map(close_up, clip[30::5])], rate=5)
    assert [shot.frames for shot in shots] == [6, 6]


def test_after_a_cut_the_face_is_chosen_by_size_again(clip: Clip, other: Clip) -> None:
    def pair(large: Pixels, small: Pixels) -> Pixels:
        out = np.full((SIDE, 2 * SIDE, 3), 110, np.uint8)
        out[:, :SIDE] = large
        out[60:220, SIDE + 40 : SIDE + 200] = resized(small, 160, 160)
        return out

    alone = [np.concatenate([np.full_like(p, 60), p], axis=1) for p in clip[:10]]
    both = [pair(b, a) for a, b in zip(clip[10:20], other, strict=False)]
    for face, left in ((None, True), (1, False)):
        faces, shots = parsed([*both, *alone, *both], face=face)
        assert [shot.frames for shot in shots] == [10, 10, 10]
        last = faces[-1]
        assert last is not None
        assert (last.landmarks[4, 0] < SIDE) == left


def test_frames_of_another_shape_are_another_shot(clip: Clip) -> None:
    _, shots = parsed([*clip[:10], *(resized(p, 256, 192) for p in clip[10:20])])
    assert [(shot.frames, shot.cause) for shot in shots][1:] == [(10, "another shape of the frame")]


def test_landmarks_go_on_where_the_resolution_changes(clip: Clip) -> None:
    faces, _ = parsed([*[clip[0]] * 4, *[resized(clip[0], 128, 128)] * 4])
    before, after = faces[3], faces[7]
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(after.landmarks[:, :2] * 2, before.landmarks[:, :2], atol=4)


def test_cuts_that_are_known_are_taken_as_they_are(clip: Clip) -> None:
    cuts = (Cut(3, 5 / RATE, "told"), Cut(0, 10 / RATE, "told"))
    with Parser(hints=False, cuts=cuts) as parser:
        faces = [parser(frame) for frame in shown(clip[:15])]
        assert begins(parser.shots.all) == [(0, 0), (3, 5), (0, 10)]
    assert [face.shot for face in faces if face is not None] == [0] * 5 + [3] * 5 + [0] * 5


def test_a_camera_that_turns_finds_its_face_without_waiting(clip: Clip) -> None:
    faces, shots = parsed(panned(clip))
    assert all(face is not None for face in faces[-10:])
    assert len(shots) <= 3


def test_a_camera_that_whips_about_its_driver_is_cut_once_at_most(clip: Clip) -> None:
    """Surroundings that are others in each frame, and a face that moves as fast as heads do."""
    walls = np.random.default_rng(3).integers(40, 220, (16, 64, 3)).astype(np.uint8)
    walls = walls.repeat(SIDE // 16, axis=0).repeat(SIDE // 16, axis=1)
    ys, xs = np.mgrid[:SIDE, :SIDE]
    head = ((xs - 128) / 60) ** 2 + ((ys - 120) / 80) ** 2 < 1

    def before(picture: Pixels, place: int, number: int) -> Pixels:
        out = np.ascontiguousarray(walls[:, place : place + SIDE])
        out[head] = picture[head]
        return np.roll(out, number, axis=1)

    still = [before(p, 0, 0) for p in clip[:8]]
    moving = [before(p, 60 * (i + 1), 8 * (i + 1)) for i, p in enumerate(clip[8:18])]
    after = [before(p, 600, 80) for p in clip[18:30]]
    _, shots = parsed([*still, *moving, *after])
    assert len(shots) <= 2
