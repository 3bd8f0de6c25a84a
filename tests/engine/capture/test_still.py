"""Damaged picture files are refused in one line, odd but whole ones are read."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien.capture.image import read
from mien.errors import SourceError

SIZE = 160, 120
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "baseline": ("JPEG", "JPEG", {"quality": 90}),
    "progressive": ("JPEG", "JPEG", {"quality": 90, "progressive": True}),
    "4:1:1": ("JPEG", "JPEG", {"quality": 90, "subsampling": "4:1:1"}),
    "png": ("PNG", "PNG", {}),
    "webp": ("WebP", "WEBP", {"quality": 90}),
    "webp-lossless": ("WebP", "WEBP", {"lossless": True}),
    "tiff": ("TIFF", "TIFF", {}),
    "tiff-lzw": ("TIFF", "TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-jpeg": ("TIFF", "TIFF", {"compression": "jpeg", "quality": 90}),
    "bmp": ("BMP", "BMP", {}),
    "gif": ("GIF", "GIF", {}),
    "avif": ("AVIF", "AVIF", {"quality": 80, "speed": 10}),
    "heic": ("HEIC", "HEIF", {"quality": 80}),
}


def scene() -> Image.Image:
    """Smooth colours with some grain, so that every kind has many bytes of pixels."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    pixels = np.stack([60 + x, 200 - y, 90 + 40 * np.sin(x / 9) * np.cos(y / 7)], -1)
    pixels += np.random.default_rng(5).normal(0, 6, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@cache
def encoded(kind: str) -> bytes:
    _, format, options = KINDS[kind]
    if kind == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    buffer = io.BytesIO()
    scene().save(buffer, format, **options)
    return buffer.getvalue()


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: expected")
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_whole_pictures_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "portrait.jpg"  # whatever its name says
    path.write_bytes(encoded(kind))
    difference = read(path).astype(int) - np.asarray(scene())
    assert np.abs(difference).mean() < (18 if kind == "gif" else 7)


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_pictures_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = encoded(kind)
    line = refusal(tmp_path / "cut.bin", data[: int(len(data) * share)])
    assert f"expected a picture, got a damaged {KINDS[kind][0]} file (" in line
    assert line.endswith("; save it again")


def test_libtiff_says_nothing_of_a_picture_that_breaks_off(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for kind in ("tiff-lzw", "tiff-deflate", "tiff-jpeg"):  # their tags are at the end
        assert "got a damaged TIFF file" in refusal(tmp_path / "cut.tif", encoded(kind)[:-4000])
    packed = zlib.compress(np.asarray(scene().convert("L")).tobytes())
    width, height = SIZE
    tags = [(256, width), (257, height), (258, 8), (259, 8), (262, 1), (273, 122), (278, height), (279, len(packed))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (305, 0)])
    data = b"II*\0" + struct.pack("<IH", 8, len(tags) + 1) + entries + bytes(4) + packed
    path = tmp_path / "first.tif"
    path.write_bytes(data)
    assert np.array_equal(read(path)[:, :, 0], np.asarray(scene().convert("L")))
    assert "its pixels break off" in refusal(path, data[:-500])
    assert capfd.readouterr().err == ""


def test_a_progressive_jpeg_cut_between_its_scans_is_refused(tmp_path: Path) -> None:
    data = encoded("progressive")
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 4
    for at in scans[1:4]:
        assert "damaged JPEG" in refusal(tmp_path / "cut.jpg", data[:at])


NOISY = ["baseline", "progressive", "4:1:1", "png", "tiff-deflate"]
"""The others' codes mean something whatever their bits are."""


@pytest.mark.parametrize("kind", NOISY)
def test_noise_in_the_middle_is_refused(tmp_path: Path, kind: str) -> None:
    data = bytearray(encoded(kind))
    middle, length = len(data) // 2, len(data) // 8
    data[middle : middle + length] = np.random.default_rng(3).integers(0, 256, length, np.uint8).tobytes()
    assert "damaged" in refusal(tmp_path / "noise.bin", bytes(data))


@pytest.mark.parametrize("kind", ["baseline", "4:1:1"])
def test_zeros_in_the_middle_of_a_jpeg_are_refused(tmp_path: Path, kind: str) -> None:
    data = bytearray(encoded(kind))
    data[len(data) // 2 : len(data) * 5 // 8] = bytes(len(data) * 5 // 8 - len(data) // 2)
    assert "got a damaged JPEG file" in refusal(tmp_path / "zeros.jpg", bytes(data))


def test_a_png_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded("png"))
    (length,) = struct.unpack_from(">I", data, 33)
    assert data[37:41] == b"IDAT"
    data[41 + length] ^= 1
    assert "checksum of a chunk IDAT is wrong" in refusal(tmp_path / "sum.png", bytes(data))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 3, -1])
