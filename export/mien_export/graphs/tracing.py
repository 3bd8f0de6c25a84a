"""Export from torch to ONNX: standard operators, dynamic batch, reproducible bytes."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import onnx
import torch
from onnx import ModelProto
from onnx.inliner import inline_local_functions
from torch import nn

from mien.errors import ModelError
from mien.manifest import TensorSpec
from mien_export.graphs.tidy import tidied
from mien_export.spade_onnx import DOMAIN, translations, with_spade_function


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """One graph to be."""

    name: str
    """Of one of its family's graphs, as `generator`."""
    module: nn.Module
    """Takes tensors in the order of `inputs`, those with the role feature as one tuple; gives those of `outputs`, a
    single one by itself. Tensors other than features are called as their roles."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: frozenset[str]
    """All that the graph may be made of; those of another domain with it and two colons before the name."""
    plain: nn.Module | None = None
    """The module as it was trained, where `module` was rewritten."""


LOGGERS = ("", "torch.onnx", "onnxscript", "onnx_ir")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No warnings, and of their logs only errors, inside."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


OPSET: Final = 18
_TRACED_BATCH: Final = 2
"""1 would be taken for a constant."""


def exported(traced: Traced) -> ModelProto:
    """The graph in float32, checked.

    Raises:
        ModelError: it needs operators beyond those of `traced`.
    """
    batch = torch.export.Dim("batch", min=1, max=64)
    with quiet():
        program = torch.onnx.export(
            traced.module,
            nested([torch.zeros(spec.sized(_TRACED_BATCH)) for spec in traced.inputs], traced.inputs),
            input_names=[spec.name for spec in traced.inputs],
            output_names=[spec.name for spec in traced.outputs],
            dynamic_shapes=nested([{0: batch} for _ in traced.inputs], traced.inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            custom_translation_table=translations(),
        )
    assert program is not None
    model = tidied(program.model_proto, f"mien-{traced.name}")
    _need_known(model, traced)
    if any(node.domain == DOMAIN for node in model.graph.node):
        model = with_spade_function(model)
    return checked(model)


def checked(model: ModelProto) -> ModelProto:
    """The model, after ONNX's checker and strict shape inference went over it."""
    onnx.checker.check_model(model, full_check=True)
    return model


def inlined(model: ModelProto) -> ModelProto:
    """The model with functions replaced by their bodies, as OpenVINO wants it. Float16, which is for GPUs, keeps them:
    there TensorRT may give them to our plug-in."""
    return checked(inline_local_functions(model)) if model.functions else model


def _need_known(model: ModelProto, traced: Traced) -> None:
    kinds = {node.op_type if not node.domain else f"{node.domain}::{node.op_type}" for node in model.graph.node}
    if odd := sorted(kinds - traced.operators):
        raise ModelError(
            f"{traced.name}: expected only the operators {', '.join(sorted(traced.operators))}, got {', '.join(odd)}; "
            "change the network, or the list if every runtime knows them"
        )


def nested(values: list[Any], specs: tuple[TensorSpec, ...]) -> tuple[Any, ...]:
    """The values as the module takes them: features as one tuple where the first of them stands."""
    features = tuple(value for value, spec in zip(values, specs, strict=True) if spec.role == "feature")
    out: list[Any] = []
    for value, spec in zip(values, specs, strict=True):
        if spec.role != "feature":
            out.append(value)
        elif features not in out:
            out.append(features)
    return tuple(out)
