"""The light ICT face model (ICT-FaceKit, MIT licence, copyright 2020 USC Institute for Creative Technologies), by path.

It brings what portraits lack: teeth, gums, tongue and lids of true geometry, and how a jaw opens. Its axes are
centimetres: x to the picture's right, y up, z towards the viewer.

Its expressions are given as fields over the 478 landmarks, on the canonical face and in its unit. Both faces share 68
landmarks. Around the mouth, where upper and lower lip touch and the nearest vertex may lie on the wrong one, only those
are believed, and the skin between follows as a thin plate would; elsewhere a landmark moves as the vertex does that
lies nearest once the canonical face is bent onto the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError
from mien.face import topology
from mien.face.pose import Similarity, fit_similarity
from mien.face.topology import canonical_face

Floats = NDArray[np.float32]

FILE: Final = "ict_face_light.npz"
COUNT: Final = 26719
PARTS: Final = {
    "face": (0, 9409),
    "head": (9409, 11248),
    "socket": (11248, 13294),
    "eye_sockets": (13294, 14062),
    "gums": (14062, 17039),
    "teeth": (17039, 21451),
    "left_eye": (21451, 23021),
    "right_eye": (23021, 24591),
    "lashes": (24591, COUNT),
}
"""Vertex ranges [first, last); `gums` holds the tongue, too."""
LOWER_TEETH: Final = 19247
"""The first vertex of the lower teeth."""


@dataclass(frozen=True, slots=True, eq=False)
class Ict:
    """The model as read; arrays are not to be written to."""

    neutral: Floats
    """(26719, 3), centimetres."""
    names: tuple[str, ...]
    offsets: NDArray[np.float16]
    """(57, 26719, 3): offsets of the expressions `names` at weight 1."""
    quads: NDArray[np.int32]
    """(Q, 4): polygons; -1 in the last place marks a triangle."""
    landmarks68: NDArray[np.int32]
    """(68,): vertices in Multi-PIE order."""

    def expression(self, name: str) -> Floats:
        """(26719, 3): the offset of one expression at weight 1.

        Raises:
            SettingError: there is none of that name.
        """
        if name not in self.names:
            raise SettingError(f"ict: expected an expression of the model, got {name!r}; there are {self.names}")
        return np.asarray(self.offsets[self.names.index(name)], dtype=np.float32)

    def triangles(self, *parts: str) -> NDArray[np.int32]:
        """(T, 3): triangles whose corners all lie in the named `PARTS`."""
        inside = np.zeros(len(self.neutral) + 1, dtype=np.bool_)
        for part in parts:
            inside[slice(*PARTS[part])] = True
        inside[-1] = True  # -1 of triangles
        quads = self.quads[inside[self.quads].all(axis=1)]
        fours = quads[quads[:, 3] >= 0]
        return np.ascontiguousarray(np.concatenate([quads[:, :3], fours[:, [0, 2, 3]]]), dtype=np.int32)


@lru_cache(maxsize=1)
def read_ict(folder: Path) -> Ict:
    """The model in `folder`; read once.

    Raises:
        SettingError: the file is missing or is not this model.
    """
    path = folder / FILE
    if not path.is_file():
        raise SettingError(f"ict: expected the face model {FILE} in {folder}, found none; give the folder that has it")
    try:
        with np.load(path, allow_pickle=False) as data:
            model = Ict(
                data["neutral"],
                tuple(str(name) for name in data["expression_names"]),
                data["expression"],
                data["quads"],
                data["landmarks68"],
            )
    except (KeyError, ValueError, OSError) as error:
        raise SettingError(f"ict: {path} cannot be read as the face model ({error}); get it again") from error
    if model.neutral.shape != (COUNT, 3) or model.offsets.shape != (len(model.names), COUNT, 3):
        raise SettingError(f"ict: expected {COUNT} vertices in {path}, got {model.neutral.shape}; get it again")
    return model


Array = NDArray[np.float64]

SIXTY_EIGHT: Final = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""The landmarks that stand where Multi-PIE's 68 do."""
LIPS_FROM: Final = 48
AROUND_LIPS: Final = 0.10
"""Distance from the lips, in eye distances, within which the nearest vertex is not believed."""
RIMS: Final = (topology.INNER_LIPS, topology.OUTER_LIPS)


@lru_cache(maxsize=1)
def ict_to_canonical(ict: Ict) -> Similarity:
    """From the model's centimetres to the canonical frame."""
    points = ict.neutral[ict.landmarks68].astype(np.float64)
    kept = np.arange(17, 68)  # a contour of 68 is where it is seen, not where the skin is
    return fit_similarity(points[kept], canonical_face().points[np.array(SIXTY_EIGHT)][kept])


@lru_cache(maxsize=1)
def expression_fields(ict: Ict) -> dict[str, Array]:
    """Name -> (478, 3): how landmarks of the canonical face move at weight 1; irises stay."""
    return dict(zip(ict.names, landmark_fields(ict, ict.offsets), strict=True))


