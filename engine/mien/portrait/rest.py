"""The rest shape of a portrait: its expression estimated and taken out.

`rest.npz` holds a linear estimate of expressions from one un-posed shape (`python -m mien_export.rest_model`), derived
from the light ICT face model; its licence stands in `rest.txt` beside it. Who smiles and who has a wide mouth differ
little, so the estimate is small where identity explains the shape as well, and half a standard deviation of doubt is
left in. A mouth that is seen to be open is no matter of doubt: there the estimate only says how far the jaw goes along.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import close_lips, lip_gaps
from mien.face.measures import landmark_sizes
from mien.face.untangle import LEAST_READ, untangle_lips

Array = NDArray[np.float64]

OPENING: Final = (
    *("jawOpen", "mouthFunnel", "mouthUpperUp", "mouthLowerDown", "jawLeft", "jawRight", "mouthLeft", "mouthRight"),
)
"""What opens a mouth, or sets an open one askew; the rest of the model is a look that may be kept."""
DOUBT: Final = 0.5
"""Standard deviations of its own error by which an expression must be strong to be taken out."""
STRONGEST: Final = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class RestModel:
    """K expressions as the linear estimate knows them; the arrays are read-only."""

    names: tuple[str, ...]
    """ARKit's, with `_L` and `_R` for the face's own left and right."""
    fields: Array
    """(K, 478, 3): how the canonical face moves at strength 1."""
    weights: Array
    """(K, 936): of x and y of the skin's landmarks, un-posed."""
    biases: Array
    """(K,)."""
    deviations: Array
    """(K,): standard deviation of the estimate's error."""

    def strengths(self, shape: Array) -> Array:
        """(K,): the estimate for an un-posed shape (478, 3); 0 is none, and negative the contrary."""
        return np.asarray(self.weights @ shape[: topology.SKIN_COUNT, :2].ravel() + self.biases)


@lru_cache(maxsize=1)
def rest_model() -> RestModel:
    """The packaged model."""
    with resources.files("mien.portrait").joinpath("rest.npz").open("rb") as file, np.load(file) as data:
        names = tuple(str(name) for name in data["names"])
        arrays = [data[name].astype(np.float64) for name in ("fields", "weights", "biases", "deviations")]
    for array in arrays:
        array.flags.writeable = False
    return RestModel(names, *arrays)


def rest_shapes(shape: Array) -> tuple[Array, Array]:
    """Two neutrals (478, 3) of an un-posed shape (478, 3): with the mouth closed and the look kept, and relaxed.

    Closing takes jaw, chin and cheeks along. A closed mouth stays as it is. Relaxed are smile, squint and raised brows,
    too, as far as they are sure.
    """
    model = rest_model()
    strengths = np.clip(model.strengths(shape), 0.0, STRONGEST)
    opening = np.isin(model.names, OPENING)
    opened = _bearing(np.where(opening, strengths, 0.0), shape, model)
    look = np.where(opening, 0.0, np.maximum(strengths - DOUBT * model.deviations, 0.0))
    sizes = landmark_sizes(shape)
    closed, relaxed = (
        _closed(shape - np.tensordot(taken, model.fields, 1) * sizes) for taken in (opened, opened + look)
    )
    return closed, relaxed


def _closed(shape: Array) -> Array:
    """`shape` with its lips closed and no fold around them."""
    out = close_lips(shape)
    out[:, :2] = untangle_lips(out[:, :2], 1.0, LEAST_READ)
    return out


def _bearing(opened: Array, shape: Array, model: RestModel) -> Array:
    """Strengths (K,) of what opens the mouth, brought down to what the gap of the lips bears out."""
    gap = float(np.maximum(lip_gaps(shape), 0.0).max())
    told = float(lip_gaps(np.tensordot(opened, model.fields, 1)).max())
    return opened * min(1.0, gap / told) if told > 1e-6 else np.zeros_like(opened)
