"""Reading, checking and writing of model bundles: a folder with `manifest.toml` and ONNX files.

    bundle = read_bundle(Path("oneshot-live"))
    graph = bundle.graph(bundle.main, precision="int8")
    family = family_named(bundle.family)

A bundle is data: nothing in it is executed while it is read, and a bundle that needs code or files from elsewhere is
refused.
"""

from __future__ import annotations

from mien.manifest.bundle import MANIFEST, Bundle, Graph, TensorSpec
from mien.manifest.families import family_named
from mien.manifest.family import Family, GraphRule, Link, Port
from mien.manifest.reading import read_bundle, read_manifest
from mien.manifest.writing import write_manifest

__all__ = [
    "MANIFEST",
    "Bundle",
    "Family",
    "Graph",
    "GraphRule",
    "Link",
    "Port",
    "TensorSpec",
    "family_named",
    "read_bundle",
    "read_manifest",
    "write_manifest",
]
