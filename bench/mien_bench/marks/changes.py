"""What happens to pictures on their way: codecs at few bits, scaling, cropping, light, noise, turning."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Change = Callable[[Iterable[Pixels]], Iterator[Pixels]]

RATE: Final = 25
"""Frames a second of a piece."""
_SEED: Final = 7


def coded(frames: Iterable[Pixels], codec: str, bits: int, height: int | None = None) -> Iterator[Pixels]:
    """Encoded at `bits` a second, scaled to `height` before where it is given, and decoded."""
    file, format = io.BytesIO(), "mp4" if codec == "libx264" else "webm"
    with av.open(file, "w", format=format) as output:
        stream: Any = None
        for frame in frames:
            if stream is None:
                stream = output.add_stream(codec, rate=RATE)
                stream.width, stream.height = _size(frame, height)
                stream.pix_fmt, stream.bit_rate = "yuv420p", bits
                stream.options = _OPTIONS[codec] | {"threads": "1"}
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            output.mux(stream.encode(picture.reformat(stream.width, stream.height, "yuv420p")))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as made:
        for decoded in made.decode(video=0):
            yield np.asarray(decoded.to_ndarray(format="rgb24"), np.uint8)


_OPTIONS: Final[Mapping[str, dict[str, str]]] = {
    "libx264": {"preset": "veryfast"},
    "libvpx": {"deadline": "realtime", "cpu-used": "6"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "7"},
}


def _size(frame: Pixels, height: int | None) -> tuple[int, int]:
    rows, columns = frame.shape[:2]
    share = 1.0 if height is None else height / rows
    return round(columns * share / 2) * 2, round(rows * share / 2) * 2


def jpeg(frames: Iterable[Pixels], quality: int) -> Iterator[Pixels]:
    """The first frame alone, as a JPEG."""
    first = next(iter(frames))
    done, data = cv2.imencode(".jpg", first[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    yield np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def scaled(frames: Iterable[Pixels], share: float) -> Iterator[Pixels]:
    """Smaller, and back."""
    for frame in frames:
        height, width = frame.shape[:2]
        small = cv2.resize(frame, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
        yield np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def cropped(frames: Iterable[Pixels], share: float) -> Iterator[Pixels]:
    """A part that is not in the middle, and as large as before."""
    for frame in frames:
        height, width = frame.shape[:2]
        top, left = round(0.7 * (1 - share) * height), round(0.4 * (1 - share) * width)
        part = frame[top : top + round(share * height), left : left + round(share * width)]
        yield np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def lit(frames: Iterable[Pixels], gain: float, gamma: float) -> Iterator[Pixels]:
    """Brighter or darker."""
    table = np.rint(255 * np.clip(gain * (np.arange(256) / 255) ** gamma, 0, 1)).astype(np.uint8)
    for frame in frames:
        yield table[frame]


def noisy(frames: Iterable[Pixels], share: float) -> Iterator[Pixels]:
    """With noise whose standard deviation is a share of the range."""
    chance = np.random.default_rng(_SEED)
    for frame in frames:
        noise = chance.standard_normal(frame.shape, np.float32) * np.float32(255 * share)
        yield np.asarray(np.clip(np.rint(frame + noise), 0, 255), np.uint8)


def turned(frames: Iterable[Pixels], degrees: float) -> Iterator[Pixels]:
    """Turned about the middle."""
    for frame in frames:
        height, width = frame.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
        yield np.asarray(cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _twice(frames: Iterable[Pixels]) -> Iterator[Pixels]:
    return coded(coded(frames, "libx264", 700_000), "libvpx-vp9", 400_000)


CHANGES: Final[Mapping[str, Change]] = {
    "as it is": iter,
    "H.264, 500 kbit/s": partial(coded, codec="libx264", bits=500_000),
    "VP8, 400 kbit/s": partial(coded, codec="libvpx", bits=400_000),
    "JPEG of quality 50, one frame": partial(jpeg, quality=50),
    "half size and back": partial(scaled, share=0.5),
    "360 lines, H.264": partial(coded, codec="libx264", bits=500_000, height=360),
    "crop to 80 %, H.264": lambda frames: coded(cropped(frames, 0.8), "libx264", 500_000),
    "H.264, then VP9": _twice,
    "brighter by a quarter": partial(lit, gain=1.25, gamma=1.0),
    "gamma 1.4": partial(lit, gain=1.0, gamma=1.4),
    "noise of 2 %": partial(noisy, share=0.02),
    "turned by 2 degrees": partial(turned, degrees=2.0),
}
REPORTED: Final = frozenset({"turned by 2 degrees"})
"""Changes of which nothing is promised."""
LEAST: Final[Mapping[str, float]] = {"JPEG of quality 50, one frame": 0.9}
"""Share of pieces in which the mark must be found, where it is not `USUAL`."""
USUAL: Final = 0.99
