"""A tiny landmark regressor, trained here: whether a painted face has its parts where the target wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from torch import Tensor, nn

from mien.face import topology
from mien_export.train.extractors.embedding import WINDOW, face_window
from mien_export.train.extractors.packaged import load_weights
from mien_export.train.extractors.trunk import Trunk

POINTS: Final = (
    *(*topology.OUTER_LIPS, *topology.INNER_LIPS),
    *(*topology.LEFT_EYE, *topology.RIGHT_EYE, topology.LEFT_IRIS[0], topology.RIGHT_IRIS[0]),
    *(*topology.LEFT_BROW, *topology.RIGHT_BROW, *topology.NOSE),
    *topology.OVAL[::2],
)
"""Indices of the landmarks that it finds."""
WEIGHTS: Final = "landmarks.npz"


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
    load_weights(network, WEIGHTS, path)
    return network


def landmark_consistency(network: LandmarkNet, painted: Tensor, truth: Tensor) -> Tensor:
    """Mean distance per axis, in shares of the side, of the landmarks found in both pictures (N, 3, S, S) in -1..1.

    Comparing what is found with what is found, not with what was meant, cancels the regressor's own bias.
    """
    result: Tensor = (network(painted) - network(truth).detach()).abs().mean()
    return result
