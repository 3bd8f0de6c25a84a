"""What is exported: a module with the names and meanings of what enters and leaves it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from mien.manifest import TensorSpec


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """One graph to be."""

    name: str
    """`appearance` or `generator`."""
    module: nn.Module
    """Takes tensors in the order of `inputs`, those with the role feature as one tuple; gives those of `outputs`."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: frozenset[str]
    """All that the graph may be made of; those of another domain with it and two colons before the name."""
