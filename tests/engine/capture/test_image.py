from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from mien import capture
from mien.capture.image import read
from mien.capture.pixels import PixelReader
from mien.errors import SourceError
from mien.frame import Frame

QUADRANTS = np.zeros((60, 100, 3), np.uint8)
QUADRANTS[:30, :50] = (220, 30, 30)
QUADRANTS[:30, 50:] = (30, 200, 30)
QUADRANTS[30:, :50] = (30, 30, 220)
QUADRANTS[30:, 50:] = (220, 220, 220)


def encoded(codec: str, pix_fmt: str, pixels: NDArray[np.uint8], **options: str) -> bytes:
    encoder = CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.height, encoder.width = pixels.shape[:2]
    encoder.pix_fmt = pix_fmt
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = options
    source = {1: "gray", 3: "rgb24", 4: "rgba"}[pixels.shape[2]]
    frame = VideoFrame.from_ndarray(pixels[:, :, 0] if source == "gray" else pixels, format=source)
    frame = frame.reformat(format=pix_fmt, dst_color_range=2 if codec == "mjpeg" else None)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    return encoded("mjpeg", "yuvj444p", pixels, qmin="1", qmax="1")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def tiff_tags(orientation: int, order: str) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHxx", 0x0112, 3, 1, orientation)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + struct.pack(f"{order}I", 0)


