from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, cycle, islice

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.capture import image
from mien.emit.timecode import carry
from mien_bench.latency.sources import Pixels, pictures_of
from mien_bench.latency.timecode import (
    COLUMNS,
    NUMBER_BITS,
    ROWS,
    TICK,
    TIME_BITS,
    Code,
    decode,
    draw,
    encode,
    read,
    read_luma,
)

RATE = 25
FRAMES = 125
LOW_DELAY = {
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "minrate": "500k", "maxrate": "500k"},
    "libx264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "maxrate": "500k"},
}
DECODERS = {"libvpx": "vp8", "libx264": "h264"}


@pytest.fixture(scope="module")
def driver() -> list[Pixels]:
    return pictures_of(samples.driver())


@pytest.mark.parametrize(
    "code",
    [Code(0, 0), Code((1 << NUMBER_BITS) - 1, (1 << TIME_BITS) - 1), Code.of(3, 12.3456), Code.of(300_000, 1e6)],
)
def test_what_is_drawn_is_read(code: Code) -> None:
    assert decode(encode(code)) == code
    pixels = np.full((480, 640, 3), 90, np.uint8)
    draw(code, pixels)
    assert read(pixels) == code
    assert (pixels[32:] == 90).all()


def test_age_is_the_time_since_also_where_the_code_begins_anew() -> None:
    turn = (1 << TIME_BITS) * TICK
    assert Code.of(0, 5.0).age(5.25) == pytest.approx(0.25, abs=TICK)
    assert Code.of(0, turn - 0.1).age(turn + 0.2) == pytest.approx(0.3, abs=TICK)
    assert Code.of(1 << NUMBER_BITS, 0).number == 0


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (240, 320), (270, 480), (720, 1280), (360, 202)])
def test_it_is_read_in_portraits_of_any_size(driver: list[Pixels], size: tuple[int, int]) -> None:
    captured, emitted = driver[0].copy(), np.zeros((*size, 3), np.uint8)
    draw(Code.of(77, 1.5), captured)
    carry(captured, emitted)
    assert read(emitted) == Code.of(77, 1.5)


def _decoded(codec: str, pictures: Iterator[Pixels], size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """At 500 kbit/s, as a call has it."""
    encoder = av.CodecContext.create(codec, "w")
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(encoder, av.VideoCodecContext)
    assert isinstance(decoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.bit_rate = "yuv420p", 500_000
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"bufsize": "125k", **LOW_DELAY[codec]}
    encoder.thread_count = 1  # libvpx's threads wait for each other by spinning
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        for packet in encoder.encode(frame.reformat(*size, format="yuv420p")):
            yield from decoder.decode(packet)
    for packet in encoder.encode(None):
        yield from decoder.decode(packet)
    yield from decoder.decode(None)


def _array(frame: av.VideoFrame, format: str) -> Pixels:
    limited = "MPEG" if format == "gray" else None
    return np.asarray(frame.reformat(format=format, dst_color_range=limited).to_ndarray(), np.uint8)


@pytest.mark.parametrize("size", [(640, 480), (320, 240)])
@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
def test_it_survives_codecs_at_500_kilobits(driver: list[Pixels], codec: str, size: tuple[int, int]) -> None:
    def stamped() -> Iterator[Pixels]:
        for number, picture in enumerate(islice(cycle(driver), FRAMES)):
            pixels = picture.copy()
            draw(Code.of(number, 100 + number / RATE), pixels)
            yield pixels

    found = {}
    for frame in _decoded(codec, stamped(), size):
        assert frame.pts is not None
        found[frame.pts] = read(_array(frame, "rgb24"))
        assert read_luma(_array(frame, "gray")) == found[frame.pts]
    assert len(found) == FRAMES
    wrong = {
        n: code for n, code in found.items() if code is not None and code != Code.of(n or 0, 100 + (n or 0) / RATE)
    }
    assert not wrong
    assert sum(code is not None for code in found.values()) >= 0.995 * FRAMES


def _cells_as_pixels(cells: NDArray[np.bool_]) -> Pixels:
    """The smallest picture that shows them; what is read is the same as at any size."""
    strip = np.where(np.repeat(cells, 2, axis=0), 232, 24).astype(np.uint8)
    return np.repeat(np.vstack([strip, np.zeros((56, COLUMNS), np.uint8)])[:, :, None], 3, axis=2)


def test_no_false_read_in_noise() -> None:
    rng = np.random.default_rng(7)
    fine = (rng.integers(0, 256, (60, 40, 3), np.uint8) for _ in range(20_000))
    cells = (_cells_as_pixels(rng.random((ROWS, COLUMNS)) < 0.5) for _ in range(30_000))
    assert [code for pixels in chain(fine, cells) if (code := read(pixels)) is not None] == []


def test_no_false_read_in_corrupted_strips() -> None:
    """Up to a whole row of cells is wrong; a code that is read at all must be the true one."""
    rng = np.random.default_rng(8)
    false = 0
    for number in range(40_000):
        code = Code(int(rng.integers(1 << NUMBER_BITS)), int(rng.integers(1 << TIME_BITS)))
        cells = encode(code).reshape(-1)
        flipped = rng.choice(cells.size, number % COLUMNS + 1, replace=False)
        cells[flipped] ^= True
        false += decode(cells.reshape(ROWS, COLUMNS)) is not None
    assert false == 0


def test_no_false_read_where_two_strips_are_mixed() -> None:
    """As when an encoder refreshed a part of the strip only."""
    for number in range(5_000):
        old, new = encode(Code.of(number, number / RATE)), encode(Code.of(number + 1, (number + 1) / RATE))
        cut = number % (COLUMNS - 1) + 1
        mixed = np.hstack([new[:, :cut], old[:, cut:]])
        assert decode(mixed) in (None, Code.of(number, number / RATE), Code.of(number + 1, (number + 1) / RATE))


def test_no_false_read_in_other_pictures(driver: list[Pixels]) -> None:
    """Every part of the samples, of plain pictures and of patterns, as large as a strip may be."""
    rng = np.random.default_rng(9)
    pictures = [*driver[::20], *(image.read(path) for path in samples.portraits().values())]
    checks = [np.kron(np.indices((12, 12)).sum(axis=0) % 2, np.ones((side, side))) * 255 for side in range(8, 64, 8)]
    pictures += [np.repeat(check.astype(np.uint8)[:, :, None], 3, axis=2) for check in checks]
    pictures += [np.full((96, 96, 3), grey, np.uint8) for grey in (0, 24, 128, 232, 255)]
    for _ in range(5_000):
        picture = pictures[rng.integers(len(pictures))]
        height, width = picture.shape[:2]
        top, left = rng.integers(height - 40), rng.integers(width - 50)
        assert read(picture[top : top + 60, left:]) is None