def test_a_png_that_lacks_rows_is_refused_although_it_has_an_end(tmp_path: Path, kept: int, interlaced: bool) -> None:
    """Whole chunks are missing, those that are there have right checksums; or the compressed rows end too early."""
    pixels = np.asarray(scene())
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [pixels[y::down, x::right] for x, y, right, down in passes] if interlaced else [pixels]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part)
    packed = zlib.compress(rows)
    chunks = [packed[at : at + 4096] for at in range(0, len(packed), 4096)]
    head = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, int(interlaced))
    path = tmp_path / "rows.png"
    path.write_bytes(png_of(head, *chunks))
    assert np.array_equal(read(path), pixels)
    assert "damaged PNG" in refusal(path, png_of(head, *chunks[:kept]))
    assert "damaged PNG" in refusal(path, png_of(head, zlib.compress(rows[: -3 * SIZE[0] - 1])))


def png_of(head: bytes, *parts: bytes) -> bytes:
    chunks = [(b"IHDR", head), *((b"IDAT", part) for part in parts), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def test_a_wrong_checksum_of_what_no_pixel_hangs_on_is_left_alone(tmp_path: Path) -> None:
    data = encoded("png")
    text = b"tEXtComment\0hello"
    path = tmp_path / "sum.png"
    path.write_bytes(data[:33] + struct.pack(">I", len(text) - 4) + text + b"\0\0\0\0" + data[33:])
    assert zlib.crc32(text) != 0
    assert np.array_equal(read(path), np.asarray(scene()))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "heic"])
def test_what_comes_after_the_end_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "trailing.bin"
    path.write_bytes(encoded(kind))
    alone = read(path)
    path.write_bytes(encoded(kind) + b"\0\0SEFT" + encoded("baseline")[:500] + bytes(range(256)) * 8)
    assert np.array_equal(read(path), alone)


def test_a_web_page_named_as_a_picture_is_refused(tmp_path: Path) -> None:
    page = b"\n<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head>" + b"<p>no</p>" * 99 + b"</html>"
    assert "expected a video or a picture, got a web page; download the file itself" in refusal(
        tmp_path / "p.jpg", page
    )


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "got an empty file" in refusal(tmp_path / "portrait.jpg", b"")


