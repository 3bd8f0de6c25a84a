"""Label maps a moment later: moved by a flow that is known exactly, for the temporal loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

LEAST, MOST = 0.3, 14.0
"""Shift in pixels of 128, drawn between these by its logarithm: a moment, or many frames."""
TURN, ZOOM = 2.0, 0.015
"""Standard deviations of rotation in degrees and of the logarithm of size, at `MOST`."""
SIDE: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Maps, and where each of their pixels was."""

    labels: Tensor
    """(N, 19, S, S): shares of classes."""
    flow: Tensor
    """(N, S, S, 2) in -1..1."""
    confidence: Tensor
    """(N, 1, S, S): 1 where a pixel was inside of the picture, else 0."""


def moved(labels: Tensor, rng: np.random.Generator) -> Moved:
    """`labels` (N, 19, S, S) shifted, turned and enlarged, each in its own way."""
    count, _, height, width = labels.shape
    matrices = torch.from_numpy(np.stack([_matrix(rng) for _ in range(count)])).to(labels)
    flow = functional.affine_grid(matrices, [count, 1, height, width], align_corners=True)
    later = functional.grid_sample(labels, flow, padding_mode="border", align_corners=True)
    inside = (flow.abs() <= 1).all(-1, keepdim=True).permute(0, 3, 1, 2).to(labels)
    return Moved(later.contiguous(memory_format=torch.channels_last), flow, inside)


def _matrix(rng: np.random.Generator) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """(2, 3): from where pixels are to where they were, in -1..1."""
    shift = math.exp(rng.uniform(math.log(LEAST), math.log(MOST)))
    share = shift / MOST
    turn, zoom = math.radians(rng.normal(0, TURN)) * share, math.exp(rng.normal(0, ZOOM) * share)
    towards = rng.uniform(0, 2 * math.pi)
    across, down = 2 * shift / SIDE * math.cos(towards), 2 * shift / SIDE * math.sin(towards)
    cos, sin = zoom * math.cos(turn), zoom * math.sin(turn)
    return np.array([[cos, -sin, across], [sin, cos, down]], dtype=np.float32)
