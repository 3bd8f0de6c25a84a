"""Protocol of a training run: networks with a training step, samples, stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from mien.errors import SettingError
from mien_export.data.faces import Faces
from mien_export.train.extractors.given import Given


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a run."""

    steps: int
    batch: int
    """Samples in a step."""

    def rate_at(self, step: int) -> float:
        """Learning rate at a step of this part."""
        raise NotImplementedError


P = TypeVar("P", bound=Part)


def all_steps(parts: Sequence[Part]) -> int:
    """Of all parts."""
    return sum(part.steps for part in parts)


def part_at(parts: Sequence[Part], step: int) -> tuple[int, int]:
    """(index of the part, its first step) at a step; the last one's beyond the end."""
    first = 0
    for index, part in enumerate(parts):
        if step < first + part.steps:
            return index, first
        first += part.steps
    return len(parts) - 1, first - parts[-1].steps


def shared_out(parts: Sequence[P], steps: int) -> tuple[P, ...]:
    """The same parts in so many steps in all, each with its share; those that get none are left out."""
    whole = all_steps(parts)
    ends = [total * steps // whole for total in accumulate(part.steps for part in parts)]
    counts = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    return tuple(replace(part, steps=count) for part, count in zip(parts, counts, strict=True) if count)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asks of a configuration."""

    steps: int | None = None
    """In all, instead of the configuration's."""
    weights: Sequence[tuple[str, float]] = ()
    """Of terms of the loss, instead of the configuration's; 0 switches a term off."""
    given: Given = field(default_factory=Given)
    """Extractors of the user's own."""
    begin: Path | None = None
    """Bundle whose weights a new run begins with; of a segmenter, a checkpoint."""
    mouths: Path | None = None
    """Folder of the ICT face model."""
    packed: Path | None = None
    """Folder of pairs that were made beforehand; of a segmenter, the file of its labels."""
    paintings: Path | None = None
    """Folder of the paintings that styles are learnt from."""


C = TypeVar("C")


def changed(config: C, asked: Asked) -> C:
    """A configuration, a dataclass with `stages` and a dataclass `losses`, with the steps and weights that are asked.

    Raises:
        SettingError: its losses have no such term.
    """
    own: Any = config
    stages = own.stages if asked.steps is None else shared_out(own.stages, asked.steps)
    terms = [field.name for field in fields(own.losses)]
    for term, _ in asked.weights:
        if term not in terms:
            raise SettingError(f"--weight: expected a term of {', '.join(terms)}, got {term!r}")
    result: C = replace(own, stages=stages, losses=replace(own.losses, **dict(asked.weights)))
    return result


Raw = dict[str, Tensor]
"""A batch as it travels between processes."""


class Step(Protocol):
    """Networks, critic and optimisers. After it is made it draws no random numbers."""

    def __call__(self, raw: Raw) -> dict[str, float]:
        """Learn from a batch; returns the terms of the loss before their weights."""
        ...

    def set_rate(self, rate: float) -> None:
        """The learning rate."""
        ...

    def compile(self, backend: str = "inductor") -> None:
        """Let torch compile the networks: worth its minutes on a GPU."""
        ...

    def drawn(self, raw: Raw) -> Sequence[Tensor]:
        """Columns (N, 3, S, S) in -1..1 of a picture grid, by the averaged weights; the truth comes last."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        ...


class Course(Protocol):
    """A configuration with what a user brings to it."""

    @property
    def parts(self) -> Sequence[Part]:
        """One after the other."""
        ...

    @property
    def marks(self) -> dict[str, Any]:
        """What a checkpoint must agree on, for a run to go on from it."""
        ...

    def facts(self, done: int) -> dict[str, Any]:
        """What else an export needs to know of networks after so many steps."""
        ...

    def said(self) -> str:
        """For a bundle's manifest: the terms with their weights, and what they look through."""
        ...

    def step(self, device: torch.device) -> Step:
        """New networks as the random state has them, or as the course begins.

        Raises:
            MienError: a file of the user's is missing or broken.
        """
        ...

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Any]:
        """Samples by number for a part; pickles."""
        ...

    @property
    def collate(self) -> Callable[[list[Any]], Raw]:
        """Stacks samples; pickles."""
        ...
