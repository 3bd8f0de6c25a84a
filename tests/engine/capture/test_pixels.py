"""Frames of any matrix, range, gamut and dynamic range arrive as sRGB."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from tests.engine.capture.profiles import to_xyz

from mien import capture
from mien.capture.pixels import PixelReader
from mien.errors import SourceError
from mien.frame import Frame

WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Of red and blue in luma, by the matrix's number in H.273."""
BT2020 = (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)
P3 = (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)
BT709 = (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)
WHITE_NITS = 203
SKIN, GREY, BLUE = (0.60, 0.38, 0.29), (0.2, 0.2, 0.2), (0.05, 0.12, 0.45)
"""Light of sRGB's primaries, 1 being paper white."""
SIZE = 64, 48


def srgb_codes(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055))


def pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    power = (light * WHITE_NITS / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of what a display of 1000 cd/m2 shows."""
    shown = light * WHITE_NITS / 1000
    luminance = float(shown @ [0.2627, 0.6780, 0.0593])
    scene = shown * luminance ** (1 / 1.2 - 1)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def coded(
    codes: Sequence[float] | NDArray[np.float64],
    *,
    matrix: int,
    pixels: str = "yuv420p10le",
    full: bool = False,
    size: tuple[int, int] = SIZE,
) -> VideoFrame:
    """A frame of one R'G'B' colour, 0..1, as Y'CbCr, computed here."""
    depth = 10 if "10" in pixels else 8
    red_share, blue_share = WEIGHTS[matrix]
    red, green, blue = codes
    luma = red_share * red + blue_share * blue + (1 - red_share - blue_share) * green
    chroma = (blue - luma) / 2 / (1 - blue_share), (red - luma) / 2 / (1 - red_share)
    unit = 1 << (depth - 8)
    top = (1 << depth) - 1
    values = [luma * top if full else unit * (16 + 219 * luma)]
    values += [(128 * unit) + part * (top if full else 224 * unit) for part in chroma]
    frame = VideoFrame(*size, pixels)
    for plane, value in zip(frame.planes, values, strict=True):
        kind = np.dtype(np.uint16 if depth > 8 else np.uint8)
        plane.update(np.full(plane.buffer_size // kind.itemsize, round(value), kind).tobytes())
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    return frame


def shown(frame: VideoFrame) -> list[int]:
    pixels = PixelReader().read(frame)
    assert pixels.shape == (frame.height, frame.width, 3)
    return [int(value) for value in pixels[20, 30]]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
def test_matrix_and_range(matrix: int, full: bool, pixels: str) -> None:
    colour = 0.8, 0.35, 0.2
    frame = coded(colour, matrix=matrix, full=full, pixels=pixels)
    assert shown(frame) == pytest.approx([255 * part for part in colour], abs=3)


@pytest.mark.parametrize(("matrix", "like"), [(2, 5), (3, 5), (12, 5), (10, 9), (13, 9)])
def test_matrices_that_name_nothing_of_their_own(matrix: int, like: int) -> None:
    frame = coded((0.8, 0.35, 0.2), matrix=like)
    frame.colorspace = matrix
    assert shown(frame) == pytest.approx([204, 89, 51], abs=3)


@pytest.mark.parametrize(("matrix", "name"), [(8, "YCgCo"), (14, "ICtCp"), (15, "IPT-C2")])
def test_matrices_that_are_not_read_are_refused(matrix: int, name: str) -> None:
    frame = coded((0.8, 0.35, 0.2), matrix=9)
    frame.colorspace = matrix
    with pytest.raises(SourceError, match=rf"expected colours by BT.601, BT.709 or BT.2020, got {name}; convert it"):
        PixelReader().read(frame)


@pytest.mark.parametrize("transfer", [1, 2, 4, 5, 6, 8, 13, 14])
def test_curves_of_standard_range_are_left_alone(transfer: int) -> None:
    frame = coded((0.8, 0.35, 0.2), matrix=5)
    frame.color_trc, frame.color_primaries = transfer, 5
    assert shown(frame) == pytest.approx([204, 89, 51], abs=3)


@pytest.mark.parametrize("light", [SKIN, GREY, BLUE])
@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_up_to_the_knee_is_shown_as_it_is(transfer: int, light: tuple[float, ...]) -> None:
    wide = np.linalg.solve(to_xyz(BT2020), to_xyz(BT709) @ np.array(light))
    frame = coded((pq if transfer == 16 else hlg)(wide), matrix=9)
    frame.color_trc, frame.color_primaries = transfer, 9
    assert shown(frame) == pytest.approx(srgb_codes(np.array(light)).tolist(), abs=4)


@pytest.mark.parametrize("transfer", [16, 18])
def test_brighter_than_paper_is_compressed_not_cut(transfer: int) -> None:
    """Paper white stays below white, what is brighter goes on rising, and a colour keeps its hue."""
    encode = pq if transfer == 16 else hlg
    levels = []
    for light in (0.7, 1.0, 1.6, 2.5, 4.0):
        frame = coded(encode(np.full(3, light)), matrix=9)
        frame.color_trc, frame.color_primaries = transfer, 9
        red, green, blue = shown(frame)
        assert max(abs(red - green), abs(green - blue)) <= 1
        levels.append(green)
    assert levels == sorted(set(levels))
    assert 230 <= levels[1] <= 245
    assert levels[-1] > 250
    orange = np.linalg.solve(to_xyz(BT2020), to_xyz(BT709) @ np.array((3.0, 1.5, 0.6)))
    frame = coded(encode(orange), matrix=9)
    frame.color_trc, frame.color_primaries = transfer, 9
    red, green, blue = ((level / 255) ** 2.2 for level in shown(frame))
    assert green / red == pytest.approx(0.5, abs=0.06)
    assert blue / red == pytest.approx(0.2, abs=0.06)


def test_high_dynamic_range_that_names_nothing_else_is_of_bt2020() -> None:
    light = np.array(SKIN)
    frame = coded(pq(np.linalg.solve(to_xyz(BT2020), to_xyz(BT709) @ light)), matrix=9)
    frame.color_trc, frame.color_primaries, frame.colorspace = 16, 2, 2
    assert shown(frame) == pytest.approx(srgb_codes(light).tolist(), abs=4)


@pytest.mark.parametrize(("primaries", "points", "matrix"), [(9, BT2020, 9), (12, P3, 1)])
def test_wide_gamut_of_standard_range(primaries: int, points: object, matrix: int) -> None:
    light = np.array(SKIN)
    wide = np.linalg.solve(to_xyz(points), to_xyz(BT709) @ light)  # type: ignore[arg-type]
    frame = coded(srgb_codes(wide) / 255, matrix=matrix)
    frame.color_trc, frame.color_primaries = 1, primaries
    assert shown(frame) == pytest.approx(srgb_codes(light).tolist(), abs=4)


def test_alpha_is_opaque_and_size_is_kept_where_it_is_graded() -> None:
    frame = coded(pq(np.array(GREY)), matrix=9, size=(96, 80))
    frame.color_trc, frame.color_primaries = 16, 9
    pixels = PixelReader(alpha=True, max_side=48).read(frame)
    assert pixels.shape == (40, 48, 4)
    assert pixels[5, 5].tolist() == pytest.approx([*srgb_codes(np.array(GREY)).tolist(), 255], abs=4)


@pytest.mark.parametrize(("codec", "ending"), [("libx265", ".mp4"), ("libvpx-vp9", ".webm"), ("libsvtav1", ".mkv")])
def test_high_dynamic_range_of_files(tmp_path: Path, codec: str, ending: str) -> None:
    """A step of light from frame to frame, PQ in HEVC and AV1, HLG in VP9; counts and times are the file's."""
    transfer = 18 if codec == "libvpx-vp9" else 16
    pixels = "yuv420p" if codec == "libvpx-vp9" else "yuv420p10le"
    lights = [0.05, 0.2, 0.6]
    path = tmp_path / f"hdr{ending}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 128, 96, pixels
        context.colorspace, context.color_range = 9, 1
        context.color_trc, context.color_primaries = transfer, 9
        context.options = {"x265-params": "log-level=0", "crf": "8"} if codec == "libx265" else {"crf": "8"}
        for number, light in enumerate(lights):
            frame = coded((pq if transfer == 16 else hlg)(np.full(3, light)), matrix=9, pixels=pixels, size=(128, 96))
            frame.color_trc, frame.color_primaries = transfer, 9
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with capture.open(path) as source:
        frames = [item for item in source if isinstance(item, Frame)]
        assert source.warnings == ()
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.1, 0.2], abs=0.002)
    for shot, light in zip(frames, lights, strict=True):
        level = float(srgb_codes(np.array(light)))
        assert shot.pixels[40, 60].tolist() == pytest.approx([level] * 3, abs=5)
