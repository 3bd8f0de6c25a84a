"""Drivers and pictures on their side or upside down."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.engine.cuts import driver_frames, shown

from mien.capture.image import resized
from mien.face.face import QUARTERS, quarters_of, turned_back, turned_pixels, turned_points, turned_size
from mien.face.pose import angles_of, fit_pose
from mien.parse.find import find_faces, find_turned
from mien.parse.models import FaceMesh
from mien.parse.parser import Parser
from mien.portrait.prepare import prepare, prepare_to_fit

Pixels = NDArray[np.uint8]
TURNS = QUARTERS[1:]


@pytest.mark.parametrize("turn", QUARTERS)
def test_points_lie_where_the_turned_picture_shows_them(turn: int) -> None:
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    points = np.array([[x, y, 0.5] for y in range(5) for x in range(7)], dtype=np.float64)
    there, view = turned_points(points, (7, 5), turn), turned_pixels(pixels, turn)
    assert turned_size((7, 5), turn) == (view.shape[1], view.shape[0])
    for (x, y, _), (a, b, _) in zip(points.astype(int), there.astype(int), strict=True):
        np.testing.assert_array_equal(view[b, a], pixels[y, x])
    np.testing.assert_array_equal(turned_back(there, (7, 5), turn), points)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_a_turned_face_is_found_where_it_is(
    name: str, turn: int, pictures: dict[str, Pixels], still_mesh: FaceMesh
) -> None:
    (upright,) = find_faces(pictures[name], still_mesh)
    (found,) = find_turned(turned_pixels(pictures[name], turn), still_mesh)
    assert found.turn == -turn % 4
    expected = turned_points(upright, (512, 512), turn)
    assert np.abs(found.landmarks - expected)[:, :2].max() < 4
    assert quarters_of(expected) == found.turn


@pytest.mark.parametrize("turn", TURNS)
def test_a_small_turned_face_is_found_in_a_large_picture(
    turn: int, pictures: dict[str, Pixels], still_mesh: FaceMesh
) -> None:
    large = np.full((480, 640, 3), 90, np.uint8)
    large[100:228, 300:428] = turned_pixels(resized(pictures["aldo"], 128, 128), turn)
    (found,) = find_turned(large, still_mesh)
    (upright,) = find_faces(pictures["aldo"], still_mesh)
    assert found.turn == -turn % 4
    expected = turned_points(upright / 4, (128, 128), turn) + [300, 100, 0]
    assert np.abs(found.landmarks - expected)[:, :2].max() < 4


@pytest.mark.parametrize("name", ["aldo", "mira", "teo"])
def test_an_upright_face_is_as_without_looking_further(
    name: str, pictures: dict[str, Pixels], still_mesh: FaceMesh
) -> None:
    (found,) = find_turned(pictures[name], still_mesh)
    assert found.turn == 0
    np.testing.assert_array_equal(found.landmarks, find_faces(pictures[name], still_mesh)[0])


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_driver_does_what_it_does_upright(turn: int) -> None:
    clip = driver_frames(16)
    with Parser() as upright, Parser() as parser:
        for frame, pixels in zip(shown(clip), clip, strict=True):
            own = upright(frame)
            face = parser(shown([turned_pixels(pixels, turn)])[0])
            assert own is not None
            assert face is not None
            assert face.turn == -turn % 4
            # (478, 3) in pixels of the frame as it came, and of the frame once turned
            np.testing.assert_allclose(
                face.landmarks[:, :2], turned_points(own.landmarks, own.size, turn)[:, :2], atol=3
            )
            np.testing.assert_allclose(face.upright[:, :2], own.landmarks[:, :2], atol=3)
            assert own.hint is not None
            assert face.hint is not None
            assert abs(face.hint.pixels.shape[1] - own.hint.pixels.shape[1]) <= 4
            assert face.hint.pixels.shape[1] > face.hint.pixels.shape[0], "the mouth is seen lying"
            np.testing.assert_allclose(face.hint.lip_colour, own.hint.lip_colour, atol=8)


def test_a_driver_that_is_turned_on_the_way_stays_followed_and_upright() -> None:
    """A phone that is laid on its side: at first a tilted head, after a second a shot in turned frames."""
    clip = driver_frames(50)
    height, width = clip[0].shape[:2]
    ys, xs = np.mgrid[:height, :width] - 127.5
    frames = []
    for number, pixels in enumerate(clip):
        angle = np.radians(min(max(number - 5, 0) * 9, 90))
        x = np.cos(angle) * xs - np.sin(angle) * ys + 127.5
        y = np.sin(angle) * xs + np.cos(angle) * ys + 127.5
        frames.append(pixels[np.rint(y).astype(int).clip(0, 255), np.rint(x).astype(int).clip(0, 255)])
    with Parser(hints=False) as parser:
        faces = [parser(frame) for frame in shown(frames)]
        assert [shot.cause for shot in parser.shots.all][1:] == ["the frame is turned"]
    last = faces[-1]
    assert all(face is not None for face in faces)
    assert last is not None
    assert abs(angles_of(fit_pose(last.upright).rotation).roll) < 15


@pytest.mark.parametrize("turn", TURNS)
def test_a_picture_without_a_word_of_how_it_is_held_is_turned_upright(turn: int, pictures: dict[str, Pixels]) -> None:
    picture = np.ascontiguousarray(pictures["mira"][:, 60:452])
    (portrait,) = prepare(turned_pixels(picture, turn))
    assert portrait.size == (392, 512)
    np.testing.assert_array_equal(portrait.pixels, picture)
    (fitted,) = prepare_to_fit((320, 320), turned_pixels(picture, turn))
    assert abs(angles_of(fitted.pose.rotation).roll) < 15
    first, other = prepare(picture, turned_pixels(resized(picture, 300, 392), turn))
    assert abs(first.pose.scale - other.pose.scale) < 0.03 * first.pose.scale
    assert abs(angles_of(other.pose.rotation).roll) < 15
