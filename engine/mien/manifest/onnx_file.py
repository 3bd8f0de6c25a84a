"""Minimal reader of ONNX files (protobuf): inputs, outputs, operators, external data.

Written by hand because bundles are checked before any runtime is loaded, and the package `onnx` is needed for training
only. Field numbers are those of onnx.proto; other fields are skipped by their length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_DTYPES: Final = {1: "float32", 10: "float16"}
_EXTERNAL: Final = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10

_PARTS: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Which fields of a message are again messages of interest."""


@dataclass(frozen=True, slots=True)
class OnnxPort:
    """An input or output of the graph."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    """None on a dynamic axis."""


@dataclass(slots=True)
class OnnxFile:
    """The findings."""

    inputs: tuple[OnnxPort, ...] = ()
    """Without those that only name a weight, as old files list them."""
    outputs: tuple[OnnxPort, ...] = ()
    operators: set[tuple[str, str]] = field(default_factory=set)
    """(domain, name) of every node, also in branches, loops and functions; the standard domain is empty."""
    functions: set[tuple[str, str]] = field(default_factory=set)
    """(domain, name) of those that the file defines by other operators."""
    external: set[str] = field(default_factory=set)
    """Files in which weights lie outside of this one."""


def read_onnx(content: bytes) -> OnnxFile:
    """What the bytes of an ONNX file say.

    Raises:
        ValueError: it is no ONNX model, or is cut short.
    """
    found = OnnxFile()
    graph: memoryview | None = None
    waiting = [("model", memoryview(content))]
    while waiting:
        kind, message = waiting.pop()
        _note(kind, message, found)
        for number, value in _fields(message):
            part = _PARTS[kind].get(number)
            if part is not None:
                waiting.append((part, _message(value)))
            if (kind, part) == ("model", "graph"):
                graph = _message(value)
    if graph is None:
        raise ValueError("it holds no graph")
    weights = {_text(_only(_message(weight), 8)) for number, weight in _fields(graph) if number == 5}
    found.inputs = tuple(port for port in _ports(graph, 11) if port.name not in weights)
    found.outputs = tuple(_ports(graph, 12))
    return found


def _note(kind: str, message: memoryview, found: OnnxFile) -> None:
    if kind == "node":
        found.operators.add((_domain(_only(message, 7)), _text(_only(message, 4))))
    elif kind == "function":
        found.functions.add((_domain(_only(message, 10)), _text(_only(message, 1))))
    elif kind == "tensor" and (_only(message, 14) == _EXTERNAL or _only(message, 13) is not None):
        entries = [_message(value) for number, value in _fields(message) if number == 13]
        places = {_text(_only(entry, 2)) for entry in entries if _text(_only(entry, 1)) == "location"}
        found.external |= places or {"an unnamed file"}


def _domain(value: int | memoryview | None) -> str:
    name = _text(value)
    return "" if name == "ai.onnx" else name


def _ports(graph: memoryview, wanted: int) -> Iterator[OnnxPort]:
    for number, value in _fields(graph):
        if number == wanted:
            port = _message(value)
            tensor = _message(_only(_message(_only(port, 2)), 1))
            shape = _message(_only(tensor, 2))
            sizes = tuple(_size(_message(axis)) for number, axis in _fields(shape) if number == 1)
            yield OnnxPort(_text(_only(port, 1)), _dtype(_only(tensor, 1)), sizes)


def _dtype(element: int | memoryview | None) -> str:
    return _DTYPES.get(element, f"ONNX type {element}") if isinstance(element, int) else "no tensor"


def _size(axis: memoryview) -> int | None:
    size = _only(axis, 1)
    return size if isinstance(size, int) else None


def _only(message: memoryview, wanted: int) -> int | memoryview | None:
    """The last field of this number, as protobuf has it; None where there is none."""
    found = None
    for number, value in _fields(message):
        if number == wanted:
            found = value
    return found


def _message(value: int | memoryview | None) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message is expected")
    return memoryview(b"") if value is None else value


def _text(value: int | memoryview | None) -> str:
    return bytes(_message(value)).decode()


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of a protobuf message: numbers as they are, everything else as its bytes."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        wire = key & 7
        value: int | memoryview
        if wire == _VARINT:
            value, at = _varint(message, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
            if wire == _BYTES:
                length, at = _varint(message, at)
            if length is None or at + length > end:
                raise ValueError(f"it is no protobuf message or is cut short (byte {at} of {end})")
            value, at = message[at : at + length], at + length
        yield key >> 3, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(message[at : at + _MOST_VARINT_BYTES]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError(f"it is no protobuf message or is cut short (byte {at} of {len(message)})")
