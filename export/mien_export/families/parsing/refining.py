"""Self-training: a segmenter corrects the labels that it learnt from, where it is sure.

What the label maker gets wrong at random (hair put on a shoulder, an ear that was missed) the network does not learn;
where the label maker does not know (around glasses) the network has learnt from drawn ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien.face.classes import MIRRORED
from mien_export.families.parsing.label_maker import UNKNOWN, Labels
from mien_export.families.parsing.labelled import Labelled
from mien_export.families.parsing.network import SIZES, Segmenter
from mien_export.families.parsing.weights import begun

SURE: Final = 0.85
"""Share of a class from which on it takes the place of another label."""
LIKELY: Final = 0.6
"""The same where the label is unknown."""
UNLIKELY: Final = 0.1
"""Share of the label's own class below which it becomes unknown where nothing is sure."""


def refine(labelled: Labelled, trained: Path, tell: Callable[[int], None]) -> Labelled:
    """Labels corrected by the segmenter of a checkpoint; `tell` takes how many are done.

    Raises:
        SettingError: `trained` is no checkpoint of a segmenter.
    """
    network = _segmenter(trained)
    labels = np.empty_like(labelled.labels)
    for index, picture in enumerate(labelled.pictures):
        with torch.inference_mode():
            shares = _shares(network, torch.from_numpy(picture))
        labels[index] = corrected(labelled.labels[index], shares.numpy())
        tell(index + 1)
    return replace(labelled, labels=labels)


def _segmenter(trained: Path) -> Segmenter:
    weights = begun(trained)
    network = Segmenter(next(size for size in SIZES.values() if size.levels[0] == weights["down1.0.0.weight"].shape[0]))
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def corrected(labels: Labels, shares: NDArray[np.floating[Any]]) -> Labels:
    """Labels (H, W) where shares (19, H, W) of the classes say otherwise."""
    best, most = shares.argmax(axis=0).astype(np.uint8), shares.max(axis=0)
    known = labels != UNKNOWN
    own = np.take_along_axis(shares, np.where(known, labels, 0)[None].astype(np.int64), axis=0)[0]
    out = np.where(known & (own < UNLIKELY), np.uint8(UNKNOWN), labels)
    return np.where(most > np.where(known, SURE, LIKELY), best, out).astype(np.uint8)


def _shares(network: torch.nn.Module, picture: Tensor) -> Tensor:
    """(19, S, S) for a picture (S, S, 3) uint8: the mean over it and its mirror image."""
    upright = picture.permute(2, 0, 1)[None].float() / 127.5 - 1
    both = network(torch.cat([upright, upright.flip(3)])).softmax(dim=1)
    mean: Tensor = (both[0] + both[1, list(MIRRORED)].flip(2)) / 2
    return mean
