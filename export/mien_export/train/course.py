"""What the loop asks of a run: networks that learn in steps, and the samples that they learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from mien_export.data.faces import Faces
from mien_export.train.schedule import Part

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
