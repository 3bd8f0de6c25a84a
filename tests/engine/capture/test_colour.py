"""Colours of pictures arrive as sRGB, whatever their files say that they are."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.engine.capture.profiles import ADOBE, P3, cmyk_profile, grey_profile, rgb_profile, to_xyz

from mien import capture
from mien.capture.image import read
from mien.frame import Frame

BT709 = (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)
BT2020 = (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)
SKIN, LEAF, DULL = (224, 172, 142), (90, 140, 60), (100, 100, 100)
ADOBE_GAMMA = 563 / 256


def light_of(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def codes_of(light: NDArray[np.float64]) -> NDArray[np.float64]:
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def in_srgb(colour: tuple[int, int, int], primaries: Any, power: float | None = None) -> list[float]:
    """An 8-bit colour of other primaries, and perhaps another curve, as sRGB."""
    codes = np.array(colour) / 255
    light = light_of(codes) if power is None else codes**power
    return [float(code) * 255 for code in codes_of(np.linalg.solve(to_xyz(BT709), to_xyz(primaries) @ light))]


def saved(path: Path, format: str, mode: str, colour: Any, **options: Any) -> Path:
    if format == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if format in ("JPEG", "WEBP", "AVIF", "HEIF"):
        options |= {"quality": 98}
    Image.new(mode, (64, 48), colour).save(path, format, **options)
    return path


def close_to(wanted: Any, levels: int = 4) -> Any:
    return pytest.approx(wanted, abs=levels)


@pytest.mark.parametrize("colour", [SKIN, LEAF, DULL])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_display_p3_becomes_srgb(tmp_path: Path, format: str, colour: tuple[int, int, int]) -> None:
    path = saved(tmp_path / "phone", format, "RGB", colour, icc_profile=rgb_profile(P3))
    assert read(path)[20, 30].tolist() == close_to(in_srgb(colour, P3), 5)


def test_adobe_rgb_becomes_srgb(tmp_path: Path) -> None:
    path = saved(tmp_path / "camera", "JPEG", "RGB", SKIN, icc_profile=rgb_profile(ADOBE, (ADOBE_GAMMA,)))
    assert read(path)[20, 30].tolist() == close_to(in_srgb(SKIN, ADOBE, ADOBE_GAMMA))


def test_a_profile_of_srgb_changes_nothing(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=rgb_profile(BT709))
    assert np.array_equal(read(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_grey_with_a_curve(tmp_path: Path, format: str) -> None:
    wanted = 255 * float(codes_of(np.array((128 / 255) ** 1.8)))
    path = saved(tmp_path / "grey", format, "L", 128, icc_profile=grey_profile(1.8))
    assert read(path)[5, 5].tolist() == close_to([wanted] * 3, 2)


def test_sixteen_bits_of_grey_with_a_curve(tmp_path: Path) -> None:
    wanted = 255 * float(codes_of(np.array((128 / 255) ** 1.8)))
    picture = Image.fromarray(np.full((20, 30), 128 * 257, np.uint16))
    picture.save(tmp_path / "grey.png", icc_profile=grey_profile(1.8))
    assert read(tmp_path / "grey.png")[5, 5].tolist() == close_to([wanted] * 3, 2)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_inks_with_a_profile(tmp_path: Path, format: str) -> None:
    """A press whose yellow ink is L* 90, b* 60, its black L* 20; without a profile they were 255, 255, 0 and black."""

    def lab_of(inks: tuple[int, ...]) -> tuple[float, float, float]:
        cyan, magenta, yellow, black = inks
        return max(100 - 20 * (cyan + magenta) - 10 * yellow - 80 * black, 0), 0, 60 * yellow * (1 - black)

    profile = cmyk_profile(lab_of)
    yellow = saved(tmp_path / "y", format, "CMYK", (0, 0, 255, 0), icc_profile=profile)
    black = saved(tmp_path / "k", format, "CMYK", (0, 0, 0, 255), icc_profile=profile)
    assert read(yellow)[5, 5].tolist() == close_to([252, 224, 108], 8)
    assert read(black)[5, 5].tolist() == close_to([48, 48, 48], 3)


def test_a_transparent_picture_keeps_its_alpha(tmp_path: Path) -> None:
    path = saved(tmp_path / "cut.png", "PNG", "RGBA", (*SKIN, 128), icc_profile=rgb_profile(P3))
    assert read(path)[5, 5].tolist() == close_to(np.array(in_srgb(SKIN, P3)) * 128 / 255, 2)
    frame = next(iter(capture.open(path, alpha=True)))
    assert isinstance(frame, Frame)
    assert frame.pixels[5, 5].tolist() == close_to([*in_srgb(SKIN, P3), 128], 2)


def test_a_palette_is_converted(tmp_path: Path) -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, *SKIN])
    picture.save(tmp_path / "palette.png", icc_profile=rgb_profile(P3))
    assert read(tmp_path / "palette.png")[3, 3].tolist() == close_to(in_srgb(SKIN, P3), 2)


@pytest.mark.parametrize("profile", [b"nothing of the kind", rgb_profile(P3)[:200], grey_profile(1.8)])
def test_a_profile_that_is_none_is_left_out(tmp_path: Path, profile: bytes) -> None:
    path = saved(tmp_path / "odd.png", "PNG", "RGB", SKIN, icc_profile=profile)
    assert read(path)[5, 5].tolist() == list(SKIN)


def test_a_large_png_is_converted(tmp_path: Path) -> None:
    """It is decoded strip by strip."""
    path = tmp_path / "large.png"
    Image.new("RGB", (6000, 3000), SKIN).save(path, compress_level=1, icc_profile=rgb_profile(P3))
    assert read(path, 600)[5, 5].tolist() == close_to(in_srgb(SKIN, P3), 2)


def png_with(path: Path, colour: tuple[int, int, int], *chunks: tuple[bytes, bytes]) -> Path:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
    data = buffer.getvalue()
    extra = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    path.write_bytes(data[:33] + extra + data[33:])
    return path


def chromaticities(primaries: Any) -> tuple[bytes, bytes]:
    points = [(0.3127, 0.3290), *primaries]
    return b"cHRM", struct.pack(">8I", *(round(100_000 * value) for point in points for value in point))


def test_numbers_in_a_png(tmp_path: Path) -> None:
    p3 = png_with(tmp_path / "p3.png", SKIN, (b"cICP", bytes([12, 13, 0, 1])))
    assert read(p3)[3, 3].tolist() == close_to(in_srgb(SKIN, P3), 2)
    wide = png_with(tmp_path / "wide.png", SKIN, (b"cICP", bytes([9, 13, 0, 1])))
    assert read(wide)[3, 3].tolist() == close_to(in_srgb(SKIN, BT2020), 2)
    plain = png_with(tmp_path / "plain.png", SKIN, (b"cICP", bytes([1, 13, 0, 1])), chromaticities(P3))
    assert read(plain)[3, 3].tolist() == list(SKIN)


def test_gamma_and_chromaticities_of_a_png(tmp_path: Path) -> None:
    adobe = (b"gAMA", struct.pack(">I", round(100_000 / ADOBE_GAMMA)))
    path = png_with(tmp_path / "adobe.png", SKIN, adobe, chromaticities(ADOBE))
    assert read(path)[3, 3].tolist() == close_to(in_srgb(SKIN, ADOBE, ADOBE_GAMMA), 2)
    linear = png_with(tmp_path / "linear.png", DULL, (b"gAMA", struct.pack(">I", 100_000)))
    assert read(linear)[3, 3].tolist() == close_to(in_srgb(DULL, BT709, 1.0), 2)
    usual = png_with(tmp_path / "usual.png", SKIN, (b"gAMA", struct.pack(">I", 45_455)), chromaticities(BT709))
    assert read(usual)[3, 3].tolist() == list(SKIN)
    nonsense = png_with(tmp_path / "odd.png", SKIN, (b"gAMA", bytes(4)), (b"cHRM", bytes(32)))
    assert read(nonsense)[3, 3].tolist() == list(SKIN)


def test_numbers_in_an_avif(tmp_path: Path) -> None:
    """The box that says sRGB is made to say Display P3."""
    path = saved(tmp_path / "p3.avif", "AVIF", "RGB", SKIN)
    data = path.read_bytes()
    assert data.count(b"colrnclx") == 1
    at = data.index(b"colrnclx") + 8
    path.write_bytes(data[:at] + struct.pack(">HH", 12, 13) + data[at + 4 :])
    assert read(path)[5, 5].tolist() == close_to(in_srgb(SKIN, P3), 5)
