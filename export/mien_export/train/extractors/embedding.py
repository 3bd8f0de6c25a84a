"""A small face embedding, trained here: alike for pictures of one person in the generator's crop."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F

from mien_export.train.extractors.packaged import load_weights
from mien_export.train.extractors.trunk import Trunk

DIMENSIONS: Final = 128
INPUT: Final = 64
WINDOW: Final = (48 / 256, 64 / 256, 160 / 256)
"""Left, top and side of the face's square in the crop, as shares of the crop's side."""
WEIGHTS: Final = "embedding.npz"


class FaceEmbedding(nn.Module):
    """A unit vector for the face in a crop: near for one person, far for two."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(DIMENSIONS)

    def forward(self, picture: Tensor) -> Tensor:
        """(N, 128) of length 1, from crops (N, 3, S, S) in -1..1 as `mien.face.crop` places them."""
        return self.of_window(face_window(picture))

    def of_window(self, window: Tensor) -> Tensor:
        """The same, from what `face_window` cuts out: (N, 3, 64, 64)."""
        return F.normalize(self.trunk(window).float(), dim=1)


def face_window(picture: Tensor) -> Tensor:
    """(N, 3, 64, 64): the face of crops (N, 3, S, S)."""
    side = picture.shape[-1]
    left, top, width = (round(share * side) for share in WINDOW)
    cut = picture[..., top : top + width, left : left + width]
    return F.interpolate(cut, size=(INPUT, INPUT), mode="bilinear", align_corners=False, antialias=width > INPUT)


def open_embedding(path: Path | None = None) -> FaceEmbedding:
    """The packaged embedding, or one of the same network from `path`; frozen.

    Raises:
        SettingError: the file is missing or of another network.
    """
    embedding = FaceEmbedding()
    load_weights(embedding, WEIGHTS, path)
    return embedding
