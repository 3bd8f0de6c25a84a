"""Boundary resampling (thesis, 3.2.4 and eq. 3.8): another person's face contour around the same features; its samples.

The reference is warped to the new contour, I_pose = W(I_ref): so one photograph is reference and pose guide at once,
and the appearance encoder cannot read the shape off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.face.crop import SIDE, crop_matrix
from mien.face.pose import fit_pose
from mien.face.topology import canonical_face
from mien.face.untangle import folded, untangle
from mien.paint.parsing import parsing_map
from mien.portrait.portrait import Portrait
from mien.reenact.target import Target
from mien_export.data.faces import Faces
from mien_export.data.pairs import crop, prepared, render

Array = NDArray[np.float64]

CONTOUR: Final = np.array(topology.OVAL)
INNER: Final = np.array(
    sorted(
        {
            *(*topology.LEFT_BROW, *topology.RIGHT_BROW, *topology.LEFT_EYE, *topology.RIGHT_EYE),
            *(*topology.NOSE, *topology.NOSE_BRIDGE, *topology.OUTER_LIPS, *topology.INNER_LIPS),
        }
    )
)
"""Landmarks of the inner parts, which stay."""


def resampled(portrait: Portrait, other: Array) -> Target:
    """The face of `portrait` with the contour of `other`, a person's un-posed shape (478, 3), in the portrait's pose.

    Skin between the contour and the inner parts follows smoothly. Where a narrow contour would fold the mesh, it gives
    way.
    """
    way = other[CONTOUR] - portrait.shape[CONTOUR]
    landmarks = portrait.pose.apply(portrait.shape + _shares() @ way)
    scale = portrait.pose.scale
    if folded(landmarks[:, :2], scale).any():
        landmarks = np.concatenate([untangle(landmarks[:, :2], scale), landmarks[:, 2:]], axis=1)
    return Target(portrait.pose.undo(landmarks), portrait.pose, landmarks)


@lru_cache(maxsize=1)
def _shares() -> Array:
    """(478, 36): how far each landmark goes with each point of the contour; rows sum to 0..1.

    Harmonic on the canonical mesh, which is its own mean over neighbours: 1 on the contour, 0 on the inner parts.
    """
    joined = np.zeros((topology.SKIN_COUNT, topology.SKIN_COUNT))
    for a, b in combinations(range(3), 2):
        ends = canonical_face().triangles[:, (a, b)]
        joined[ends[:, 0], ends[:, 1]] = joined[ends[:, 1], ends[:, 0]] = 1.0
    free = np.setdiff1d(np.arange(topology.SKIN_COUNT), np.concatenate([CONTOUR, INNER]))
    laplacian = np.diag(joined.sum(axis=1)) - joined
    out = np.zeros((topology.COUNT, len(CONTOUR)))
    out[CONTOUR] = np.eye(len(CONTOUR))
    out[free] = np.linalg.solve(laplacian[np.ix_(free, free)], joined[np.ix_(free, CONTOUR)])
    out.flags.writeable = False
    return out


Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class PaperSampling:
    """What samples are drawn."""

    seed: int = 0
    side: int = SIDE
    """S: height and width; 256 or a divisor of it."""
    background: bool = False
    """Whether what surrounds the face is shown, as in the thesis's fine-tuning; else it is 0."""


class PaperPairs:
    """Samples by number. The same seed and number give the same sample, whatever came before and whoever makes it.

    Numbers run through the portraits in epochs, each in an order of its own. Pickles; pictures are read when asked for.
    """

    def __init__(self, faces: Faces, sampling: PaperSampling) -> None:
        """Raises ValueError: the side does not divide 256."""
        if SIDE % sampling.side:
            raise ValueError(f"side: expected {SIDE} or a divisor of it, got {sampling.side}")
        self._faces = faces
        self._sampling = sampling

    @property
    def epoch(self) -> int:
        """How many samples show every portrait once."""
        return self._faces.count

    def sample(self, number: int) -> dict[str, Floats]:
        """`reference` I_ref and `guide` W(I_ref), (3, S, S) in -1..1, and `parsing` (9, S, S) in 0..1, the guide's.

        Raises:
            FaceError: no face of many tries could be animated.
        """
        rng = np.random.default_rng([self._sampling.seed, number])
        index = self._turn(number)
        for _ in range(TRIES):
            try:
                return self._of(index, rng)
            except FaceError:
                index = int(rng.integers(self._faces.count))
        raise FaceError(f"sample {number}: none of {TRIES} faces could be animated; check the folder's landmarks")

    def _turn(self, number: int) -> int:
        """Which portrait it is the turn of."""
        epoch, place = divmod(number, self._faces.count)
        order = np.random.default_rng([self._sampling.seed, epoch, 1]).permutation(self._faces.count)
        return int(order[place])

    def _of(self, index: int, rng: np.random.Generator) -> dict[str, Floats]:
        portrait = self._portrait(index)
        target = resampled(portrait, self._shape(self._other(index, rng)))
        parsing = self._parsing(portrait, target.landmarks)
        reference = self._picture(portrait, portrait.pixels, self._parsing(portrait, portrait.landmarks))
        guide = self._picture(portrait, render(portrait, target), parsing)
        return {"reference": reference, "guide": guide, "parsing": parsing}

    def _portrait(self, index: int) -> Portrait:
        picture = self._faces.picture(index)
        return prepared(picture, self._faces.landmarks(index, picture.shape[0]))

    def _shape(self, index: int) -> Array:
        landmarks = self._faces.landmarks(index)
        return fit_pose(landmarks).undo(landmarks)

    def _other(self, index: int, rng: np.random.Generator) -> int:
        """Another person's portrait; the same one's where there is nobody else."""
        own, other = self._faces.identity(index), index
        for _ in range(TRIES):
            other = int(rng.integers(self._faces.count))
            if self._faces.identity(other) != own:
                break
        return other

    def _parsing(self, portrait: Portrait, landmarks: Array) -> Floats:
        side = self._sampling.side
        return parsing_map(landmarks, crop_matrix(portrait.pose, side), (side, side))

    def _picture(self, portrait: Portrait, pixels: Pixels, parsing: Floats) -> Floats:
        """(3, S, S): the crop of `pixels` (H, W, 3), averaged down, and only the face of it unless all is shown."""
        side = self._sampling.side
        tiles = crop(pixels, crop_matrix(portrait.pose)).reshape(side, SIDE // side, side, SIDE // side, 3)
        planes = tiles.mean(axis=(1, 3), dtype=np.float32).transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)
        return np.ascontiguousarray(planes if self._sampling.background else planes * parsing[:1])
