"""Checks the ONNX files of a bundle against its manifest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mien.errors import ModelError
from mien.machine.reading import read_regular
from mien.manifest.bundle import Graph, TensorSpec
from mien.manifest.onnx_file import OnnxFile, OnnxPort, read_onnx

MOST_BYTES = 2**31 - 1
"""What protobuf allows a message to have."""
OWN_DOMAIN = "mien"


def place(folder: Path, file: str, where: str) -> Path:
    """The path of a file named in a manifest, which must be a plain file right in the bundle's folder.

    Raises:
        ModelError: it is not there, is elsewhere or a link, or cannot be an ONNX file by its size.
    """
    path = folder / file
    if not file or Path(file).name != file or "\\" in file or path.suffix != ".onnx":
        raise ModelError(f"{where}: file must be the name of an .onnx file right in the folder, got {file!r}")
    if os.path.islink(path):
        raise ModelError(f"{path}: expected a file of the bundle itself, got a link; put the file there")
    if not os.path.isfile(path):
        raise ModelError(f"{path}: expected the file that the manifest names, got none; get the whole bundle again")
    size = path.stat().st_size
    if not 0 < size <= MOST_BYTES:
        raise ModelError(f"{path}: expected 1 to {MOST_BYTES} bytes, got {size}; get the bundle again")
    return path


def content(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return read_regular(path)
    except OSError as error:
        raise ModelError(f"{path}: expected to be able to read it, got an error ({error.strerror})") from error


def check_file(graph: Graph) -> None:
    """Refuse a graph whose file is another one, asks for more than standard operators, or takes or gives other things.

    Raises:
        ModelError: the first thing that is wrong.
    """
    read = content(graph.path)
    digest = hashlib.sha256(read).hexdigest()
    if digest != graph.sha256:
        raise ModelError(
            f"{graph.path}: expected sha256 {graph.sha256[:12]}..., got {digest[:12]}...; the file was changed or cut "
            "short: get the bundle again"
        )
    try:
        found = read_onnx(read)
    except ValueError as error:
        raise ModelError(f"{graph.path}: expected an ONNX model, got something else: {error}") from error
    _need_self_contained(found, graph.path)
    _need_ports(graph.inputs, found.inputs, f"{graph.path}, inputs")
    _need_ports(graph.outputs, found.outputs, f"{graph.path}, outputs")


def _need_self_contained(found: OnnxFile, path: Path) -> None:
    """No weights in other files, and no operators that only code of somebody's could bring."""
    if found.external:
        raise ModelError(
            f"{path}: expected all weights inside the file, got some in {', '.join(sorted(found.external))}; "
            "export it as one file"
        )
    defined = {name for name in found.functions if name[0] == OWN_DOMAIN}
    foreign = sorted(f"{domain}::{name}" for domain, name in found.operators - defined if domain)
    if foreign:
        raise ModelError(
            f"{path}: expected operators of ONNX itself, got {', '.join(foreign)}, which need code that mien does not "
            "load; export it with standard operators"
        )


def _need_ports(tensors: tuple[TensorSpec, ...], ports: tuple[OnnxPort, ...], title: str) -> None:
    names, found = [tensor.name for tensor in tensors], {port.name: port for port in ports}
    if sorted(names) != sorted(found):
        raise ModelError(f"{title}: expected {', '.join(names)} as in the manifest, got {', '.join(found) or 'none'}")
    for tensor in tensors:
        port = found[tensor.name]
        if port.dtype != tensor.dtype or not _fits(tensor.shape, port.shape):
            shape = [size or "dynamic" for size in port.shape]
            raise ModelError(
                f"{title}: expected {tensor.name} to be {tensor.dtype} {list(tensor.shape)} as in the manifest, got "
                f"{port.dtype} {shape}"
            )


def _fits(shape: tuple[str | int, ...], found: tuple[int | None, ...]) -> bool:
    """A dynamic axis takes any size; a named size wants a dynamic axis."""
    return len(shape) == len(found) and all(
        size is None or size == wanted for wanted, size in zip(shape, found, strict=True)
    )
