from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mien.emit.mark import Mark, Marked
from mien.emit.sink import MemorySink
from mien.frame import Frame


@pytest.mark.parametrize("shade", [0, 60, 128, 200, 255])
def test_lettering_stands_out_from_its_plate_on_any_ground(shade: int) -> None:
    pixels = np.full((512, 512, 3), shade, np.uint8)
    mark = Mark(512, 512)
    mark.apply(pixels)
    corner = pixels[mark.corner].astype(int)
    ink, plate = corner.max(), np.median(corner)
    assert ink >= 240
    assert ink - plate >= 105
    assert (corner > 200).all(axis=2).mean() > 0.04


def test_only_the_corner_changes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    before = pixels.copy()
    mark = Mark(400, 300)
    mark.apply(pixels)
    changed = np.argwhere((pixels != before).any(axis=2))
    rows, columns = mark.corner
    assert changed.min(axis=0) == pytest.approx([rows.start, columns.start], abs=3)
    assert (changed[:, 0] >= rows.start).all()
    assert (changed[:, 1] >= columns.start).all()
    assert rows.start > 270
    assert columns.start > 300


def test_outside_of_letters_and_plate_pixels_are_exact() -> None:
    pixels = np.full((512, 512, 3), 255, np.uint8)
    mark = Mark(512, 512)
    mark.apply(pixels)
    assert (pixels[mark.corner][0, 0] == 255).all()


@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 9), (64, 64), (128, 720), (1920, 1080), (4096, 4096)])
def test_any_size(width: int, height: int) -> None:
    pixels = np.full((height, width, 3), 90, np.uint8)
    mark = Mark(width, height)
    mark.apply(pixels)
    rows, columns = mark.corner
    assert 0 <= rows.start < rows.stop <= height
    assert 0 <= columns.start < columns.stop <= width
    if min(width, height) >= 64:
        assert pixels.max() > 180


def test_it_grows_with_the_picture() -> None:
    small, large = Mark(512, 512).corner, Mark(2048, 2048).corner
    assert large[0].stop - large[0].start == pytest.approx(4 * (small[0].stop - small[0].start), rel=0.1)


def test_alpha_shows_the_mark() -> None:
    pixels = np.zeros((512, 512, 4), np.uint8)
    mark = Mark(512, 512)
    mark.apply(pixels)
    assert pixels[mark.corner][:, :, 3].max() > 230
    assert pixels[:400].max() == 0


@pytest.mark.parametrize("keeps", [False, True])
def test_the_written_array_stays_as_it_was(keeps: bool) -> None:
    pixels = np.full((64, 128, 3), 70, np.uint8)
    pixels.flags.writeable = False
    inner = MemorySink()
    with Marked(inner, keeps=keeps) as sink:
        for number in range(2):
            sink.write(Frame(pixels, number, Fraction(1, 25)))
    assert (pixels == 70).all()
    assert all((frame.pixels != 70).any() for frame in inner.frames)
    assert (inner.frames[0].pixels is not inner.frames[1].pixels) == keeps
    assert [frame.pts for frame in inner.frames] == [0, 1]
    assert inner.finished
