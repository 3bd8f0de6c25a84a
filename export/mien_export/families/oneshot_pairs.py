"""Pairs as tensors, and the warp that the engine applies between the two graphs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.paint.fillers import BYTE_SCALE
from mien_export.data.pairs import Pair


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Tensors of N pairs; pictures (N, 3, H, W) in -1..1, parsing maps (N, 9, H, W) in 0..1."""

    target: Tensor
    source: Tensor
    source_parsing: Tensor
    parsing: Tensor
    warped: Tensor
    hint: Tensor
    flow: Tensor
    """(N, H, W, 2): absolute, pixels."""
    valid: Tensor
    """(N, 1, H, W): 1 where the target is photograph."""


def collate(pairs: list[Pair]) -> dict[str, Tensor]:
    """Pairs stacked as they are, bytes as bytes: what travels between processes."""
    names = ("target", "source", "source_parsing", "parsing", "warped", "hint", "flow", "valid")
    return {name: torch.from_numpy(np.stack([getattr(pair, name) for pair in pairs])) for name in names}


def to_batch(raw: dict[str, Tensor], device: torch.device) -> Batch:
    """The batch on `device`, channels last."""
    moved = {name: value.to(device, non_blocking=True) for name, value in raw.items()}

    def picture(name: str) -> Tensor:
        values = moved[name].permute(0, 3, 1, 2).float()
        return ((values - BYTE_SCALE) / BYTE_SCALE).contiguous(memory_format=torch.channels_last)

    def parsing(name: str) -> Tensor:
        return (moved[name].float() / 255).contiguous(memory_format=torch.channels_last)

    return Batch(
        target=picture("target"),
        source=picture("source"),
        source_parsing=parsing("source_parsing"),
        parsing=parsing("parsing"),
        warped=picture("warped"),
        hint=picture("hint"),
        flow=moved["flow"].float(),
        valid=(moved["valid"].float() / 255)[:, None],
    )


def warp_features(features: tuple[Tensor, ...], flow: Tensor) -> tuple[Tensor, ...]:
    """Each feature (N, C, h, w) sampled by the flow (N, H, W, 2) averaged over its cells; borders are repeated.

    In float32: 16-bit coordinates would be off by half a cell.
    """
    return tuple(_warped(feature, flow) for feature in features)


def _warped(feature: Tensor, flow: Tensor) -> Tensor:
    height, width = feature.shape[2:]
    cell = flow.shape[1] // height
    places = F.avg_pool2d(flow.permute(0, 3, 1, 2), cell).permute(0, 2, 3, 1)
    places = (places + 0.5) / cell
    grid = places / places.new_tensor([width, height]) * 2 - 1
    sampled = F.grid_sample(feature.float(), grid, padding_mode="border", align_corners=False)
    return sampled.to(feature.dtype)
