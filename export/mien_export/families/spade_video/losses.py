"""Terms of the loss of a synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from mien.face import classes
from mien.face.classes import CLASSES
from mien_export.families.parsing.network import Segmenter
from mien_export.families.spade_video.code import SIDE
from mien_export.families.spade_video.critic import Verdict
from mien_export.train.terms import Features

SMALL: Final = 4.0
"""Weight of the small parts of the face in the pixel term."""
FLAT: Final = {classes.BACKGROUND: 0.3, classes.CLOTH: 0.5}
"""The same of what matters less."""
SEEN: Final = (classes.BACKGROUND, classes.SKIN, classes.HAIR, classes.NECK, classes.CLOTH)
"""Classes that must keep their colours."""
LEAST: Final = 100.0
"""Pixels of a class from which on its colour counts."""


@dataclass(frozen=True, slots=True)
class SpadeLosses:
    """Weights."""

    adversarial: float = 1.0
    matching: float = 4.0
    """Features of the critic, relative to their size."""
    pixel: float = 5.0
    perceptual: float = 4.0
    """Features of a trunk, relative to their size."""
    divergence: float = 0.003
    """KL of the code. 0.05, as is usual beside larger terms, made codes say nothing."""
    segments: float = 1.0
    """Cross-entropy of the parsing network on what was made."""
    colour: float = 2.0
    temporal: float = 20.0
    """Squared differences between pictures of a map and of the same map moved, along the exact flow."""


def pixel_weights() -> Tensor:
    """(19,): by class."""
    weights = torch.ones(len(CLASSES))
    weights[classes.GLASSES : classes.RIGHT_BROW + 1] = SMALL
    weights[classes.MOUTH : classes.LOWER_LIP + 1] = SMALL
    for kind, weight in FLAT.items():
        weights[kind] = weight
    return weights


def pixel_term(made: Tensor, truth: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """L1, in the mean over pixels by the weights (19,) of their classes."""
    shares = torch.einsum("nchw,c->nhw", labels, weights)
    return ((made - truth).abs().mean(1) * shares).sum() / shares.sum()


def matching_term(made: Sequence[Verdict], truth: Sequence[Verdict], count: int) -> Tensor:
    """L1 between features of the first `count` pictures, relative to the truth's."""
    terms = [
        (own[:count] - goal[:count]).abs().mean() / (goal[:count].abs().mean() + 1e-3)
        for found, wanted in zip(made, truth, strict=True)
        for own, goal in zip(found.features, wanted.features, strict=True)
    ]
    return torch.stack(terms).mean()


def perceptual_term(extractor: Features, made: Tensor, truth: Tensor, step: int, face: tuple[float, float]) -> Tensor:
    """The same of a trunk. In turn it sees the whole at half the size, and the face at full size.

    `face`: top left of the window of half the side that holds the face, as a share of the side.
    """
    if step % 2:
        made, truth = functional.avg_pool2d(made, 2), functional.avg_pool2d(truth, 2)
    else:
        top, left = (int(share * made.shape[-1]) for share in face)
        half = made.shape[-1] // 2
        made, truth = (value[:, :, top : top + half, left : left + half] for value in (made, truth))
    with torch.no_grad():
        wanted = extractor(truth.contiguous(memory_format=torch.channels_last))
    pairs = zip(extractor(made.contiguous(memory_format=torch.channels_last)), wanted, strict=True)
    return torch.stack([(own - goal).abs().mean() / (goal.mean() + 1e-3) for own, goal in pairs]).sum()


def segments_term(segmenter: Segmenter, made: Tensor, kinds: Tensor, step: int, top: int) -> Tensor:
    """Cross-entropy of the parsing network on what was made for labels (N, 2 S, 2 S).

    It sees 256 pixels. Its coarse logits are compared at each fourth place; the fine ones in the face's window of 128
    pixels, at another one of each 2 x 2 pixels in each second step. `top`: first row of the window, in cells of 4
    pixels.
    """
    large = made if made.shape[-1] == 2 * SIDE else functional.interpolate(made, scale_factor=2.0, mode="bilinear")
    labels = kinds if kinds.shape[-1] == 2 * SIDE else kinds[:, ::2, ::2]
    window = slice(top, top + 32), slice(16, 48)
    phase = step // 2 % 4
    coarse, fine = segmenter.thinned(large.contiguous(memory_format=torch.channels_last), window, phase)
    near = labels[:, 4 * top : 4 * top + 128, 64:192][:, phase // 2 :: 2, phase % 2 :: 2]
    middle = labels[:, 1::4, 1::4]
    return functional.cross_entropy(coarse, middle) + functional.cross_entropy(fine, near)


def divergence_term(mean: Tensor, variance: Tensor) -> Tensor:
    """KL from N(0, 1) of N(mean, exp(variance)), (N, L) both; summed over the code."""
    return -0.5 * (1 + variance - mean.square() - variance.exp()).sum(1).mean()


def colour_term(made: Tensor, labels: Tensor, colours: Tensor) -> Tensor:
    """L1 between the mean colours of classes in what was made, and those that were wanted (N, 57)."""
    kinds = list(SEEN)
    shown = labels[:, kinds].flatten(2)
    areas = shown.sum(2, keepdim=True)
    means = torch.matmul(shown, made.flatten(2).transpose(1, 2)) / (areas + 1)
    wanted = colours.reshape(len(colours), -1, 3)[:, kinds]
    apart: Tensor = (means - wanted).abs() * (areas > LEAST * (made.shape[-1] / 128) ** 2)
    return apart.mean()


def critic_term(truth: Sequence[Verdict], made: Sequence[Verdict]) -> Tensor:
    """Hinge."""
    return torch.stack(
        [
            functional.relu(1 - real.score).mean() + functional.relu(1 + fake.score).mean()
            for real, fake in zip(truth, made, strict=True)
        ]
    ).mean()


def adversarial_term(made: Sequence[Verdict]) -> Tensor:
    """What the generator wants the critic to say."""
    return torch.stack([-verdict.score.mean() for verdict in made]).mean()
