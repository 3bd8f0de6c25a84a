"""ICC profiles that tests put into pictures: matrix and curve for RGB, a curve for grey, a table for CMYK."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
P3: Chromaticities = (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)
ADOBE: Chromaticities = (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)
D50 = np.array([0.9642, 1.0, 0.8249])
D65 = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def to_xyz(primaries: Chromaticities) -> NDArray[np.float64]:
    """Linear RGB -> XYZ with the white point D65."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    return np.asarray(columns * np.linalg.solve(columns, D65))


def rgb_profile(primaries: Chromaticities, curve: Sequence[float] = SRGB_CURVE) -> bytes:
    """`curve`: (g,) for a power, (g, a, b, c, d) for sRGB's form."""
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ D50) / (_BRADFORD @ D65)) @ _BRADFORD
    columns = (adapt @ to_xyz(primaries)).T
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve((gamma,))})


def cmyk_profile(lab_of: Callable[[tuple[int, ...]], tuple[float, float, float]]) -> bytes:
    """A table of two points a side: `lab_of` gives (L, a, b) for each corner of ink off (0) and on (1)."""
    corners = [tuple(index >> shift & 1 for shift in (3, 2, 1, 0)) for index in range(16)]
    table = b"".join(
        bytes((round(light * 2.55), round(a + 128), round(b + 128))) for light, a, b in map(lab_of, corners)
    )
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    body = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + table + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": body})


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _description("test"), b"wtpt": _xyz(D50), b"cprt": b"text\0\0\0\0none\0", **tags}
    table, bodies = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += name + struct.pack(">II", start + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    head = struct.pack(">I4sI4s4s4s", 0, b"\0\0\0\0", 0x02400000, kind, space, connection)
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *_fixed(D50))
    data = head.ljust(128, b"\0") + table + bodies
    return struct.pack(">I", len(data)) + data[4:]


def _fixed(values: Sequence[float] | NDArray[np.float64]) -> list[int]:
    return [round(float(value) * 65536) for value in values]


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *_fixed(values))


def _curve(parameters: Sequence[float]) -> bytes:
    kind = {1: 0, 5: 3}[len(parameters)]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(parameters)}i", kind, 0, *_fixed(parameters))


def _description(text: str) -> bytes:
    data = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(data)) + data + bytes(12) + bytes(67)
