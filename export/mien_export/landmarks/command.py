"""`mien export landmarks`: the bundle `landmarks` from the files of MediaPipe's wheel."""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import mien
from mien.commands.options import Options
from mien.errors import BackendError
from mien.manifest import Bundle, Graph, family_named, write_manifest
from mien_export.graphs.writing import replaced
from mien_export.landmarks.graphs import FILES, converted

NAME: Final = "landmarks"
NOTICE: Final = """\
The graphs in this folder are MediaPipe's networks for face landmarks and face detection, as the package
mediapipe {version} has them: {files}.

Copyright The MediaPipe Authors. Licensed under the Apache License, Version 2.0:
https://www.apache.org/licenses/LICENSE-2.0

Changed: converted from TFLite to ONNX by `mien export landmarks`. Operators of TFLite and of MediaPipe became standard
operators of ONNX, some of them joined; the refined landmarks of lips, eyes and irises are put among the others; pruned
weights are written out with their zeros. The weights themselves are the same.
"""


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a file or setting that is not as it should be.
    """
    options = _parser().parse_args(arguments)
    modules = options.modules or packaged_modules()
    with replaced(options.out) as folder:
        write(folder, modules, options.commit)
    print(options.out)
    return 0


def write(folder: Path, modules: Path, commit: str = "unknown") -> Bundle:
    """Write graphs, manifest and a notice into an empty folder.

    Args:
        modules: what `packaged_modules` gives, or a copy.
        commit: of the code that converts.

    Raises:
        ModelError: a file is another one than expected.
    """
    files = ", ".join(Path(file).name for file in FILES.values())
    package = _version()
    (folder / "NOTICE").write_text(NOTICE.format(version=package, files=files))
    graphs = []
    side = 0
    for name in FILES:
        graph = converted(name, modules)
        path = folder / f"{name}.onnx"
        path.write_bytes(graph.model.SerializeToString(deterministic=True))
        rule = family_named(NAME).graph(name)
        assert rule is not None, name
        graphs.append(Graph(name, "fp32", path, "", graph.inputs, graph.outputs, rule.runs))
        side = side or int(graph.inputs[0].shape[-1])
    bundle = Bundle(
        folder,
        name=NAME,
        family=NAME,
        kind=NAME,
        size="attention",
        side=side,
        licence="Apache-2.0",
        version=mien.__version__,
        commit=commit,
        trained_on=f"converted from mediapipe {package}, copyright The MediaPipe Authors; by Google",
        losses="not published",
        graphs=tuple(graphs),
    )
    return write_manifest(bundle, folder)


def packaged_modules() -> Path:
    """The folder of the installed MediaPipe that its models lie in; MediaPipe is not imported.

    Raises:
        BackendError: it is not installed.
    """
    found = find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        raise BackendError("export landmarks: expected the package mediapipe, got none; pip install mediapipe==0.10.21")
    return Path(found.submodule_search_locations[0]) / "modules"


def _version() -> str:
    """Of the installed MediaPipe; `unknown` where there is none, so that a copy of its files was given."""
    try:
        return version("mediapipe")
    except PackageNotFoundError:
        return "unknown"


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export landmarks",
        description="Write a model bundle with MediaPipe's face landmarks and detectors as ONNX graphs.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle; one there is replaced")
    parser.add_argument(
        "--modules", type=Path, metavar="DIR", help="MediaPipe's folder `modules` (default: the installed package's)"
    )
    parser.add_argument("--commit", default="unknown", help="of the code that converts, for the manifest")
    return parser
