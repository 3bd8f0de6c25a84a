"""The reference for numbers: a bundle's float32 graphs in ONNX Runtime, and what they make of real pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from mien.manifest import Bundle, Graph
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien.runtime.session import Session
from mien_export.data.pairs import Pair
from mien_export.train.batch import Batch, collate, to_batch, warp_features

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One pair as the reference has it. Arrays are float32, of a batch of 1, by the names in the manifest."""

    appearance: Arrays
    """Inputs of the graph."""
    features: Arrays
    """Its outputs."""
    generator: Arrays
    """Inputs of the graph, features warped."""
    painted: Arrays
    """Its outputs."""
    truth: Floats
    """(1, 3, h, w) in -1..1: the photograph in the bundle's view."""

    def shown(self, painted: Arrays) -> Floats:
        """(1, 3, h, w): outputs of any generator fused with this pair's warped portrait, eq. 3.16."""
        generated, warped = painted["generated"], self.generator["warped"]
        return np.asarray(generated + (warped - generated) * painted["mask"], dtype=np.float32)


class Reference:
    """Turns pairs into examples."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        """Opens both graphs.

        Raises:
            BackendError: ONNX Runtime is not there or refuses one.
        """
        self._bundle = bundle
        self._appearance = OnnxRuntimeSession(bundle.graph("appearance"), threads=threads)
        self._generator = OnnxRuntimeSession(bundle.graph("generator"), threads=threads)

    def close(self) -> None:
        """Let go of both graphs."""
        self._appearance.close()
        self._generator.close()

    def examples(self, pairs: Iterable[Pair]) -> Iterator[Example]:
        """What the graphs make of pairs of whole crops, one by one."""
        for pair in pairs:
            batch = to_batch(collate([pair]), torch.device("cpu"))
            pictures = {"picture": batch.source, "portrait_parsing": batch.source_parsing}
            appearance = _sized(
                {name: self._crop(picture) for name, picture in pictures.items()}, self._bundle.graph("appearance")
            )
            features = ran(self._appearance, appearance)
            given = {"parsing": batch.parsing, "warped": batch.warped, "hint": batch.hint}
            seen = {name: self._seen(picture) for name, picture in given.items()}
            generator = self._moved(features, batch) | _sized(seen, self._bundle.graph("generator"))
            truth = self._seen(batch.target).contiguous().numpy()
            yield Example(appearance, features, generator, ran(self._generator, generator), truth)

    def _crop(self, picture: torch.Tensor) -> torch.Tensor:
        """A pair's picture as large as the bundle's crop."""
        return _shrunk(picture, self._bundle.side)

    def _seen(self, picture: torch.Tensor) -> torch.Tensor:
        """The part of it that the bundle's generator sees."""
        rows, columns = self._bundle.seen.area
        return self._crop(picture)[..., rows, columns]

    def _moved(self, features: Arrays, batch: Batch) -> Arrays:
        """What appearance gives, as generator takes it: warped where the manifest says so."""
        out = dict(features)
        for spec in self._bundle.graph("generator").inputs:
            if spec.warped:
                (moved,) = warp_features((torch.from_numpy(features[spec.name]),), batch.flow)
                cell = self._bundle.side // moved.shape[-1]
                rows, columns = (slice(part.start // cell, part.stop // cell) for part in self._bundle.seen.area)
                out[spec.name] = moved[..., rows, columns].contiguous().numpy()
        return out


def ran(session: Session, inputs: Arrays) -> Arrays:
    """Outputs of a session for these inputs, of their own memory."""
    for name, array in session.inputs.items():
        array[...] = inputs[name]
    session.run()
    return {name: array.astype(np.float32) for name, array in session.outputs.items()}


def _sized(pictures: dict[str, torch.Tensor], graph: Graph) -> Arrays:
    """Those of the pictures that the graph takes, by its names, in its sizes."""
    wanted = [spec for spec in graph.inputs if spec.role in pictures]
    return _arrays({spec.name: _shrunk(pictures[spec.role], spec.sized(1)[-1]) for spec in wanted})


def _shrunk(picture: torch.Tensor, width: int) -> torch.Tensor:
    return F.avg_pool2d(picture, picture.shape[-1] // width)


def _arrays(tensors: dict[str, torch.Tensor]) -> Arrays:
    return {name: tensor.contiguous().numpy() for name, tensor in tensors.items()}
