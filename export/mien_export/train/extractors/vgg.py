"""VGG-16 up to relu4_3, and its features for the perceptual loss (Simonyan and Zisserman 2015; thesis, fig. 3.11)."""

from __future__ import annotations

import pickle
from math import sqrt
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import SettingError

WIDTHS: Final = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
"""Channels of the convolutions of each block; pooling lies between the blocks."""
MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in 0..1, by which the usual weights want theirs normalised."""


class Vgg16(nn.Module):
    """Features relu1_2, relu2_2, relu3_3 and relu4_3. Frozen; layers are named as in torchvision's weight file."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, share: float = 1.0) -> None:
        """`share`: of the usual channels; below 1 only random weights fit."""
        super().__init__()
        self.features = nn.ModuleDict()
        before, place = 3, 0
        for block in WIDTHS:
            for width in block:
                after = round(width * share)
                self.features[str(place)] = nn.Conv2d(before, after, 3, 1, 1)
                before, place = after, place + 2  # a ReLU follows each
            place += 1  # and a pooling each block
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """Four maps (N, C, S / k, S / k), k = 1, 2, 4, 8, of pictures (N, 3, S, S) in -1..1."""
        h = (picture / 2 + 0.5 - self.mean) / self.deviation
        layers = iter(self.features.values())
        out = []
        for i, block in enumerate(WIDTHS):
            h = F.max_pool2d(h, 2) if i else h
            for _ in block:
                h = F.relu(next(layers)(h))
            out.append(h)
        return tuple(out)


def open_vgg16(path: Path) -> Vgg16:
    """VGG-16 with trained weights from `path`, a state dict as torchvision publishes it; layers beyond are left out.

    Nothing in the file is run.

    Raises:
        SettingError: the file is missing or holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise SettingError(f"{path} is no weight file that can be read: {error}") from error
    network = Vgg16()
    wanted = network.state_dict()
    missing = sorted(wanted.keys() - state.keys()) if isinstance(state, dict) else ["all"]
    if missing:
        raise SettingError(f"{path} is no state dict of torchvision's VGG-16: it lacks {missing[0]}")
    try:
        network.load_state_dict({name: state[name] for name in wanted})
    except RuntimeError as error:
        raise SettingError(f"{path} is no state dict of torchvision's VGG-16: {error}") from error
    return network.eval()


def random_vgg16(seed: int = 0, share: float = 1.0) -> Vgg16:
    """VGG-16 with random weights (He et al. 2015) of a fixed seed: for those who have no trained ones.

    Random features still compare edges and textures over several scales; they know nothing of what things are.
    """
    network = Vgg16(share)
    random = torch.Generator().manual_seed(seed)
    for layer in network.features.values():
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        nn.init.normal_(layer.weight, std=sqrt(2 / (9 * layer.in_channels)), generator=random)
        nn.init.zeros_(layer.bias)
    return network.eval()
