"""Landmarks by our runtimes are MediaPipe's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import capture, samples
from mien.capture.image import resized
from mien.errors import ModelError
from mien.face.face import eye_distance
from mien.frame import Frame
from mien.parse import detection
from mien.parse.find import find_turned
from mien.parse.models import FaceMesh
from mien.parse.onnx_mesh import OnnxFaceMesh
from mien.parse.parser import Parser

Pixels = NDArray[np.uint8]
NAMES = ("aldo", "mira", "teo")


@pytest.fixture(scope="module")
def still() -> Iterator[OnnxFaceMesh]:
    with OnnxFaceMesh(still=True, most=5) as mesh:
        yield mesh


@pytest.fixture(scope="module")
def frames() -> list[Pixels]:
    with capture.open(samples.driver()) as source:
        return [frame.pixels for frame in islice((item for item in source if isinstance(item, Frame)), 40)]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_has_the_same_landmarks(
    name: str, pictures: dict[str, Pixels], still: OnnxFaceMesh, still_mesh: FaceMesh
) -> None:
    (ours,), (theirs,) = still(pictures[name]), still_mesh(pictures[name])
    assert np.abs(ours - theirs).max() < 0.01 * eye_distance(theirs)
    assert np.median(np.abs(ours - theirs)) < 0.001 * eye_distance(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_small_face_has_the_same_box(
    name: str, pictures: dict[str, Pixels], still: OnnxFaceMesh, still_mesh: FaceMesh
) -> None:
    small = np.zeros((480, 640, 3), np.uint8)
    small[100:220, 200:320] = _shrunk(pictures[name], 120)
    (ours,), (theirs,) = still.boxes(small), still_mesh.boxes(small)
    np.testing.assert_allclose(ours, theirs, atol=1.0)


def test_two_faces_are_both_found_and_at_most_as_many_as_wanted(
    pictures: dict[str, Pixels], still: OnnxFaceMesh
) -> None:
    both = np.concatenate([_shrunk(pictures["aldo"], 320), _shrunk(pictures["mira"], 320)], axis=1)
    assert len(still(both)) == 2
    with OnnxFaceMesh(still=True, most=1) as one:
        assert len(one(both)) == 1


def test_a_picture_without_a_face_has_none(still: OnnxFaceMesh) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    for picture in (noise, np.zeros_like(noise)):
        assert still(picture) == []
        assert find_turned(picture, still) == []


def test_a_face_is_tracked_as_by_mediapipe_lost_and_found_again(frames: list[Pixels]) -> None:
    with OnnxFaceMesh(still=False) as ours, FaceMesh(still=False) as theirs:
        apart = []
        for picture in (*frames[:30], *[np.zeros_like(frames[0])] * 3, *frames[30:]):
            found, expected = ours(picture), theirs(picture)
            assert len(found) == len(expected)
            if found:
                apart.append(np.hypot(*(found[0] - expected[0])[:, :2].T))
    assert len(apart) == len(frames)
    assert np.median(apart) < 0.1
    assert np.percentile(apart, 99) < 0.5


def test_a_tracked_face_that_leaves_the_picture_is_followed_to_its_edge(frames: list[Pixels]) -> None:
    with OnnxFaceMesh(still=False) as ours, FaceMesh(still=False) as theirs:
        for shift in range(0, 200, 10):
            moved = np.zeros_like(frames[0])
            moved[:, shift:] = frames[0][:, : frames[0].shape[1] - shift]
            found, expected = ours(moved), theirs(moved)
            assert len(found) == len(expected)
            assert not found or np.median(np.abs(found[0] - expected[0])[:, :2]) < 0.2


def test_a_detector_with_other_anchors_is_refused_as_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "CELLS", {1024: ((32, 1),)})
    with pytest.raises(ModelError, match="face detector: expected 1024 anchors, got 896; take the packaged model"):
        OnnxFaceMesh(still=True)


def test_forgetting_begins_with_the_detector(frames: list[Pixels]) -> None:
    with OnnxFaceMesh(still=False) as mesh:
        (first,) = mesh(frames[0])
        (tracked,) = mesh(frames[0])
        assert np.abs(tracked - first).max() > 0
        mesh.forget()
        np.testing.assert_array_equal(mesh(frames[0])[0], first)


def test_landmarkers_do_not_disturb_each_other(frames: list[Pixels]) -> None:
    with OnnxFaceMesh(still=False) as one, OnnxFaceMesh(still=False) as other:
        (first,) = one(frames[0])
        other(frames[20])
        one.forget()
        np.testing.assert_array_equal(one(frames[0])[0], first)


def test_a_parser_follows_the_driver_by_either(frames: list[Pixels]) -> None:
    with Parser(hints=False, landmarks="onnx") as ours, Parser(hints=False) as theirs:
        for number, pixels in enumerate(frames[:10]):
            frame = Frame(pixels, number, Fraction(1, 25))
            a, b = ours(frame), theirs(frame)
            assert a is not None
            assert b is not None
            assert np.median(np.abs(a.landmarks - b.landmarks)) < 0.1


def _shrunk(pixels: Pixels, side: int) -> Pixels:
    square = pixels[: min(pixels.shape[:2]), : min(pixels.shape[:2])]
    return resized(np.ascontiguousarray(square), side, side)