def jpeg_with_orientation(data: bytes, orientation: int, order: str) -> bytes:
    body = b"Exif\0\0" + tiff_tags(orientation, order)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The pixels that a camera with this EXIF orientation writes for an upright picture."""
    transposed = upright.transpose(1, 0, 2)
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: transposed,
        6: np.rot90(upright),
        7: transposed[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    return np.ascontiguousarray(turned)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_jpeg(tmp_path: Path, orientation: int, order: str) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(jpeg_with_orientation(jpeg(stored(QUADRANTS, orientation)), orientation, order))
    pixels = read(path)
    assert pixels.shape == QUADRANTS.shape
    assert np.abs(pixels.astype(int) - QUADRANTS).mean() < 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_exif_orientation_of_png(tmp_path: Path, orientation: int) -> None:
    data = encoded("png", "rgb24", stored(QUADRANTS, orientation))
    path = tmp_path / "turned.png"
    path.write_bytes(data[:33] + chunk(b"eXIf", tiff_tags(orientation, "<")) + data[33:])
    assert np.array_equal(read(path), QUADRANTS)


def test_exif_orientation_of_webp(tmp_path: Path) -> None:
    still = encoded("libwebp", "bgra", stored(QUADRANTS, 6), lossless="1")
    body = still[12:]
    size = struct.pack("<I", 59)[:3] + struct.pack("<I", 99)[:3]
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + size
    tags = tiff_tags(6, ">")
    riff = b"WEBP" + extended + body + b"EXIF" + struct.pack("<I", len(tags)) + tags
    path = tmp_path / "turned.webp"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    assert np.abs(read(path).astype(int) - QUADRANTS).max() < 4


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_display_matrix_beside_unknown_side_data(orientation: int) -> None:
    """libav hands on the whole EXIF block as side data of a kind that PyAV does not know."""
    decoder = CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, VideoCodecContext)
    data = jpeg_with_orientation(jpeg(stored(QUADRANTS, orientation)), orientation, "<")
    (frame,) = [*decoder.decode(Packet(data)), *decoder.decode(None)]
    assert np.abs(PixelReader().read(frame).astype(int) - QUADRANTS).mean() < 3


def test_damaged_exif_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "odd.jpg"
    data = jpeg(QUADRANTS)
    body = b"Exif\0\0II*\0\xff\xff\xff\xff"
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])
    assert read(path).shape == QUADRANTS.shape


@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt"),
    [(".png", "png", "rgb24"), (".bmp", "bmp", "bgr24"), (".tif", "tiff", "rgb24"), (".webp", "libwebp", "bgra")],
)
def test_lossless_kinds(tmp_path: Path, ending: str, codec: str, pix_fmt: str) -> None:
    path = tmp_path / f"picture{ending}"
    path.write_bytes(encoded(codec, pix_fmt, QUADRANTS, **({"lossless": "1"} if codec == "libwebp" else {})))
    assert np.abs(read(path).astype(int) - QUADRANTS).max() < 4


@pytest.mark.parametrize("pix_fmt", ["gray", "gray16be", "rgb48be", "monob", "ya8"])
def test_other_pixels_of_png(tmp_path: Path, pix_fmt: str) -> None:
    path = tmp_path / "picture.png"
    grey = np.repeat(np.where(np.arange(60) < 30, 0, 255).astype(np.uint8)[:, None, None], 100, axis=1)
    grey = np.repeat(grey, 3, axis=2)
    path.write_bytes(encoded("png", pix_fmt, grey))
    pixels = read(path)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - grey).max() <= 1


def test_alpha_is_flattened_over_black_or_kept(tmp_path: Path) -> None:
    pixels = np.dstack([QUADRANTS, np.full((60, 100), 128, np.uint8)])
    path = tmp_path / "clear.png"
    path.write_bytes(encoded("png", "rgba", pixels))
    assert np.abs(read(path).astype(int) - QUADRANTS * (128 / 255)).max() <= 1
    frame = next(iter(capture.open(path, alpha=True)))
    assert isinstance(frame, Frame)
    assert np.array_equal(frame.pixels, pixels)


def test_max_side_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(encoded("png", "rgb24", QUADRANTS))
    pixels = read(path, max_side=50)
    assert pixels.shape == (30, 50, 3)
    assert pixels[7, 12] == pytest.approx([220, 30, 30], abs=2)


def gradient(width: int, height: int) -> NDArray[np.uint8]:
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, width)
    pixels[:, :, 1] = np.linspace(0, 255, height)[:, None]
    pixels[:, :, 2] = 77
    return pixels


@pytest.mark.parametrize(
    ("codec", "pix_fmt"), [("png", "rgb24"), ("png", "rgba"), ("png", "rgb48be"), ("mjpeg", "yuvj444p")]
)
def test_large_pictures_look_the_same_small(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    """The strip by strip way of PNG, and the shrinking decoder of JPEG, against the picture itself."""
    width, height = 6007, 3001
    path = tmp_path / "large"
    path.write_bytes(encoded(codec, pix_fmt, gradient(width, height), **({"pred": "mixed"} if codec == "png" else {})))
    pixels = read(path, max_side=1000)
    assert max(pixels.shape) <= 1010
    wanted = gradient(pixels.shape[1], pixels.shape[0])
    assert np.abs(pixels.astype(int) - wanted).max() <= 6


MEASURE = """
import resource, sys
from mien.capture.image import read
limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pixels = read(sys.argv[1], 4096)
print(*pixels.shape, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - limit) // 1024)
"""


def one_colour_png(path: Path, width: int, height: int, colour: tuple[int, ...] = (10, 200, 30)) -> None:
    """Written row by row, so that the test itself stays small."""
    packer = zlib.compressobj(1)
    row = b"\0" + bytes(colour) * width
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if len(colour) == 3 else 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b""))


def test_a_picture_of_20000_pixels_stays_within_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    one_colour_png(path, 20_000, 4_000)
    run = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    height, width, channels, megabytes = map(int, run.stdout.split())
    assert max(height, width) <= 4096
    assert channels == 3
    assert megabytes < 200  # the picture itself takes 240


def test_a_picture_larger_than_libav_allows_is_read_as_png(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    one_colour_png(path, 60_000, 5_000, (77,))
    pixels = read(path, 1024)
    assert max(pixels.shape) <= 1024
    assert np.all(pixels == 77)


def test_a_jpeg_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    data = bytearray(jpeg(QUADRANTS))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 30_000, 30_000)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"at most 16,000 x 16,000 pixels, got 30,000 x 30,000; shrink it"):
        read(path)


def test_a_truncated_large_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    one_colour_png(path, 9_000, 4_000)
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(SourceError, match=r"a damaged PNG file \(it ends [\d,]+ rows before its end\); save it again"):
        read(path, 1000)


@pytest.mark.parametrize("begin", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF1234WEBP"])
def test_damaged_pictures_are_refused(tmp_path: Path, begin: bytes) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(begin + b"x" * 100)
    with pytest.raises(SourceError, match=r"broken\.jpg: expected a picture, got a damaged"):
        read(path)


def test_gif_gives_its_first_picture(tmp_path: Path) -> None:
    import av

    path = tmp_path / "moving.gif"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 100, 60, "rgb8"
        for number in range(3):
            frame = VideoFrame.from_ndarray(np.full((60, 100, 3), 255 * (number == 0), np.uint8))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert read(path).min() > 250
