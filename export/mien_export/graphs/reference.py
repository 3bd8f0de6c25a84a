"""The reference for numbers: a bundle's float32 graphs in ONNX Runtime, and what they make of real pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mien.manifest import Bundle
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien.runtime.session import Session
from mien_export.data.pairs import Pair
from mien_export.train.batch import collate, to_batch, warp_features

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
    """(1, 3, 256, 256) in -1..1: the photograph."""

    def shown(self, painted: Arrays) -> Floats:
        """(1, 3, 256, 256): outputs of any generator fused with this pair's warped portrait, eq. 3.16."""
        generated, warped = painted["generated"], self.generator["warped"]
        return np.asarray(generated + (warped - generated) * painted["mask"], dtype=np.float32)


class Reference:
    """Turns pairs into examples."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        """Opens both graphs.

        Raises:
            BackendError: ONNX Runtime is not there or refuses one.
        """
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
            appearance = _arrays({"picture": batch.source, "portrait_parsing": batch.source_parsing})
            features = ran(self._appearance, appearance)
            warped = warp_features(tuple(map(torch.from_numpy, features.values())), batch.flow)
            generator = _arrays(
                dict(zip(features, warped, strict=True))
                | {"parsing": batch.parsing, "warped": batch.warped, "hint": batch.hint}
            )
            truth = batch.target.contiguous().numpy()
            yield Example(appearance, features, generator, ran(self._generator, generator), truth)


def ran(session: Session, inputs: Arrays) -> Arrays:
    """Outputs of a session for these inputs, of their own memory."""
    for name, array in session.inputs.items():
        array[...] = inputs[name]
    session.run()
    return {name: array.astype(np.float32) for name, array in session.outputs.items()}


def _arrays(tensors: dict[str, torch.Tensor]) -> Arrays:
    return {name: tensor.contiguous().numpy() for name, tensor in tensors.items()}
