from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.capture.image import resized
from mien.face import topology
from mien.face.face import Face, eye_distance
from mien.frame import Frame
from mien.parse.parser import Parser
from mien.sums import luma

Pixels = NDArray[np.uint8]
BLANK = np.full((320, 720, 3), 110, np.uint8)


def frame(pixels: Pixels, number: int = 0) -> Frame:
    return Frame(np.ascontiguousarray(pixels), number, Fraction(1, 25))


@pytest.fixture
def parser() -> Iterator[Parser]:
    with Parser() as one:
        yield one


def stage(pictures: dict[str, Pixels], mira: int, teo: int) -> Pixels:
    """Two people on one stage, `mira` and `teo` pixels tall: she on the left, he on the right."""
    out = BLANK.copy()
    out[:mira, 20 : 20 + mira] = resized(pictures["mira"], mira, mira)
    out[:teo, 400 : 400 + teo] = resized(pictures["teo"], teo, teo)
    return out


def test_a_lone_face_is_found_and_tracked(pictures: dict[str, Pixels], parser: Parser) -> None:
    faces = [parser(frame(pictures["aldo"], i)) for i in range(3)]
    found = [face for face in faces if face is not None]
    assert len(found) == 3
    assert found[0].size == (512, 512)
    assert np.abs(found[2].landmarks - found[1].landmarks)[:, :2].mean() < 0.5


def test_the_largest_face_is_taken_and_kept_when_the_other_outgrows_it(
    pictures: dict[str, Pixels], parser: Parser
) -> None:
    sizes = [(300, 220), (290, 240), (280, 260), (260, 280), (240, 300), (230, 310)]
    for i, (mira, teo) in enumerate(sizes):
        face = parser(frame(stage(pictures, mira, teo), i))
        assert face is not None
        assert face.landmarks[4, 0] < 360, f"left the chosen face at step {i}"


@pytest.mark.parametrize(("rank", "left"), [(0, True), (1, False)])
def test_a_face_can_be_chosen_by_its_size(pictures: dict[str, Pixels], rank: int, left: bool) -> None:
    with Parser(face=rank) as parser:
        for i in range(3):
            face = parser(frame(stage(pictures, 300, 240), i))
            assert face is not None
            assert (face.landmarks[4, 0] < 360) == left


def test_a_face_beyond_those_that_are_there_is_none(pictures: dict[str, Pixels]) -> None:
    with Parser(face=2) as parser:
        assert parser(frame(stage(pictures, 300, 240))) is None


def test_a_lost_face_is_none_and_the_same_one_is_taken_up_again(pictures: dict[str, Pixels]) -> None:
    with Parser(face=1) as parser:
        before = parser(frame(stage(pictures, 300, 240), 0))
        assert before is not None
        for i in range(1, 5):
            face = parser(frame(BLANK, i))
        assert face is None
        again = parser(frame(stage(pictures, 300, 240), 5))
        assert again is not None
        np.testing.assert_allclose(again.landmarks[:, :2], before.landmarks[:, :2], atol=3.0)


def test_anothers_face_is_taken_only_after_waiting(pictures: dict[str, Pixels], parser: Parser) -> None:
    both, alone = stage(pictures, 300, 240), stage(pictures, 300, 240)
    alone[:, :360] = BLANK[:, :360]
    chosen = parser(frame(both, 0))
    assert chosen is not None
    assert chosen.landmarks[4, 0] < 360
    assert parser(frame(alone, 1)) is None
    assert parser(frame(alone, 45)) is None
    other = parser(frame(alone, 52))
    assert other is not None
    assert other.landmarks[4, 0] > 360


def test_a_face_that_walks_away_is_followed(pictures: dict[str, Pixels], parser: Parser) -> None:
    for i in range(12):
        pixels = BLANK.copy()
        pixels[:200, 20 + 25 * i : 220 + 25 * i] = resized(pictures["mira"], 200, 200)
        face = parser(frame(pixels, i))
        assert face is not None
        assert face.landmarks[4, 0] == pytest.approx(20 + 25 * i + 100, abs=20)


def test_frames_with_alpha_are_read_too(pictures: dict[str, Pixels], parser: Parser) -> None:
    rgba = np.dstack([pictures["aldo"], np.full((512, 512), 255, np.uint8)])
    face = parser(Frame(np.ascontiguousarray(rgba), 0, Fraction(1, 25), layout="rgba"))
    assert face is not None
    assert face.hint is not None
    assert face.hint.pixels.shape[2] == 3


def test_the_hint_is_the_drivers_mouth(pictures: dict[str, Pixels], parser: Parser) -> None:
    face = parser(frame(pictures["mira"]))
    assert face is not None
    hint = face.hint
    assert hint is not None
    inner = face.landmarks[list(topology.INNER_LIPS), :2]
    x0, y0 = np.rint((inner - hint.outline).mean(axis=0)).astype(int)
    height, width = hint.pixels.shape[:2]
    np.testing.assert_array_equal(hint.pixels, pictures["mira"][y0 : y0 + height, x0 : x0 + width])
    np.testing.assert_allclose(hint.outline + [x0, y0], inner, atol=1e-9)
    assert width < eye_distance(face.landmarks) * 1.2
    assert hint.lip_colour[0] > hint.lip_colour[1] + 10, "lips are redder than green"
    assert hint.skin_colour is not None
    cheek = np.rint(face.landmarks[50, :2]).astype(int)
    np.testing.assert_allclose(hint.skin_colour, pictures["mira"][cheek[1], cheek[0]], atol=30)
    assert luma(hint.skin_colour) > luma(hint.lip_colour)


def test_without_hints_no_picture_of_the_driver_is_kept(pictures: dict[str, Pixels]) -> None:
    with Parser(hints=False) as parser:
        face = parser(frame(pictures["mira"]))
        assert isinstance(face, Face)
        assert face.hint is None


def test_warming_up_finds_nobody(pictures: dict[str, Pixels], parser: Parser) -> None:
    parser.warm(pictures["teo"])
    assert parser(frame(BLANK)) is None
    face = parser(frame(pictures["mira"], 1))
    with Parser() as fresh:
        expected = fresh(frame(pictures["mira"], 1))
    assert face is not None
    assert expected is not None
    np.testing.assert_allclose(face.landmarks[:, :2], expected.landmarks[:, :2], atol=1.0)
