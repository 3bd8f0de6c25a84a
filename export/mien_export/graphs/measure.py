"""Examples of a graph's inputs with the truth, and measures of how near to it results are.

A family names its measure. By it a graph in a lower precision is accepted or not: pictures are compared by PSNR, label
maps by how they agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.runtime.session import GraphSession

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]

PEAK = 2.0
"""Of pictures in -1..1."""
MOST_DB = 200.0
"""Stands for equality."""


def psnr(a: NDArray[Any], b: NDArray[Any], peak: float = PEAK) -> float:
    """Peak signal-to-noise ratio in dB of arrays of one shape, `MOST_DB` at most."""
    error = float(np.mean(np.square(np.subtract(a, b, dtype=np.float64))))
    return MOST_DB if error == 0 else min(float(10 * np.log10(peak**2 / error)), MOST_DB)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One sample as the reference has it. Arrays are float32, of a batch of 1, by the names in the manifest."""

    inputs: Mapping[str, Arrays]
    """Of each graph, by its name."""
    outputs: Mapping[str, Arrays]
    """What the reference gives for them."""
    truth: Floats | None = None
    """(1, 3, h, w) in -1..1: what should be shown; None: nobody knows."""
    under: Floats | None = None
    """(1, 3, h, w): the warped portrait, which is shown where a mask is 1."""
    labels: NDArray[np.uint8] | None = None
    """(h, w): the class of each pixel, 255 where it is unknown; None: nobody knows."""

    def shown(self, painted: Arrays) -> Floats:
        """(1, 3, h, w): a graph's `generated`, fused with what is under it by its `mask`, if it has one (eq. 3.16)."""
        generated: Floats = painted["generated"]
        if self.under is None or "mask" not in painted:
            return generated
        return np.asarray(generated + (self.under - generated) * painted["mask"], dtype=np.float32)


def ran(session: GraphSession, inputs: Arrays) -> Arrays:
    """Outputs of a session for these inputs, of their own memory."""
    for name, array in session.inputs.items():
        array[...] = inputs[name]
    session.run()
    return {name: array.astype(np.float32) for name, array in session.outputs.items()}


class Measure(Protocol):
    """How near a graph's results are to the truth, and what may be lost."""

    @property
    def role(self) -> str:
        """Of the output that is measured."""
        ...

    @property
    def most(self) -> float:
        """Loss against float32 up to which the engine may choose a lower precision by itself."""
        ...

    @property
    def enough(self) -> float:
        """Loss by which a faster variant is still as good as a more exact one, or as float32."""
        ...

    def to_truth(self, got: Sequence[Arrays], examples: Sequence[Example]) -> tuple[float, ...]:
        """Values of which more is better, of all examples together; none where the truth is not known."""
        ...

    def likeness(self, got: Sequence[Arrays], exact: Sequence[Arrays]) -> float:
        """Of results to those in float32."""
        ...

    def told(self, value: float) -> str:
        """A value or a loss with its unit."""
        ...

    def told_likeness(self, value: float) -> str:
        """A likeness with its unit."""
        ...


MOST_LOSS: Final = 0.5
"""Decibels that a painted picture may lose against float32, for the engine to choose a precision by itself."""


@dataclass(frozen=True, slots=True)
class PictureMeasure:
    """PSNR of what is shown, and of what is painted, in dB."""

    role: str = "generated"
    most: float = MOST_LOSS
    enough: float = 0.05

    def to_truth(self, got: Sequence[Arrays], examples: Sequence[Example]) -> tuple[float, ...]:
        """Of what is shown, and of what is painted."""
        pairs = [(own, example, example.truth) for own, example in zip(got, examples, strict=True)]
        found = [
            (psnr(example.shown(own), truth), psnr(own["generated"], truth))
            for own, example, truth in pairs
            if truth is not None
        ]
        return tuple(float(value) for value in np.mean(found, axis=0)) if found else ()

    def likeness(self, got: Sequence[Arrays], exact: Sequence[Arrays]) -> float:
        """PSNR in dB."""
        pairs = zip(got, exact, strict=True)
        return float(np.mean([psnr(own["generated"], other["generated"]) for own, other in pairs]))

    def told(self, value: float) -> str:
        """In decibels."""
        return f"{value:.2f} dB"

    def told_likeness(self, value: float) -> str:
        """In decibels."""
        return f"{value:.1f} dB"


PICTURES: Final = PictureMeasure()
