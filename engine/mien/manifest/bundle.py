"""The values of a bundle after reading and checking."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.errors import ModelError
from mien.manifest.family import Runs
from mien.plane import Box

FORMAT: Final = 2
"""Of manifests that are written; those of format 1 are read, too."""
MANIFEST: Final = "manifest.toml"
BATCH: Final = "batch"
"""Name of the dynamic axis, which comes first in every tensor."""
PRECISIONS: Final = ("fp32", "fp16", "int8")
"""Of graphs; fp32 comes first, since the others are held to it."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph: what it is called, and what it means."""

    name: str
    role: str
    """Of a port of its family: what the engine puts there or takes from there."""
    shape: tuple[str | int, ...]
    """(batch, channels, height, width), or (batch, channels) of a vector; the batch by its name."""
    dtype: str = "float32"
    """`float32`, or `float16` in a graph of that precision."""
    range: tuple[float, float] | None = None
    """Least and greatest value; None where there is none, as in features."""
    warped: bool = False
    """Whether the frame's flow warps it on its way from a graph that runs once to one that runs for every frame."""

    def sized(self, batch: int) -> tuple[int, ...]:
        """The shape for a batch of this many."""
        return tuple(batch if isinstance(size, str) else size for size in self.shape)


@dataclass(frozen=True, slots=True)
class Graph:
    """One ONNX file of a bundle."""

    name: str
    """Of one of its family's graphs, as `generator`."""
    precision: str
    """One of `PRECISIONS`."""
    path: Path
    sha256: str
    """Of the file, in hexadecimal."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    runs: Runs
    """Once per portrait, for every frame, or on request."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model: its graphs and where they come from."""

    folder: Path
    name: str
    """What the user types."""
    family: str
    """Name of the contract that it keeps, as `oneshot`: how it is run."""
    kind: str
    """Which of the family's networks, as `oneshot-live`: how it was trained and exported."""
    size: str
    """The configuration's name, as `m`."""
    side: int
    """Height and width of the crop in pixels."""
    licence: str
    version: str
    commit: str
    """Of the code that trained it."""
    trained_on: str
    losses: str
    """Which terms and extractors the weights were trained with."""
    graphs: tuple[Graph, ...]
    classes: tuple[str, ...] = ()
    """Names of the channels of its label maps, as its family has them."""
    attributes: tuple[str, ...] = ()
    """Of its family's, those that it was trained on."""
    precisions_for_auto: tuple[str, ...] = ("fp32",)
    """Those that keep the quality, so that `auto` may choose among them by speed."""
    view: Box | None = None
    """The part of the crop that graphs see and paint for every frame; None: all of it."""

    @property
    def seen(self) -> Box:
        """The view, the whole crop where there is none."""
        return self.view or Box.whole(self.side, self.side)

    @property
    def digest(self) -> str:
        """SHA-256 of what the graphs are, in hexadecimal: bundles that compute the same have the same."""
        graphs = sorted(f"{graph.name} {graph.precision} {graph.sha256}" for graph in self.graphs)
        return hashlib.sha256("\n".join(graphs).encode()).hexdigest()

    def names(self, runs: Runs) -> tuple[str, ...]:
        """The graphs that run then, each once, in the manifest's order."""
        return tuple(dict.fromkeys(graph.name for graph in self.graphs if graph.runs == runs))

    def runs(self, name: str) -> Runs:
        """When the graph of this name runs.

        Raises:
            ModelError: the bundle has none.
        """
        return self.graph(name).runs

    @property
    def main(self) -> str:
        """The graph whose speed counts, and whose precisions are the bundle's: the last one of a frame's way, or of all
        where none runs for every frame."""
        return (self.names("frame") or self.names("request") or self.names("once"))[-1]

    def precisions(self, name: str) -> tuple[str, ...]:
        """Those that the graph of this name comes in, as listed in the manifest; none where there is no such graph."""
        return tuple(graph.precision for graph in self.graphs if graph.name == name)

    def graph(self, name: str, precision: str = "fp32") -> Graph:
        """The graph of this name and precision.

        Raises:
            ModelError: the bundle has none.
        """
        for graph in self.graphs:
            if (graph.name, graph.precision) == (name, precision):
                return graph
        has = ", ".join(f"{graph.name} {graph.precision}" for graph in self.graphs)
        raise ModelError(f"model {self.name}: expected a graph {name} in {precision}, got {has}; choose one of these")
