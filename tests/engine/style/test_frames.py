"""Whole frames in a style, and `mien style`."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien import samples
from mien.capture.synthetic import pattern
from mien.cli import main
from mien.errors import SinkError
from mien.parse.find import find_faces
from mien.parse.models import FaceMesh
from mien.style.frames import DenseFlow, FrameStyler, into_canvas
from mien.style.readable import face_outline
from mien.style.styler import BORDER, Styler
from mien.style.wish import StyleWish
from mien.styling import FaceOutlines, style_file

Floats = NDArray[np.float32]


def _first(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), dtype=np.uint8)


def _textured(width: int, height: int, shift: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (height // 8 + 8, width // 8 + 8, 3)).astype(np.uint8)
    large = np.asarray(Image.fromarray(coarse).resize((width + 64, height + 64), Image.Resampling.BICUBIC))
    return np.ascontiguousarray(large[32 : 32 + height, 32 - shift : 32 - shift + width])


@pytest.mark.parametrize(("width", "height"), [(640, 360), (90, 160), (64, 64)])
def test_all_of_a_picture_lies_inside_of_the_border(width: int, height: int, styler: Styler) -> None:
    matrix = into_canvas(np.zeros((height, width, 3), np.uint8), styler.room)
    corners = matrix[:, :2] @ np.array([[-0.5, width - 0.5], [-0.5, height - 0.5]]) + matrix[:, 2:]
    assert corners.min() >= BORDER - 0.5 - 1e-9
    assert corners.max() <= BORDER + styler.room - 0.5 + 1e-9
    assert np.abs(corners.sum(axis=1) - (2 * BORDER + styler.room - 1)).max() < 1e-9


def test_flow_of_a_shift_is_found_and_trusted() -> None:
    now, then = (_textured(256, 192, shift)[..., 1].astype(np.float32) / 255 for shift in (3, 0))
    places, sure = DenseFlow()(now, then)
    moved = places - np.stack(np.meshgrid(np.arange(256), np.arange(192)), axis=-1)
    inner = (slice(16, -16), slice(16, -16))
    np.testing.assert_allclose(np.median(moved[inner], axis=(0, 1)), (-3, 0), atol=0.2)
    assert sure[inner].mean() > 0.9


def test_flow_between_other_pictures_is_not_trusted() -> None:
    now, then = _textured(256, 192)[..., 0], _textured(256, 192)[::-1, ::-1, 2]
    _, sure = DenseFlow()(now.astype(np.float32) / 255, then.astype(np.float32) / 255)
    assert sure.mean() < 0.4


def test_noise_flickers_less_than_frame_by_frame(styler: Styler, mix: Floats) -> None:
    rng = np.random.default_rng(1)
    still = _textured(320, 240).astype(np.float64)
    frames = [np.clip(still + rng.normal(0, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(6)]
    steady = FrameStyler(styler, mix, 1.0)
    together = [steady(frame).astype(float) for frame in frames]
    alone = [FrameStyler(styler, mix, 1.0)(frame).astype(float) for frame in frames]
    flicker = [np.mean([((two - one) ** 2).mean() for one, two in pairwise(run[2:])]) for run in (together, alone)]
    assert flicker[0] < 0.4 * flicker[1]


def test_another_size_begins_anew(styler: Styler, mix: Floats) -> None:
    steady = FrameStyler(styler, mix, 1.0)
    steady(_textured(320, 240))
    np.testing.assert_array_equal(steady(_textured(160, 120)), FrameStyler(styler, mix, 1.0)(_textured(160, 120)))


def test_a_video_is_drawn_frame_by_frame(tmp_path: Path) -> None:
    statistics = style_file(samples.driver(), tmp_path / "out.mp4", "scream", duration=0.3, threads=1)
    with av.open(str(tmp_path / "out.mp4")) as container, av.open(str(samples.driver())) as source:
        drawn = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        plain = next(source.decode(video=0)).to_ndarray(format="rgb24")
    assert (statistics.frames_in, statistics.frames_out) == (len(drawn), len(drawn))
    assert len(drawn) == 8
    assert drawn[0].shape == plain.shape
    assert np.abs(drawn[0].astype(int) - plain).mean() > 5


def test_a_face_in_a_video_stays_readable(tmp_path: Path, styler: Styler) -> None:
    style_file(samples.driver(), tmp_path / "out.mkv", "wave", duration=0.2, threads=1, mark=False)
    before, after = (_first(path) for path in (samples.driver(), tmp_path / "out.mkv"))
    with FaceMesh(still=True) as mesh:
        (face,) = find_faces(before, mesh)
        (found,) = find_faces(after, mesh)
    outline = face_outline(face)
    wish = StyleWish((("wave", 1.0),)).mix(styler.names)
    plain, weak = (FrameStyler(styler, wish, 1.0)(before, faces) for faces in ((), (outline,)))
    inside = cv2.fillPoly(np.zeros(before.shape[:2], np.uint8), [np.rint(outline).astype(np.int32)], 1) > 0
    off = [float(np.abs(after[inside].astype(int) - drawn[inside]).mean()) for drawn in (plain, weak)]
    assert off[1] < 0.5 * off[0]
    assert np.linalg.norm(found[:, :2] - face[:, :2], axis=1).mean() < 0.1 * np.ptp(outline[:, 0])


def test_a_face_that_is_lost_counts_for_a_while() -> None:
    face = np.zeros((478, 3))
    answers = iter([[face], [], [], [face, face]])
    outlines = FaceOutlines(lambda _: next(answers))
    seen = [len(outlines(np.zeros((8, 8, 3), np.uint8), seconds)) for seconds in (0.0, 0.1, 0.5, 0.6)]
    assert seen == [1, 1, 0, 2]


def test_a_picture_is_drawn_and_bad_words_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, output = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(pattern(128, 96, 0)).save(picture)
    assert main(["style", str(picture), "--style", "wave:0.7", "--output", str(output), "--quiet"]) == 0
    with Image.open(output) as drawn:
        assert drawn.size == (128, 96)
    output.unlink()
    assert main(["style", str(picture), "--style", "monet", "--output", str(output)]) == 2
    told = capsys.readouterr().err
    assert "style must be one of scream, wave" in told
    assert told.count("\n") == 1
    assert not output.exists()
    with pytest.raises(SinkError, match="another file"):
        style_file(picture, picture, "wave")
