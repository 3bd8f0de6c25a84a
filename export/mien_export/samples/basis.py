"""A small basis of expressions over the 478 landmarks, made from the geometry of any neutral face.

Each expression says where a few landmarks go, in sizes of that face's own features; the skin between follows as a thin
plate would over the canonical mesh, whose holes at eyes and mouth let the lips and lids part.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.topology import canonical_face

Array = NDArray[np.float64]
Pins = dict[int, tuple[float, float, float]]

EXPRESSIONS: Final = (
    *("jaw_open", "lips_pucker", "lips_stretch", "lips_press", "upper_lip_up", "lower_lip_down", "smile"),
    *("lid_left", "lid_right", "gaze_x", "gaze_y", "brow_raise", "brow_frown"),
)
INDEX: Final = {name: k for k, name in enumerate(EXPRESSIONS)}
STILL: Final = (
    *(33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 10, 109, 338, 67, 297, 127, 356, 162, 389, 21, 251),
    *topology.LEFT_EYE,
    *topology.RIGHT_EYE,
    *topology.LEFT_BROW,
    *topology.RIGHT_BROW,
)
"""What an expression does not name among these stays where it is."""
GAZE_REACH: Final = 0.22
"""Way of an iris at gaze 1, in eye widths."""


def expression_basis(neutral: Array) -> Array:
    """(K, 478, 3): the offset at weight 1 of each of `EXPRESSIONS`, for a closed-mouth, open-eyed, un-posed `neutral`
    (478, 3), in its own unit. Weights run over 0..1, those of gaze over -1..1 (right and down positive)."""
    width = abs(neutral[291, 0] - neutral[61, 0])
    lower = abs(neutral[152, 1] - neutral[2, 1])
    brow = abs((neutral[105, 1] + neutral[334, 1] - neutral[159, 1] - neutral[386, 1]) / 2)
    shapes = [
        _spread(_jaw_open(width, lower)),
        _spread(_lips(width, lower, corner=(-0.17, 0.0, -0.02), upper=(0.0, 0.0, -0.08), lower_lip=(0.0, 0.0, -0.08))),
        _spread(_lips(width, lower, corner=(0.12, 0.01, 0.03), upper=(0.0, 0.0, 0.0), lower_lip=(0.0, 0.0, 0.0))),
        _press(neutral),
        _spread(_lips(width, lower, corner=(0.0, 0.0, 0.0), upper=(0.0, -0.10, 0.0), lower_lip=(0.0, 0.0, 0.0))),
        _spread(_lips(width, lower, corner=(0.0, 0.0, 0.0), upper=(0.0, 0.0, 0.0), lower_lip=(0.0, 0.11, 0.0))),
        _spread(_smile(width, lower)),
        _lid(neutral, 0),
        _lid(neutral, 1),
        _gaze(neutral, 0),
        _gaze(neutral, 1),
        _spread(_brows(brow, inner=(0.0, -0.42), outer=(0.0, -0.38))),
        _spread(_brows(brow, inner=(0.22, 0.24), outer=(0.06, 0.02))),
    ]
    return np.stack(shapes)


@lru_cache(maxsize=1)
def _plate() -> Array:
    """(468, 468) squared graph Laplacian of the canonical mesh: its quadratic form is the bending of a plate."""
    skin = topology.SKIN_COUNT
    graph = np.zeros((skin, skin))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        edges = canonical_face().triangles[:, [a, b]]
        graph[edges[:, 0], edges[:, 1]] = graph[edges[:, 1], edges[:, 0]] = 1
    laplacian = np.diag(graph.sum(axis=1)) - graph
    return np.asarray(laplacian @ laplacian + 0.02 * laplacian + 1e-6 * np.eye(skin))


def _spread(pins: Pins, still: tuple[int, ...] = STILL) -> Array:
    """The field (478, 3) that moves the pinned landmarks as told and bends least between."""
    known = dict.fromkeys(still, (0.0, 0.0, 0.0)) | pins
    fixed, free = np.array(sorted(known)), np.array(sorted(set(range(topology.SKIN_COUNT)) - set(known)))
    values = np.array([known[k] for k in fixed])
    plate, field = _plate(), np.zeros((topology.COUNT, 3))
    field[fixed] = values
    field[free] = np.linalg.solve(plate[np.ix_(free, free)], -plate[np.ix_(free, fixed)] @ values)
    return field


def _along_lips(side: tuple[int, ...]) -> list[tuple[int, float, float]]:
    """(landmark, side -1..1, closeness to the middle 0..1) along half an outline of the lips, corners included."""
    count = len(side) - 1
    return [(k, 2 * i / count - 1, 1 - abs(2 * i / count - 1) ** 2.2) for i, k in enumerate(side)]


UPPER_INNER: Final = topology.INNER_LIPS[:11]
LOWER_INNER: Final = (topology.INNER_LIPS[0], *topology.INNER_LIPS[:9:-1])
UPPER_OUTER: Final = topology.OUTER_LIPS[:11]
LOWER_OUTER: Final = (topology.OUTER_LIPS[0], *topology.OUTER_LIPS[:9:-1])


def _lips(width: float, height: float, corner: tuple[float, float, float], upper: tuple[float, float, float],
          lower_lip: tuple[float, float, float]) -> Pins:  # fmt: skip
    """Corners move by `corner` (outwards, down, away; mouth widths), the lips' middles by shares of the lower face."""
    pins: Pins = {152: (0.0, 0.0, 0.0), 164: (0.0, 0.0, 0.0)}
    rows = ((UPPER_INNER, upper), (UPPER_OUTER, upper), (LOWER_INNER, lower_lip), (LOWER_OUTER, lower_lip))
    for row, middle in rows:
        for k, side, inner in _along_lips(row):
            out = side * width * corner[0]
            down = (1 - inner) * width * corner[1] + inner * height * middle[1]
            pins[k] = (out, down, (1 - inner) * width * corner[2] + inner * height * middle[2])
    return pins


