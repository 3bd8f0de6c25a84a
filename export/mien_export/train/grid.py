"""Pictures of what a run paints, the truth beside them; one row a sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from mien.machine.atomic import written
from mien_export.train.batch import HALF


def write_grid(path: Path, columns: Sequence[Tensor]) -> None:
    """Write columns of pictures (N, 3, H, W) in -1..1 as PNG."""
    rows = [_bytes(column) for column in columns]
    whole = np.concatenate([np.concatenate(list(column), axis=0) for column in rows], axis=1)
    with written(path) as file:
        Image.fromarray(whole).save(file, "PNG")


def _bytes(pictures: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    values = pictures.detach().float().cpu().permute(0, 2, 3, 1).numpy() * HALF + HALF + 0.5
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)
