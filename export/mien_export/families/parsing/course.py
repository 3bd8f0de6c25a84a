"""A run that trains a segmenter: cross-entropy and Dice against made labels, averaged weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import SettingError
from mien.face.classes import CLASSES, EARRING, GLASSES, NECKLACE
from mien_export.data.faces import Faces
from mien_export.families.parsing.label_maker import UNKNOWN
from mien_export.families.parsing.labelled import default_place
from mien_export.families.parsing.network import FINE_FOLD, FOLD, KIND, SIZES, Segmenter, Window
from mien_export.families.parsing.samples import Samples, collate
from mien_export.families.parsing.weights import begun
from mien_export.train.average import StateAverage
from mien_export.train.course import Asked, Part, Raw, changed

WARM_UP: Final = 100
"""Steps in which the learning rate rises."""
DECAY: Final = 0.995
"""Of the averaged weights, per step."""


WEIGHTS: Final = {EARRING: 6.0, NECKLACE: 6.0, GLASSES: 2.0}
"""Of classes in the cross-entropy; 1 where none is named. What is so thin and rare is not learnt without them."""


@dataclass(frozen=True, slots=True)
class ParsingPart(Part):
    """Part of a run, its learning rate flat and then a half cosine to nothing."""

    side: int = 192
    """Of the samples: windows of the portraits, or all of them (256)."""
    rate: float = 3e-3
    flat: float = 0.4
    """Share of the steps before it falls."""

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this part."""
        falling = max(step / max(self.steps, 1) - self.flat, 0.0) / max(1 - self.flat, 1e-9)
        return self.rate * min((step + 1) / WARM_UP, 1.0) * (0.5 + 0.5 * math.cos(math.pi * min(falling, 1.0)))


@dataclass(frozen=True, slots=True)
class ParsingLosses:
    """Weights of the terms of the loss."""

    entropy: float = 1.0
    """Weights by how rare a class is would make small parts too large, which cost 0.05 of mean IoU: see `WEIGHTS`."""
    dice: float = 0.5
    coarse: float = 0.5
    """Cross-entropy of the coarse logits."""


@dataclass(frozen=True, slots=True)
class ParsingConfig:
    """A configuration of a run."""

    size: str
    stages: tuple[ParsingPart, ...]
    losses: ParsingLosses = field(default_factory=ParsingLosses)


CONFIGS: Final = {
    "parsing": ParsingConfig("s", (ParsingPart(steps=2500, batch=8, flat=1.0),)),
    "parsing-refined": ParsingConfig(
        "s",
        (
            ParsingPart(steps=1500, batch=8, rate=2e-3, flat=1.0),
            ParsingPart(steps=700, batch=8, side=256, rate=2e-3, flat=0.0),
        ),
    ),
    "parsing-smoke": ParsingConfig("s", (ParsingPart(steps=4, batch=2),)),
}
"""`parsing-refined` begins with weights of `parsing`, on labels that those refined."""


@dataclass(frozen=True)
class ParsingCourse:
    """A configuration, the labels that it learns from, and the weights that it begins with."""

    config: ParsingConfig
    labels: Path
    begin: Path | None = None
    """A checkpoint, or a file of weights, that the run begins with."""

    @property
    def parts(self) -> Sequence[Part]:
        """One."""
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        """What a checkpoint must agree on."""
        return {"kind": KIND, "size": self.config.size}

    def facts(self, done: int) -> dict[str, Any]:
        """Nothing else is needed."""
        return {}

    def said(self) -> str:
        """The terms with their weights."""
        return said(self.config.losses)

    def step(self, device: torch.device) -> ParsingStep:
        """New networks, or those of `begin`.

        Raises:
            SettingError: a file of labels or weights is missing or broken.
        """
        network = Segmenter(SIZES[self.config.size])
        if self.begin is not None:
            network.load_state_dict(begun(self.begin))
        return ParsingStep(network, self.config.losses, device)

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Any]:
        """Samples by number. The labels' file holds the portraits; `faces` are not read again."""
        return Samples(self.labels, seed + 1000 * part, self.config.stages[part].side)

    @property
    def collate(self) -> Callable[[list[Any]], Raw]:
        """Stacks samples."""
        return collate


def course_of(config: str, asked: Asked) -> ParsingCourse:
    """The course of a configuration; its labels are `asked.packed`, those in the user's cache where that is None.

    Raises:
        SettingError: it does not take what is asked, or there is no place for labels.
    """
    if asked.mouths is not None:
        raise SettingError(f"--mouths is for configurations oneshot-live-..., got {config}; leave it out")
    return ParsingCourse(changed(CONFIGS[config], asked), asked.packed or default_place("train"), asked.begin)


