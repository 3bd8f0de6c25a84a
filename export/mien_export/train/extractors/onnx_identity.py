"""A face embedding from an ONNX file, where a user has one: the identity term sees through it instead of ours.

It is fed as the ArcFace family of networks is: RGB in -1..1, with eyes, nose and mouth where that family's aligned
faces have them. The licence of such a file is the user's affair; none comes with the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import SettingError
from mien.face import topology
from mien.face.crop import ANCHOR, PLACE, SIDE, UNIT
from mien.face.pose import fit_similarity
from mien.face.topology import canonical_face
from mien_export.graphs.torch_graph import TorchGraph

TEMPLATE: Final = ((38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20))
"""Middles of both eyes, tip of the nose and corners of the mouth in an aligned face of 112 x 112 pixels."""
TEMPLATE_SIDE: Final = 112
NOSE_TIP: Final = 1


class OnnxIdentity(nn.Module):
    """Unit vectors for the faces in crops, by somebody else's network; frozen."""

    def __init__(self, path: Path) -> None:
        """Raises SettingError: the file is no such network."""
        super().__init__()
        self.graph = TorchGraph(path)
        if len(self.graph.inputs) != 1:
            raise SettingError(f"{path}: expected one input, got {', '.join(self.graph.inputs)}")
        (shape,) = self.graph.inputs.values()
        if len(shape) != 4 or shape[1] not in (0, 3):
            raise SettingError(f"{path}: expected an input (N, 3, side, side), got {shape}")
        self.side = shape[2] or TEMPLATE_SIDE
        self.eval().requires_grad_(False)

    def forward(self, picture: Tensor) -> Tensor:
        """(N, D) of length 1, from crops (N, 3, S, S) in -1..1 as `mien.face.crop` places them."""
        left, top, width = (round(share * picture.shape[-1]) for share in aligned_window())
        cut = F.pad(picture, (width, width, width, width), mode="replicate")  # the window may reach beyond the crop
        cut = cut[..., top + width : top + 2 * width, left + width : left + 2 * width]
        face = F.interpolate(
            cut, size=(self.side, self.side), mode="bilinear", align_corners=False, antialias=width > self.side
        )
        return F.normalize(self.graph(face)[0].flatten(1).float(), dim=1)


def aligned_window() -> tuple[float, float, float]:
    """Left, top and side of the square of a crop that holds a face as aligned to `TEMPLATE`, as shares of its side."""
    points = canonical_face().points
    parts = [points[list(eye)].mean(axis=0) for eye in topology.EYES]
    parts += [points[i] for i in (NOSE_TIP, topology.OUTER_LIPS[0], topology.OUTER_LIPS[10])]
    in_crop = (np.array(parts) - ANCHOR)[:, :2] * UNIT + PLACE
    fit = fit_similarity(in_crop, np.array(TEMPLATE))
    left, top = ((np.full(2, -0.5) - fit.translation) / fit.scale + 0.5) / SIDE
    return float(left), float(top), TEMPLATE_SIDE / fit.scale / SIDE
