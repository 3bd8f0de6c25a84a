"""Whether an engine computes in what it was asked to, by its own inspector: one that fell back runs all the same.

Apart from the build, since this needs no TensorRT.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mien.errors import BackendError

LEAST_SHARE: Final = 0.5
"""Of layers that must give the precision; the others are casts at the border and islands that stay in FP32."""
_WORDS: Final = {"fp16": ("half", "fp16"), "int8": ("int8",)}
_KEYS: Final = ("Format/Datatype", "DataType", "Datatype", "Format")
"""Where the type of a tensor stands: the first in TensorRT 10, the others in 11."""


def share_of(information: str, precision: str) -> float:
    """The share of layers, 0..1, of which an output is of this precision.

    Args:
        information: what `EngineInspector.get_engine_information` gives as JSON, for an engine of detailed verbosity.
        precision: `fp16` or `int8`.

    Raises:
        BackendError: the inspector told no types.
    """
    layers = json.loads(information).get("Layers", [])
    told = [types for layer in layers if (types := _types(layer))]
    if not told:
        raise BackendError("tensorrt: the engine's inspector tells no types of layers; build with detailed verbosity")
    return sum(any(word in types for word in _WORDS[precision]) for types in told) / len(told)


def need_precision(information: str, precision: str) -> None:
    """Refuse an engine that mostly computes in something else; any will do for fp32.

    Raises:
        BackendError: too few layers have the precision, or the inspector told no types.
    """
    if precision in _WORDS and (share := share_of(information, precision)) < LEAST_SHARE:
        raise BackendError(
            f"tensorrt: expected at least {LEAST_SHARE:.0%} of the layers in {precision}, got {share:.0%}; "
            f"is the ONNX graph itself in {precision}? TensorRT takes the types from there"
        )


def _types(layer: Any) -> str:
    """All that is said of the types of a layer's outputs, in small letters; layers without verbosity are only names."""
    outputs = layer.get("Outputs", []) if isinstance(layer, dict) else []
    return " ".join(str(output[key]) for output in outputs for key in _KEYS if key in output).lower()