def _jaw_open(width: float, lower: float) -> Pins:
    drop = 0.37 * lower
    pins: Pins = {}
    for row, share in ((UPPER_INNER, -0.03), (UPPER_OUTER, -0.02), (LOWER_INNER, 1.0), (LOWER_OUTER, 0.97)):
        for k, side, inner in _along_lips(row):
            inwards = -0.06 * width * side * (1 - inner)
            down = drop * (share * inner + 0.30 * (1 - inner))
            pins[k] = (inwards, down, 0.10 * max(down, 0.0))
    for k, share in ((152, 0.88), (148, 0.86), (377, 0.86), (176, 0.82), (400, 0.82), (149, 0.74), (378, 0.74),
                     (150, 0.64), (379, 0.64), (136, 0.52), (365, 0.52), (172, 0.40), (397, 0.40), (58, 0.25),
                     (288, 0.25), (132, 0.10), (361, 0.10), (93, 0.0), (323, 0.0),
                     (18, 0.95), (200, 0.92), (199, 0.90)):  # fmt: skip
        pins[k] = (0.0, drop * share, 0.16 * drop * share)
    pins[164] = (0.0, 0.0, 0.0)
    return pins


def _smile(width: float, lower: float) -> Pins:
    pins = _lips(width, lower, (0.13, -0.12, 0.05), (0.0, -0.015, 0.01), (0.0, 0.01, 0.01))
    for k, out in ((50, -1), (280, 1), (205, -1), (425, 1)):
        pins[k] = (0.03 * width * out, -0.09 * lower, -0.02 * lower)
    for eye in topology.EYES:
        for k in eye[10:15]:
            pins[k] = (0.0, -0.02 * lower, 0.0)
    return pins


def _press(neutral: Array) -> Array:
    """The red of the lips rolls inwards: the outer outlines come nearer to the line between the lips."""
    line = np.mean([neutral[13], neutral[14]], axis=0)[1]
    pins: Pins = {152: (0.0, 0.0, 0.0), 164: (0.0, 0.0, 0.0)}
    for row in (UPPER_INNER, LOWER_INNER):
        pins |= dict.fromkeys(row, (0.0, 0.0, 0.0))
    for row in (UPPER_OUTER, LOWER_OUTER):
        for k, _, inner in _along_lips(row):
            pins[k] = (0.0, 0.45 * inner * (line - neutral[k, 1]), 0.02 * inner)
    return _spread(pins)


def _lid(neutral: Array, side: int) -> Array:
    """The upper lid comes down to meet the lower, which rises a little."""
    eye = topology.EYES[side]
    pins: Pins = {}
    for upper, lower in zip(eye[1:8], eye[:8:-1], strict=True):
        gap = neutral[lower] - neutral[upper]
        pins[upper] = (0.85 * gap[0], 0.85 * gap[1], 0.85 * gap[2])
        pins[lower] = (-0.15 * gap[0], -0.15 * gap[1], -0.15 * gap[2])
    return _spread(pins)


def _gaze(neutral: Array, axis: int) -> Array:
    """Both irises move; the upper lids follow a look up or down."""
    pins: Pins = {}
    irises = np.zeros((topology.COUNT, 3))
    for eye, iris in zip(topology.EYES, topology.IRISES, strict=True):
        way = GAZE_REACH * float(np.linalg.norm(neutral[eye[8]] - neutral[eye[0]])) * (1.0 if axis == 0 else 0.6)
        irises[list(iris), axis] = way
        if axis == 1:
            pins |= dict.fromkeys(eye[2:7], (0.0, 0.55 * way, 0.0))
    return _spread(pins) + irises


def _brows(size: float, inner: tuple[float, float], outer: tuple[float, float]) -> Pins:
    """Ends of the brows move by `inner` and `outer` (towards the middle, down), in heights between lid and brow."""
    pins: Pins = {}
    for brow, side in ((topology.LEFT_BROW, 1.0), (topology.RIGHT_BROW, -1.0)):
        for row in (brow[:5], brow[:4:-1]):
            for i, k in enumerate(row):
                t = i / (len(row) - 1)
                pins[k] = (
                    side * size * (t * inner[0] + (1 - t) * outer[0]),
                    size * (t * inner[1] + (1 - t) * outer[1]),
                    0.0,
                )
    return pins
