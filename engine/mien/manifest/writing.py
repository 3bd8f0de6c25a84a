"""Writes the manifest of exported graphs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from pathlib import Path

from mien.errors import ModelError
from mien.machine.atomic import write_atomically
from mien.manifest import files
from mien.manifest.bundle import FORMAT, MANIFEST, Bundle, Graph, TensorSpec
from mien.manifest.reading import parse

Value = str | int | float | bool | Sequence["Value"]


def write_manifest(bundle: Bundle, folder: Path) -> Bundle:
    """Write the manifest of a bundle whose ONNX files lie in `folder`; what is given back is the bundle there.

    Hashes are those of the files as they are: what `bundle` has in `sha256`, in `folder` and as the folder of `path`
    is not used. The manifest is there whole or not at all.

    Raises:
        ModelError: the bundle breaks the contract, or a file is not what it says; nothing was written.
    """
    graphs = tuple(_hashed(graph, folder) for graph in bundle.graphs)
    content = ("\n".join(_lines(replace(bundle, graphs=graphs))) + "\n").encode()
    written = parse(folder, content)
    for graph in written.graphs:
        files.check_file(graph)
    try:
        write_atomically(folder / MANIFEST, content)
    except OSError as error:
        raise ModelError(f"{folder / MANIFEST}: expected to be able to write it, got {error.strerror}") from error
    return written


def _hashed(graph: Graph, folder: Path) -> Graph:
    path = files.place(folder, graph.path.name, str(folder / MANIFEST))
    return replace(graph, path=path, sha256=hashlib.sha256(files.content(path)).hexdigest())


def _lines(bundle: Bundle) -> Iterator[str]:
    yield f"format = {FORMAT}"
    for key in ("name", "family", "kind", "size", "side"):
        yield _pair(key, getattr(bundle, key))
    for key in ("classes", "attributes"):
        if names := getattr(bundle, key):
            yield _pair(key, names)
    for key in ("licence", "version", "commit", "trained_on", "losses"):
        yield _pair(key, getattr(bundle, key))
    if bundle.view is not None:
        yield _pair("view", astuple(bundle.view))
    yield _pair("precisions_for_auto", bundle.precisions_for_auto)
    for graph in bundle.graphs:
        yield from ("", "[[graph]]")
        for key in ("name", "runs", "precision"):
            yield _pair(key, getattr(graph, key))
        yield _pair("file", graph.path.name)
        yield _pair("sha256", graph.sha256)
        for title, tensors in (("input", graph.inputs), ("output", graph.outputs)):
            for tensor in tensors:
                yield f"[[graph.{title}]]"
                yield from _tensor_lines(tensor)


def _tensor_lines(tensor: TensorSpec) -> Iterator[str]:
    for key in ("name", "role", "shape", "dtype"):
        yield _pair(key, getattr(tensor, key))
    if tensor.range is not None:
        yield _pair("range", tensor.range)
    if tensor.warped:
        yield _pair("warped", True)


def _pair(key: str, value: Value) -> str:
    return f"{key} = {_toml(value)}"


def _toml(value: Value) -> str:
    """TOML's basic strings, numbers and lists are JSON's, but that DEL must be escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