def landmark_fields(ict: Ict, shapes: NDArray[np.float16]) -> Array:
    """(S, 478, 3): how landmarks of the canonical face move with offsets (S, 26719, 3) of the model; irises stay."""
    frame = ict_to_canonical(ict)
    nearest, far = _nearest(ict, frame)
    pins = _lip_pins(ict.neutral[ict.landmarks68[LIPS_FROM:]].astype(np.float64))
    known = np.unique(np.concatenate([far, list(pins)]))
    fill = _plate_fill(known)
    turn = frame.scale * frame.rotation.T
    fields = np.zeros((len(shapes), topology.COUNT, 3))
    for field, offsets in zip(fields, shapes, strict=True):
        values = np.zeros((topology.COUNT, 3))
        values[far] = offsets[nearest[far]].astype(np.float64) @ turn
        marks = offsets[ict.landmarks68].astype(np.float64) @ turn
        for index, shares in pins.items():
            values[index] = shares @ marks[LIPS_FROM:]
        field[: topology.SKIN_COUNT] = fill @ values[known]
    return fields


def _nearest(ict: Ict, frame: Similarity) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nearest vertex of each skin landmark, and the landmarks for which it is believed."""
    skin = frame.apply(ict.neutral[slice(*PARTS["face"])].astype(np.float64))
    canonical = canonical_face().points[: topology.SKIN_COUNT]
    marks = np.array(SIXTY_EIGHT)
    goal = frame.apply(ict.neutral[ict.landmarks68].astype(np.float64))[17:]
    bent = canonical + _radial(canonical, canonical[marks[17:]], goal - canonical[marks[17:]])
    away = ((bent[:, None] - skin[None]) ** 2).sum(axis=2)
    lips = canonical[[k for ring in RIMS for k in ring]]
    far = np.linalg.norm(canonical[:, None, :2] - lips[None, :, :2], axis=2).min(axis=1) > AROUND_LIPS
    return away.argmin(axis=1), np.flatnonzero(far)


def _radial(at: Array, knots: Array, values: Array, reach: float = 0.35) -> Array:
    """`values` (K, 3) at `knots` spread over `at` (N, 3) by Gaussians that interpolate."""

    def kernel(a: Array, b: Array) -> Array:
        return np.asarray(np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / reach**2))

    weights = np.linalg.solve(kernel(knots, knots) + 1e-3 * np.eye(len(knots)), values)
    return np.asarray(kernel(at, knots) @ weights)


def _lip_pins(marks: Array) -> dict[int, Array]:
    """Landmark of a lip's rim -> (20,), the shares of the 68's lip marks in its way.

    `marks` (20, 3) are theirs. Rims are matched by their place between the corners, from -1 to 1; each lip's marks are
    joined by cubic pieces (Catmull and Rom).
    """
    pins = {}
    for ring, first, corner in ((topology.OUTER_LIPS, 0, 6), (topology.INNER_LIPS, 12, 16)):
        rest = range(corner + 1, first + 2 * (corner - first))
        for lip, rows in (
            (ring[:11], list(range(first, corner + 1))),
            ((ring[0], *ring[:9:-1]), [first, *reversed(rest), corner]),
        ):
            at, knots = _between_corners(canonical_face().points[list(lip)]), _between_corners(marks[rows])
            for k, shares in zip(lip, _cubic(at, knots), strict=True):
                pins[k] = np.zeros(len(marks))
                pins[k][rows] = shares
    return pins


def _between_corners(lip: Array) -> Array:
    """(N,): x of a lip's points (N, 3), -1 at its first and 1 at its last."""
    return np.asarray(2 * (lip[:, 0] - lip[0, 0]) / (lip[-1, 0] - lip[0, 0]) - 1)


def _cubic(at: Array, knots: Array) -> Array:
    """(N, K): the weights of values at `knots` (K,), rising, in the curve through them at `at` (N,)."""
    values = np.eye(len(knots))
    before, after = np.maximum(np.arange(len(knots)) - 1, 0), np.minimum(np.arange(len(knots)) + 1, len(knots) - 1)
    slopes = (values[after] - values[before]) / (knots[after] - knots[before])[:, None]
    i = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    step = (knots[i + 1] - knots[i])[:, None]
    t = (at - knots[i])[:, None] / step
    rise = t * t * (3 - 2 * t)
    start, end = step * t * (1 - t) ** 2 * slopes[i], step * t * t * (t - 1) * slopes[i + 1]
    return np.asarray((1 - rise) * values[i] + rise * values[i + 1] + start + end)


def _plate_fill(known: NDArray[np.int64]) -> Array:
    """(468, K): the field over the canonical mesh that holds values at `known` and bends least between."""
    skin = topology.SKIN_COUNT
    graph = np.zeros((skin, skin))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        edges = canonical_face().triangles[:, [a, b]]
        graph[edges[:, 0], edges[:, 1]] = graph[edges[:, 1], edges[:, 0]] = 1
    laplacian = np.diag(graph.sum(axis=1)) - graph
    plate = laplacian @ laplacian + 0.02 * laplacian + 1e-6 * np.eye(skin)
    free = np.setdiff1d(np.arange(skin), known)
    fill = np.zeros((skin, len(known)))
    fill[known] = np.eye(len(known))
    fill[free] = np.linalg.solve(plate[np.ix_(free, free)], -plate[np.ix_(free, known)])
    return fill