def said(losses: ParsingLosses) -> str:
    """Terms and weights, for a manifest."""
    return ", ".join(f"{term.name} {getattr(losses, term.name):g}" for term in fields(losses))


class ParsingStep:
    """The network, its optimiser and its averaged weights, which batch normalisation's statistics belong to."""

    def __init__(self, network: Segmenter, losses: ParsingLosses, device: torch.device) -> None:
        self._network: nn.Module = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._segmenter = network
        self._losses, self._device = losses, device
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3, betas=(0.9, 0.99))
        self._average = StateAverage(network, DECAY)
        self._steps = 0

    def __call__(self, raw: Raw) -> dict[str, float]:
        """Learn from a batch."""
        phase, window = self._steps % FINE_FOLD**2, window_of(self._steps, raw["labels"].shape[-1] // FOLD)
        row, column = divmod(phase, FINE_FOLD)
        labels = raw["labels"].to(self._device).long()
        near = tuple(slice(FOLD * part.start, FOLD * part.stop) for part in window)
        fine = labels[:, near[0], near[1]][:, row::FINE_FOLD, column::FINE_FOLD]
        self._network.train()
        with torch.autocast(self._device.type, torch.bfloat16):
            coarse, logits = self._segmenter.thinned(self._pictures(raw), window, phase)
        terms = segmentation_terms(logits.float(), fine)
        middle = labels[:, row + 1 :: FOLD, column + 1 :: FOLD]
        terms["coarse"] = _entropy(coarse.float(), middle)
        loss = torch.stack([getattr(self._losses, name) * value for name, value in terms.items()]).sum()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._steps += 1
        self._average.update(self._network, self._steps)
        return {name: float(value.detach()) for name, value in terms.items()}

    def set_rate(self, rate: float) -> None:
        """The learning rate."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def compile(self, backend: str = "inductor") -> None:
        """Nothing: the network is small, and half of a step is making its samples."""

    @torch.no_grad()
    def drawn(self, raw: Raw) -> Sequence[Tensor]:
        """Pictures, what the averaged weights say of them, and their labels, in colours."""
        with self._average.applied(self._network):
            found = self._segmenter(self._pictures(raw)).argmax(dim=1)
        return self._pictures(raw), coloured(found), coloured(raw["labels"].to(self._device).long())

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "average": self._average.state_dict(),
            "steps": self._steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._steps = state["steps"]
        self._average.load_state_dict(state["average"])

    def _pictures(self, raw: Raw) -> Tensor:
        """(N, 3, S, S) in -1..1."""
        pictures = raw["pictures"].to(self._device).float() / 127.5 - 1
        return pictures.contiguous(memory_format=torch.channels_last)


def window_of(step: int, cells: int) -> Window:
    """The part of `cells` x `cells` in which step `step` learns edges: half of them or more along each side."""
    size = max(min(cells, 32), cells // 2)
    top, left = np.random.default_rng(step).integers(0, cells - size + 1, 2).tolist()
    return slice(top, top + size), slice(left, left + size)


def segmentation_terms(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Cross-entropy, and one minus the soft Dice coefficient in the mean over classes that are there.

    Args:
        logits: (N, 19, H, W).
        labels: (N, H, W), 255 where they are unknown.
    """
    entropy = _entropy(logits, labels)
    known = (labels != UNKNOWN).float()
    shares = logits.softmax(dim=1)
    own = shares.gather(1, labels.clamp(max=len(CLASSES) - 1)[:, None])[:, 0] * known
    kinds = labels.clamp(max=len(CLASSES) - 1).flatten()
    nothing = torch.zeros(len(CLASSES), device=logits.device)
    hits = nothing.index_add(0, kinds, own.flatten())
    there = nothing.index_add(0, kinds, known.flatten())
    claimed = torch.einsum("nchw,nhw->c", shares, known)
    dice = 1 - (2 * hits + 1) / (claimed + there + 1)
    present = there > 0
    return {"entropy": entropy, "dice": dice[present].mean()}


def _entropy(logits: Tensor, labels: Tensor) -> Tensor:
    weights = torch.tensor([WEIGHTS.get(kind, 1.0) for kind in range(len(CLASSES))], device=logits.device)
    return functional.cross_entropy(logits, labels, weights, ignore_index=UNKNOWN)


def coloured(labels: Tensor) -> Tensor:
    """(N, 3, H, W) in -1..1: label maps in the classes' colours, unknown pixels grey."""
    table = torch.full((256, 3), 128.0)
    table[: len(CLASSES)] = torch.tensor([found.colour for found in CLASSES], dtype=torch.float32)
    return table[labels.cpu()].permute(0, 3, 1, 2) / 127.5 - 1