@pytest.mark.parametrize("begin", [b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0", b"BM1234\0\0\0\0", b"\0\0\0\x18ftypavif"])
def test_headers_alone_are_refused(tmp_path: Path, begin: bytes) -> None:
    assert "damaged" in refusal(tmp_path / "head.bin", begin + b"x" * 60)


@pytest.mark.parametrize("kind", KINDS)
def test_first_bytes_alone_are_refused_in_plain_words(tmp_path: Path, kind: str) -> None:
    data = encoded(kind)
    for size in (*range(4, 66), 100):
        line = refusal(tmp_path / "begun.bin", data[:size])
        assert not re.search(r"unpack|buffer|index out|identified|chunk b'|incomplete checksum", line), line


def test_heic_without_its_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    line = refusal(tmp_path / "phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    assert "got a HEIC file without its reader; install it with `pip install mien[heif]`" in line


SAVED: dict[str, Callable[[], Image.Image]] = {
    "1": lambda: scene().convert("1"),
    "L": lambda: scene().convert("L"),
    "P": lambda: scene().convert("P", palette=Image.Palette.ADAPTIVE),
    "LA": lambda: scene().convert("LA"),
    "RGBA": lambda: scene().convert("RGBA"),
    "I;16": lambda: Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257),
}


@pytest.mark.parametrize("mode", SAVED)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_pixels_of_every_depth(tmp_path: Path, format: str, mode: str) -> None:
    picture = SAVED[mode]()
    path = tmp_path / "picture"
    picture.save(path, format)
    wanted = scene().convert("L") if mode == "I;16" else picture
    difference = read(path).astype(int) - np.asarray(wanted.convert("RGB"))
    assert np.abs(difference).max() <= (mode == "I;16")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_cmyk_of_tiff(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "inks.tif"
    Image.new("CMYK", (40, 30), (0, 255, 255, 0)).save(path, compression=compression)
    assert np.all(read(path) == (255, 0, 0))


def test_tiles_of_tiff(tmp_path: Path) -> None:
    """Four tiles of 16 x 16 grey pixels, uncompressed, of which the last ones reach over the edge."""
    pixels = np.arange(20 * 28, dtype=np.uint16).reshape(20, 28).astype(np.uint8)
    padded = np.zeros((32, 32), np.uint8)
    padded[:20, :28] = pixels
    tiles = [padded[y : y + 16, x : x + 16].tobytes() for y in (0, 16) for x in (0, 16)]
    tags = [(256, 28), (257, 20), (258, 8), (259, 1), (262, 1), (277, 1), (322, 16), (323, 16)]
    first = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags]
    entries += [struct.pack("<HHII", 324, 4, 4, first), struct.pack("<HHII", 325, 4, 4, first + 16)]
    offsets = struct.pack("<4I4I", *(first + 32 + 256 * i for i in range(4)), *[256] * 4)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + offsets + b"".join(tiles)
    path = tmp_path / "tiles.tif"
    path.write_bytes(data)
    assert np.array_equal(read(path)[:, :, 0], pixels)


def test_pixels_that_only_libav_reads(tmp_path: Path) -> None:
    """Grey with alpha at 16 bits: Pillow knows no such TIFF."""
    grey = np.asarray(scene().convert("L")).astype(np.uint16) * 257
    pixels = np.stack([grey, np.full_like(grey, 65535)], -1).astype("<u2").tobytes()
    width, height = SIZE
    tags = [(256, width), (257, height), (258, 16 | 16 << 16), (259, 1), (262, 1), (273, 0), (277, 2), (278, height)]
    tags += [(279, len(pixels)), (338, 2)]
    start = 8 + 2 + 12 * len(tags) + 4
    body = b"".join(
        struct.pack("<HHII", tag, 3 if tag in (258, 338) else 4, 2 if tag == 258 else 1, start if tag == 273 else value)
        for tag, value in tags
    )
    path = tmp_path / "deep.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + bytes(4) + pixels)
    assert np.abs(read(path)[:, :, 0].astype(int) - grey // 257).max() <= 2


@pytest.mark.parametrize("missing", [2, 3, 20, 100])
def test_a_jpeg_that_breaks_off_near_its_end_is_refused(tmp_path: Path, missing: int) -> None:
    for kind in ("baseline", "progressive", "4:1:1"):
        assert "damaged JPEG" in refusal(tmp_path / "cut.jpg", encoded(kind)[:-missing])


def test_big_tiff(tmp_path: Path) -> None:
    scene().save(tmp_path / "big.tif", big_tiff=True)
    assert np.array_equal(read(tmp_path / "big.tif"), np.asarray(scene()))


def test_samples_of_32_bits_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "depth.tif"
    Image.fromarray(np.linspace(0, 3, 300, dtype=np.float32).reshape(15, 20)).save(path)
    with pytest.raises(SourceError, match=r"got a TIFF file of a kind that is not read \(32 bits a sample\); save it"):
        read(path)


def test_transparent_palette_and_colour_of_png(tmp_path: Path) -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, 200, 100, 50])
    picture.save(tmp_path / "palette.png", transparency=bytes([255, 128]))
    assert np.abs(read(tmp_path / "palette.png").astype(int) - np.array([200, 100, 50]) * 128 / 255).max() <= 1
    Image.new("RGB", (8, 8), (9, 8, 7)).save(tmp_path / "key.png", transparency=(9, 8, 7))
    assert not read(tmp_path / "key.png").any()


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("format", ["TIFF", "AVIF", "WEBP", "HEIF"])
def test_orientation_is_applied_once(tmp_path: Path, format: str, orientation: int) -> None:
    if format == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    picture = Image.new("RGB", (64, 48), (200, 30, 30))
    picture.paste((30, 30, 200), (0, 0, 64, 12))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned"
    picture.save(path, format, exif=exif.tobytes())
    pixels = read(path)
    blue = {3: pixels[-6, 30], 6: pixels[30, -6]}[orientation]
    assert pixels.shape == {3: (48, 64, 3), 6: (64, 48, 3)}[orientation]
    assert blue.tolist() == pytest.approx([30, 30, 200], abs=25)
    assert pixels[3, 3].tolist() == pytest.approx([200, 30, 30], abs=25)
