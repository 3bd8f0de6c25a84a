"""Tone mapping and gamut mapping to sRGB by a 3-D lookup table that libavfilter applies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Primaries = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""CIE xy chromaticities of red, green, blue and white."""
Curve = Literal["srgb", "pq", "hlg"] | float
"""Transfer function from code value to linear light; a number is the exponent of a power law."""

BT709: Final[Primaries] = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290))
_PRIMARIES: Final[dict[int, Primaries]] = {
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
}
"""By ITU-T H.273: BT.2020, DCI-P3, Display P3. The older ones differ little from BT.709 and are taken as it."""
_CURVES: Final[dict[int, Curve]] = {4: 2.2, 5: 2.8, 8: 1.0, 16: "pq", 18: "hlg"}
"""By H.273; what else there is for standard dynamic range is shown with the curve of sRGB."""
_WHITE_NITS = 203.0
"""Luminance of paper white in HDR (ITU-R BT.2408), which becomes white of sRGB."""
_PEAK = 1000 / _WHITE_NITS
"""Linear light that is mapped to white."""
_KNEE = 0.7
"""Linear light up to which the tone curve is the identity; above, it compresses."""
_LEVEL = 8
"""Of the table: 64 points a side."""
FORMAT = "gbrpf32le"
"""Pixels that libavfilter has a fast way for. It mixes up the channels of integers in planes (libavfilter 11.14)."""


@dataclass(frozen=True, slots=True)
class ColourEncoding:
    """How colours are written as numbers."""

    primaries: Primaries
    curve: Curve


def encoding_of(primaries: int, transfer: int) -> ColourEncoding | None:
    """What numbers of H.273 mean; None for what is shown as sRGB is."""
    curve = _CURVES.get(transfer, "srgb")
    wide = _PRIMARIES.get(primaries, _PRIMARIES[9] if is_hdr(transfer) and primaries == 2 else BT709)
    return None if (wide, curve) == (BT709, "srgb") else ColourEncoding(wide, curve)


def is_hdr(transfer: int) -> bool:
    """Whether a transfer characteristic of H.273 is PQ or HLG."""
    return _CURVES.get(transfer) in ("pq", "hlg")


class Grading:
    """Converts frames of one colour encoding to sRGB; about 20 ns a pixel."""

    def __init__(self, encoding: ColourEncoding) -> None:
        self._table = VideoFrame.from_ndarray(table_of(encoding), format="rgb48le").reformat(format=FORMAT)
        self._table.pts = 0
        self._size: tuple[int, int] | None = None
        self._count = 0

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """A frame of full range in `FORMAT` -> the same with colours of sRGB."""
        if self._size != (frame.width, frame.height):
            self._begin(frame.width, frame.height)
        frame.pts = self._count
        self._count += 1
        self._source.push(frame)
        graded = self._sink.pull()
        assert isinstance(graded, VideoFrame)
        return graded

    def _begin(self, width: int, height: int) -> None:
        graph = Graph()
        graph.threads = 1
        self._source = graph.add("buffer", _buffer(width, height))
        table = graph.add("buffer", _buffer(self._table.width, self._table.height))
        lookup, self._sink = graph.add("haldclut"), graph.add("buffersink")
        self._source.link_to(lookup, 0, 0)
        table.link_to(lookup, 0, 1)
        lookup.link_to(self._sink)
        graph.configure()
        table.push(self._table)
        table.push(None)
        self._graph, self._size, self._count = graph, (width, height), 0

    _source: FilterContext
    _sink: FilterContext
    _graph: Graph


@cache
def table_of(encoding: ColourEncoding) -> NDArray[np.uint16]:
    """The sRGB colours of a cube of code values, red fastest, as libavfilter lays them out: (512, 512, 3)."""
    levels = np.linspace(0, 1, _LEVEL**2)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    codes = np.stack([red, green, blue], -1).reshape(-1, 3)
    light = _light(codes, encoding.curve) @ _to_bt709(encoding.primaries).T
    np.maximum(light, 0, out=light)
    if encoding.curve in ("pq", "hlg"):
        light *= _compressed(light.max(axis=1, keepdims=True))
    codes = _srgb_codes(np.minimum(light, 1))
    return (codes * 65535).round().astype(np.uint16).reshape(_LEVEL**3, _LEVEL**3, 3)


def _buffer(width: int, height: int) -> str:
    return f"video_size={width}x{height}:pix_fmt={FORMAT}:time_base=1/25:pixel_aspect=1/1"


def _light(codes: NDArray[np.float64], curve: Curve) -> NDArray[np.float64]:
    """(n, 3) code values in 0..1 -> light, 1 being white."""
    if curve == "pq":  # SMPTE ST 2084
        power = codes ** (32 / 2523)
        nits = 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (16384 / 2610)
        return np.asarray(nits / _WHITE_NITS)
    if curve == "hlg":  # ITU-R BT.2100, for a display of 1000 cd/m2
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
        luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
        return np.asarray(scene * luminance[:, None] ** 0.2 * (1000 / _WHITE_NITS))
    if curve == "srgb":
        return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    return np.asarray(codes**curve)


def _srgb_codes(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _compressed(brightest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale factor of the tone curve for a colour by its brightest component."""
    room = 1 - _KNEE
    over, most = np.maximum(brightest - _KNEE, 0) / room, (_PEAK - _KNEE) / room
    shown = _KNEE + room * over * (1 + over / most**2) / (1 + over)
    return np.where(brightest > _KNEE, np.minimum(shown, 1) / np.maximum(brightest, _KNEE), 1)


def _to_bt709(primaries: Primaries) -> NDArray[np.float64]:
    """Linear light in given primaries -> linear light in BT.709; white is preserved."""
    to_xyz, from_xyz = _to_xyz(primaries), np.linalg.inv(_to_xyz(BT709))
    adapted = to_xyz * (_to_xyz(BT709).sum(axis=1) / to_xyz.sum(axis=1))[:, None]
    return np.asarray(from_xyz @ adapted)


def _to_xyz(primaries: Primaries) -> NDArray[np.float64]:
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    return np.asarray(columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3]))
