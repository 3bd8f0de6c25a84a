"""Float16 for a bundle that has none: what a GPU wants of the packaged one, without the checkpoint it came from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import onnx

from mien.manifest import Bundle, Graph, write_manifest
from mien_export.graphs.halved import halved
from mien_export.graphs.tracing import checked


def with_float16(bundle: Bundle, folder: Path) -> Bundle:
    """Write the bundle into an empty folder, with its graphs in float16 besides; those that were there are made anew.

    Raises:
        ModelError: a weight is too large for float16.
    """
    kept = [graph for graph in bundle.graphs if graph.precision != "fp16"]
    graphs = [replace(graph, path=Path(shutil.copyfile(graph.path, folder / graph.path.name))) for graph in kept]
    graphs += [_halved(graph, folder) for graph in kept if graph.precision == "fp32"]
    return write_manifest(replace(bundle, folder=folder, graphs=tuple(graphs)), folder)


def _halved(graph: Graph, folder: Path) -> Graph:
    model = checked(halved(onnx.load(graph.path)))
    path = folder / f"{graph.name}.fp16.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return replace(graph, precision="fp16", path=path, sha256="")
