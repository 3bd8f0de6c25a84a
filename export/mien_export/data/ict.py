"""The light ICT face model (ICT-FaceKit, MIT licence, copyright 2020 USC Institute for Creative Technologies), by path.

It brings what portraits lack: teeth, gums, tongue and lids of true geometry, and how a jaw opens. Its axes are
centimetres: x to the picture's right, y up, z towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError

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
