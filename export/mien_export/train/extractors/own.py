"""Small packaged feature networks for losses: a face embedding and a landmarker."""

from __future__ import annotations

import io
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import SettingError
from mien.face import topology
from mien.machine.atomic import written


def load_weights(module: nn.Module, name: str, path: Path | None = None) -> None:
    """Fill `module` from `path`, or from the packaged file `name`, freeze it and set it to evaluate.

    Raises:
        SettingError: the file is missing, unreadable or of another network.
    """
    place = path or resources.files("mien_export.train.extractors").joinpath(name)
    try:
        with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as arrays:
            state: dict[str, Any] = {key: torch.from_numpy(arrays[key].astype(np.float32)) for key in arrays.files}
        module.load_state_dict(state)
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingError(f"{place} holds no weights for {type(module).__name__}: {error}") from error
    module.eval().requires_grad_(False)


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the weights of `module` to `path` in FP16, replacing it at once."""
    arrays = {
        key: value.detach().cpu().numpy().astype(np.float16)
        for key, value in module.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    with written(path) as file:
        np.savez_compressed(file, **arrays)


WIDTHS = (24, 48, 96, 112)
"""Channels at 32, 16, 8 and 4."""


class Residual(nn.Module):
    """x + norm(conv(x)), rectified: (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: (N, C, H, W)."""
        return F.relu(x + self.norm(self.conv(x)))


class Trunk(nn.Sequential):
    """(N, 3, 64, 64) in -1..1 to (N, outputs). A depth-wise 4x4 convolution weighs places instead of averaging them."""

    def __init__(self, outputs: int) -> None:
        last = WIDTHS[-1]
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(pairwise((3, *WIDTHS))):
            layers += [nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
            layers += [Residual(b)] if i else []
        layers += [nn.Conv2d(last, last, 4, groups=last), nn.Flatten(), nn.Linear(last, outputs)]
        super().__init__(*layers)


DIMENSIONS: Final = 128
INPUT: Final = 64
WINDOW: Final = (48 / 256, 64 / 256, 160 / 256)
"""Left, top and side of the face's square in the crop, as shares of the crop's side."""
EMBEDDING_WEIGHTS: Final = "embedding.npz"


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
    load_weights(embedding, EMBEDDING_WEIGHTS, path)
    return embedding


POINTS: Final = (
    *(*topology.OUTER_LIPS, *topology.INNER_LIPS),
    *(*topology.LEFT_EYE, *topology.RIGHT_EYE, topology.LEFT_IRIS[0], topology.RIGHT_IRIS[0]),
    *(*topology.LEFT_BROW, *topology.RIGHT_BROW, *topology.NOSE),
    *topology.OVAL[::2],
)
"""Indices of the landmarks that it finds."""
LANDMARK_WEIGHTS: Final = "landmarks.npz"


class LandmarkNet(nn.Module):
    """Landmarks of the face in a crop, differentiable."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(2 * len(POINTS))

    def forward(self, picture: Tensor) -> Tensor:
        """(N, len(POINTS), 2): x, y in shares of the side, of crops (N, 3, S, S) in -1..1."""
        found = self.of_window(face_window(picture))
        left, top, width = WINDOW
        return found.new_tensor([left, top]) + width * found

    def of_window(self, window: Tensor) -> Tensor:
        """The same in shares of the window, from what `face_window` cuts out: (N, 3, 64, 64)."""
        result: Tensor = 0.5 + self.trunk(window).float().unflatten(1, (len(POINTS), 2))
        return result


def open_landmarks(path: Path | None = None) -> LandmarkNet:
    """The packaged regressor, or one of the same network from `path`; frozen.

    Raises:
        SettingError: the file is missing or of another network.
    """
    network = LandmarkNet()
    load_weights(network, LANDMARK_WEIGHTS, path)
    return network


def landmark_consistency(network: LandmarkNet, painted: Tensor, truth: Tensor) -> Tensor:
    """Mean distance per axis, in shares of the side, of the landmarks found in both pictures (N, 3, S, S) in -1..1.

    Comparing what is found with what is found, not with what was meant, cancels the regressor's own bias.
    """
    result: Tensor = (network(painted) - network(truth).detach()).abs().mean()
    return result
