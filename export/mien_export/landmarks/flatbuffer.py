"""Reads a TFLite file into plain values: operators in order, with their options and constants in float32."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import tflite
from flatbuffers import flexbuffers
from numpy.typing import NDArray

from mien.errors import ModelError, in_one_line

Array = NDArray[Any]

CUSTOM: Final = 32
"""Code of operators that the schema does not name."""
DTYPES: Final[dict[int, np.dtype[Any]]] = {
    tflite.TensorType.FLOAT32: np.dtype("<f4"),
    tflite.TensorType.FLOAT16: np.dtype("<f2"),
    tflite.TensorType.INT32: np.dtype("<i4"),
}
FLEXIBLE: Final = 1
"""Last byte of options that are a FlexBuffer: how wide its root is. A plain struct ends with a zero."""
FOLDED: Final = frozenset({"DEQUANTIZE", "DENSIFY"})
"""Operators on constants alone, which are done while reading."""
HEADER: Final = 8
"""Bytes of a file before its first table: where that lies, and the format's name."""
_NAMES: Final = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One operator, its tensors by name."""

    kind: str
    """As the schema has it, such as `CONV_2D`; the name of a custom one."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Any
    """The schema's table of this kind; of a custom one a dict, or the bytes where they are no dict; None: none."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """All of a file."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operators: tuple[Operator, ...]
    shapes: dict[str, tuple[int, ...]]
    """Of every tensor; of pictures (1, height, width, channels)."""
    constants: dict[str, Array]
    """Weights in the precision that the file has them in, and whole numbers, by name."""


def read_network(path: Path) -> Network:
    """The first subgraph of a TFLite file.

    Raises:
        ModelError: it is none, is cut off, or has tensors of a type that is not known here.
    """
    content = path.read_bytes()
    if len(content) < HEADER or not tflite.Model.ModelBufferHasIdentifier(content, 0):
        raise ModelError(f"{path}: expected a TFLite model, got something else; take the file of MediaPipe's wheel")
    try:
        return _network(content, path)
    except (struct.error, ValueError, LookupError, AttributeError, TypeError) as error:  # FlatBuffers checks no address
        raise ModelError(
            f"{path}: expected a whole TFLite model, got one that cannot be read ({in_one_line(error)}); "
            "take the file of MediaPipe's wheel"
        ) from error


def _network(content: bytes, path: Path) -> Network:
    model = tflite.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    names = [graph.Tensors(i).Name().decode() for i in range(graph.TensorsLength())]
    constants = dict(_constants(model, graph, names, path))
    operators = []
    for operator in _operators(model, graph, names):
        if operator.kind in FOLDED:
            constants[operator.outputs[0]] = constants[operator.inputs[0]]
        else:
            operators.append(operator)
    shapes = {names[i]: tuple(_numbers(graph.Tensors(i).ShapeAsNumpy())) for i in range(len(names))}
    ends = [tuple(names[i] for i in indices) for indices in (graph.InputsAsNumpy(), graph.OutputsAsNumpy())]
    return Network(path.stem, ends[0], ends[1], tuple(operators), shapes, constants)


def _constants(model: Any, graph: Any, names: list[str], path: Path) -> Iterator[tuple[str, Array]]:
    for i, name in enumerate(names):
        tensor = graph.Tensors(i)
        buffer = model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            continue
        if tensor.Type() not in DTYPES:
            raise ModelError(f"{path}: expected tensors in float32, float16 or int32, got {name} of {tensor.Type()}")
        values: Array = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()])
        shape = _numbers(tensor.ShapeAsNumpy())
        yield name, values.reshape(shape) if tensor.Sparsity() is None else _dense(values, shape, tensor.Sparsity())


def _operators(model: Any, graph: Any, names: list[str]) -> Iterator[Operator]:
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex())
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        inputs, outputs = (
            tuple(names[k] for k in indices if k >= 0)
            for indices in (operator.InputsAsNumpy(), operator.OutputsAsNumpy())
        )
        if number == CUSTOM:
            yield Operator(code.CustomCode().decode(), inputs, outputs, _custom_options(operator))
        else:
            yield Operator(_NAMES[number], inputs, outputs, _options(operator))


def _options(operator: Any) -> Any:
    """The table of options in the class that the schema names for it."""
    table = operator.BuiltinOptions()
    kinds = {code: name for name, code in vars(tflite.BuiltinOptions).items() if isinstance(code, int)}
    name = kinds[operator.BuiltinOptionsType()]
    if table is None or name == "NONE":
        return None
    options = getattr(tflite, name)()
    options.Init(table.Bytes, table.Pos)
    return options


def _custom_options(operator: Any) -> Any:
    if not operator.CustomOptionsLength():
        return None
    content = operator.CustomOptionsAsNumpy().tobytes()
    if content[-1] == FLEXIBLE:
        return flexbuffers.Loads(content)
    return content


def _dense(values: Array, shape: list[int], sparsity: Any) -> Array:
    """A tensor of which only some entries, or blocks of them, are kept.

    The levels of the traversal are the tensor's axes, then those of a block. Each is either dense or a list of the
    indices that there are.
    """
    order = _numbers(sparsity.TraversalOrderAsNumpy())
    blocked = _numbers(sparsity.BlockMapAsNumpy()) if sparsity.BlockMapLength() else []
    levels = [sparsity.DimMetadata(i) for i in range(sparsity.DimMetadataLength())]
    places = np.zeros((1, 0), np.intp)
    for level in levels:
        places = _widened(places, level)
    sizes = [levels[order.index(len(shape) + i)].DenseSize() for i in range(len(blocked))]
    index = [places[:, order.index(axis)] for axis in range(len(shape))]
    for i, axis in enumerate(blocked):
        index[axis] = index[axis] * sizes[i] + places[:, order.index(len(shape) + i)]
    out = np.zeros(shape, values.dtype)
    out[tuple(index)] = values
    return out


def _widened(places: Array, level: Any) -> Array:
    """Entries (N, levels) of the levels so far, each with all that there are of the next one."""
    if level.Format() == tflite.DimensionType.DENSE:
        size = level.DenseSize()
        column = np.tile(np.arange(size), len(places))
        return np.column_stack([np.repeat(places, size, axis=0), column])
    segments, indices = (_vector(kind, table) for kind, table in _of_sparse(level))
    return np.column_stack([np.repeat(places, np.diff(segments), axis=0), indices])


def _of_sparse(level: Any) -> tuple[tuple[int, Any], tuple[int, Any]]:
    return (level.ArraySegmentsType(), level.ArraySegments()), (level.ArrayIndicesType(), level.ArrayIndices())


def _vector(kind: int, table: Any) -> Array:
    names = {1: "Int32Vector", 2: "Uint16Vector", 3: "Uint8Vector"}
    vector = getattr(tflite, names[kind])()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), np.intp)


def _numbers(values: Any) -> list[int]:
    """A vector of the schema, which has 0 in place of an empty one."""
    return [] if isinstance(values, int) else [int(value) for value in values]
