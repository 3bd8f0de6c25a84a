"""Training samples by index: deterministic in seed and index, independent of order and worker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face import topology
from mien.face.crop import SIDE
from mien.face.face import MouthHint
from mien.face.topology import canonical_face
from mien_export.data.faces import Faces
from mien_export.data.hint import ANOTHERS, OtherMouths, hint_of
from mien_export.data.open_mouth import MouthModel
from mien_export.data.pairs import Pair, manufacture, prepared
from mien_export.data.perturb import Perturbation, perturbed
from mien_export.data.variety import Varied, Variety, closing, is_shut, mirrored, varied

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

TRIES: Final = 20
MOUTH, LEFT_EYE, RIGHT_EYE = np.array([128, 178]), np.array([92, 108]), np.array([164, 108])
"""Where the parts lie in the crop, about."""
WANDER: Final = 14
"""How far a cut's middle may lie from its part, in pixels."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What samples are drawn."""

    seed: int = 0
    side: int = 128
    """256 gives whole crops, less a cut around mouth or eyes."""
    mouth_share: float = 0.5
    """Of cuts, how many show the mouth."""
    cuts: int = 2
    """Samples that are cut from one manufactured pair, one after the other: a pair costs as much as a step on it."""


class Sampler:
    """Callable: number -> pair. Pickles with its faces' landmarks; pictures are read when asked for."""

    def __init__(
        self, faces: Faces, sampling: Sampling, model: MouthModel | None = None, variety: Variety | None = None
    ) -> None:
        """Without a `model` no mouth is opened wider than a photograph's."""
        self._faces = faces
        self._sampling = sampling
        self._model = model
        self._variety = variety or Variety()
        self._last: tuple[int, Pair] | None = None

    def __call__(self, number: int) -> Pair:
        """The pair with this number.

        Raises:
            FaceError: no face of many tries could be animated.
        """
        if self._sampling.side >= SIDE:
            return self._whole_at(number)
        whole, cut = divmod(number, self._sampling.cuts)
        if self._last is None or self._last[0] != whole:
            self._last = whole, self._whole_at(whole)
        return self._cut(self._last[1], np.random.default_rng([self._sampling.seed, whole, 1 + cut]))

    def _whole_at(self, number: int) -> Pair:
        rng = np.random.default_rng([self._sampling.seed, number])
        for _ in range(TRIES):
            try:
                return self._whole(rng)
            except FaceError:
                continue
        raise FaceError(f"pair {number}: none of {TRIES} faces could be animated; check the folder's landmarks")

    def _whole(self, rng: np.random.Generator) -> Pair:
        index, one = self._varied(rng)
        truth = portrait = prepared(one.truth, one.landmarks)
        if one.source is not one.truth:
            portrait = prepared(one.source, one.source_landmarks)
        other = prepared(*self._face(self._number(rng), rng)).rest if rng.random() < 0.15 else None
        moved = perturbed(portrait, rng, other, Perturbation(mouth=not one.mouth_kept))
        hint = self._hint(index, one.truth, one.landmarks, rng)
        return manufacture(portrait, moved, rng, hint, truth, one.mouth_kept)

    def _varied(self, rng: np.random.Generator) -> tuple[int, Varied]:
        """A portrait's number, and what is made of it."""
        if self._model is not None and len(self._shut) and rng.random() < self._variety.closing:
            index = int(rng.choice(self._shut))
            return index, closing(*self._face(index, rng), rng, self._model, self._variety)
        index = self._number(rng)
        return index, varied(*self._face(index, rng), rng, self._model, self._variety)

    @cached_property
    def _shut(self) -> NDArray[np.intp]:
        """Numbers of the portraits whose lips are shut."""
        return np.flatnonzero([is_shut(self._faces.landmarks(index)) for index in range(self._faces.count)])

    def _hint(self, index: int, picture: Pixels, landmarks: Array, rng: np.random.Generator) -> MouthHint | None:
        """The target's own mouth, or that of somebody else, since a driver is somebody else."""
        if rng.random() < ANOTHERS:
            other = self._others.draw(landmarks, self._faces.identity(index), rng)
            if other is not None:
                return hint_of(*self._face(other, rng), rng)
        return hint_of(picture, landmarks, rng)

    @cached_property
    def _others(self) -> OtherMouths:
        return OtherMouths(self._faces)

    def _number(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self._faces.count))

    def _face(self, index: int, rng: np.random.Generator) -> tuple[Pixels, Array]:
        """A portrait and its landmarks, one time in two as a mirror shows it."""
        picture = self._faces.picture(index)
        landmarks = self._faces.landmarks(index, picture.shape[0])
        return mirrored_face(picture, landmarks) if rng.random() < 0.5 else (picture, landmarks)

    def _cut(self, pair: Pair, rng: np.random.Generator) -> Pair:
        side = self._sampling.side
        eye = LEFT_EYE if rng.random() < 0.5 else RIGHT_EYE
        middle = MOUTH if rng.random() < self._sampling.mouth_share else eye
        corner = middle + rng.integers(-WANDER, WANDER + 1, 2) - side // 2
        x0, y0 = (int(v) // 16 * 16 for v in np.clip(corner, 0, SIDE - side))
        return pair.cut(x0, y0, side)


def mirrored_face(picture: Pixels, landmarks: Array) -> tuple[Pixels, Array]:
    """The face as a mirror shows it: picture (H, W, 3) and landmarks (478, 3)."""
    out = landmarks[canonical_face().mirror].copy()
    out[:, 0] = picture.shape[1] - 1 - out[:, 0]
    assert len(out) == topology.COUNT
    return mirrored(picture), out
