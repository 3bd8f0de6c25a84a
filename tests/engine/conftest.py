"""What several rooms are tested on: the packaged portraits, performers whose motion is known, a tiny model bundle."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.capture import image
from mien.face.topology import PARTS, canonical_face
from mien.manifest import Bundle, Graph, TensorSpec, read_bundle, write_manifest
from mien.manifest.family import Runs
from mien.parse.models import FaceMesh
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien_export.samples.composer import Performer, performer

NAMES = ("aldo", "mira", "teo")


@pytest.fixture(scope="session")
def still_mesh() -> Iterator[FaceMesh]:
    with FaceMesh(still=True, most=5) as mesh:
        yield mesh


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.uint8]]:
    found = samples.portraits()
    return {name: image.read(found[name]) for name in NAMES}


@pytest.fixture(scope="session")
def portraits(pictures: dict[str, NDArray[np.uint8]]) -> dict[str, Portrait]:
    return {name: prepare(pixels)[0] for name, pixels in pictures.items()}


@pytest.fixture(scope="session")
def portrait(portraits: dict[str, Portrait]) -> Portrait:
    return portraits["aldo"]


@pytest.fixture(scope="session")
def canonical_performer() -> Performer:
    return performer(canonical_face().points)


SIDE = 64
AUTO = ("fp32",)
BATCH = "batch"
FEATURES = (
    TensorSpec("f8", "feature", (BATCH, 4, 8, 8), warped=True),
    TensorSpec("f16", "feature", (BATCH, 3, 16, 16), warped=True),
)


def _tensor(name: str, role: str, channels: int, least: float) -> TensorSpec:
    return TensorSpec(name, role, (BATCH, channels, SIDE, SIDE), range=(least, 1.0))


TINY = {
    "appearance": (
        (_tensor("picture", "picture", 3, -1.0), _tensor("parsing", "portrait_parsing", len(PARTS), 0.0)),
        FEATURES,
    ),
    "generator": (
        (
            *FEATURES,
            _tensor("parsing", "parsing", len(PARTS), 0.0),
            _tensor("warped", "warped", 3, -1.0),
            _tensor("hint", "hint", 3, -1.0),
        ),
        (_tensor("generated", "generated", 3, -1.0), _tensor("mask", "mask", 1, 0.0)),
    ),
}


RUNS: dict[str, Runs] = {"appearance": "once", "generator": "frame"}


@pytest.fixture(scope="session")
def whole_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of tiny graphs with random weights, in fp32, fp16 and (the generator) int8; not to be changed."""
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    folder.mkdir()
    for precision in ("fp32", "fp16"):
        for name, nodes in {"appearance": _appearance_nodes(), "generator": _generator_nodes()}.items():
            _save(folder / f"{name}.{precision}.onnx", name, nodes, precision)
    _save_int8(folder / "generator.fp32.onnx", folder / "generator.int8.onnx")
    listed = [("appearance", "fp32"), ("generator", "fp32"), ("generator", "int8"), *((n, "fp16") for n in TINY)]
    graphs = tuple(Graph(n, p, folder / f"{n}.{p}.onnx", "", *TINY[n], RUNS[n]) for n, p in listed)
    words: dict[str, Any] = {
        "licence": "CC0-1.0",
        "version": "1",
        "commit": "0" * 40,
        "trained_on": "nothing",
        "losses": "none",
    }
    words |= {"graphs": graphs, "classes": PARTS, "precisions_for_auto": AUTO}
    bundle = Bundle(folder, "tiny", "oneshot", "oneshot-live", "xs", SIDE, **words)
    return write_manifest(bundle, folder)


@pytest.fixture
def bundle(whole_bundle: Bundle, tmp_path: Path) -> Bundle:
    """A copy of the tiny bundle that a test may spoil."""
    return read_bundle(Path(shutil.copytree(whole_bundle.folder, tmp_path / "tiny")))


def _appearance_nodes() -> list[tuple[Any, ...]]:
    """(operator, inputs, outputs, attributes, weights' shape)."""
    return [
        ("Concat", ["picture", "parsing"], ["all"], {"axis": 1}, None),
        ("Conv", ["all"], ["f8"], {"strides": [8, 8]}, (4, 12, 8, 8)),
        ("Conv", ["all"], ["f16"], {"strides": [4, 4]}, (3, 12, 4, 4)),
    ]


def _generator_nodes() -> list[tuple[Any, ...]]:
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return [
        ("Resize", ["f8", "", "scale8"], ["wide8"], nearest, None),
        ("Resize", ["f16", "", "scale4"], ["wide16"], nearest, None),
        ("Concat", ["wide8", "wide16", "parsing", "warped", "hint"], ["all"], {"axis": 1}, None),
        ("Conv", ["all"], ["hidden"], {"pads": [1] * 4}, (16, 22, 3, 3)),
        ("Relu", ["hidden"], ["positive"], {}, None),
        ("Conv", ["positive"], ["colour"], {"pads": [1] * 4}, (3, 16, 3, 3)),
        ("Conv", ["positive"], ["keep"], {"pads": [1] * 4}, (1, 16, 3, 3)),
        ("Tanh", ["colour"], ["generated"], {}, None),
        ("Sigmoid", ["keep"], ["mask"], {}, None),
    ]


def _save(path: Path, name: str, nodes: list[tuple[Any, ...]], precision: str) -> None:
    """A graph with float32 at its border; in fp16 all between is float16."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    fp16 = precision == "fp16"
    inputs, outputs = TINY[name]
    border = {tensor.name: f"{tensor.name}_fp16" if fp16 else tensor.name for tensor in inputs + outputs}
    made, weights = [], [numpy_helper.from_array(np.array([1, 1, n, n], np.float32), f"scale{n}") for n in (4, 8)]
    for tensor in inputs if fp16 else ():
        made.append(helper.make_node("Cast", [tensor.name], [border[tensor.name]], to=TensorProto.FLOAT16))
    for operator, takes, gives, attributes, shape in nodes:
        takes, gives = ([border.get(n, n) for n in names] for names in (takes, gives))
        if shape is not None:
            weight = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float16 if fp16 else np.float32)
            weights.append(numpy_helper.from_array(weight, f"weight_of_{gives[0]}"))
            takes = [*takes, weights[-1].name]
        made.append(helper.make_node(operator, takes, gives, **attributes))
    for tensor in outputs if fp16 else ():
        made.append(helper.make_node("Cast", [border[tensor.name]], [tensor.name], to=TensorProto.FLOAT))
    takes, gives = (
        [helper.make_tensor_value_info(t.name, TensorProto.FLOAT, t.shape) for t in ts] for ts in TINY[name]
    )
    graph = helper.make_graph(made, name, takes, gives, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def _save_int8(source: Path, target: Path) -> None:
    """The graph with its convolutions in int8 (QDQ), scaled on random inputs."""
    import logging

    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Random(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            rng = np.random.default_rng(1)
            self._left = iter([{t.name: rng.uniform(-1, 1, t.sized(1)).astype("f") for t in TINY["generator"][0]}])

        def get_next(self) -> dict[str, Any] | None:
            return next(self._left, None)

    logging.disable(logging.WARNING)
    quantize_static(
        source,
        target,
        Random(),
        QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
    )
    logging.disable(logging.NOTSET)
