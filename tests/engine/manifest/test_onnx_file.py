from __future__ import annotations

import contextlib
import hashlib
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import ModelError
from mien.manifest import Bundle, read_bundle, write_manifest
from mien.manifest.onnx_file import OnnxPort, read_onnx

onnx: Any = pytest.importorskip("onnx", reason="onnx (extra `train`) makes the files of these tests")
helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


def model(nodes: list[Any], weights: list[Any] = [], functions: list[Any] = []) -> Any:  # noqa: B006
    ports = [helper.make_tensor_value_info(name, FLOAT, ["n", 3]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mien", 1), helper.make_opsetid("evil", 1)]
    return helper.make_model(graph, functions=functions, opset_imports=opsets)


def external(name: str, location: str | None) -> Any:
    tensor = onnx.TensorProto(name=name, data_type=FLOAT, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    if location is not None:
        tensor.external_data.add(key="location", value=location)
    return tensor


def branch(nodes: list[Any], weights: list[Any] = []) -> Any:  # noqa: B006
    out = helper.make_tensor_value_info("b", FLOAT, None)
    condition = helper.make_node("Constant", [], ["c"], value=onnx.numpy_helper.from_array(np.array(True)))
    body = helper.make_graph(nodes, "body", [], [out], weights)
    return [condition, helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)]


def test_ports_operators_and_weights_are_found() -> None:
    weight = onnx.numpy_helper.from_array(np.ones((1, 3), np.float32), "w")
    made = model([helper.make_node("Mul", ["x", "w"], ["y"], domain="ai.onnx")], [weight])
    made.graph.input.append(helper.make_tensor_value_info("w", FLOAT, [1, 3]))
    found = read_onnx(made.SerializeToString())
    assert found.inputs == (OnnxPort("x", "float32", (None, 3)),)
    assert found.outputs == (OnnxPort("y", "float32", (None, 3)),)
    assert found.operators == {("", "Mul")}
    assert not found.external


def test_operators_are_found_in_branches_and_functions() -> None:
    inner = helper.make_node("Evil", ["x"], ["y"], domain="evil")
    function = helper.make_function("mien", "Soft", ["x"], ["y"], [inner], [helper.make_opsetid("evil", 1)])
    nodes = branch([helper.make_node("Soft", ["x"], ["b"], domain="mien")])
    found = read_onnx(model(nodes, functions=[function]).SerializeToString())
    assert found.operators == {("", "If"), ("", "Constant"), ("mien", "Soft"), ("evil", "Evil")}
    assert found.functions == {("mien", "Soft")}


@pytest.mark.parametrize(
    "made",
    [
        model([helper.make_node("Mul", ["x", "w"], ["y"])], [external("w", "../w.bin")]),
        model(branch([helper.make_node("Mul", ["x", "w"], ["b"])], [external("w", "../w.bin")])),
        model([helper.make_node("Constant", [], ["y"], value=external("w", "../w.bin"))]),
    ],
    ids=["weight", "weight in a branch", "constant"],
)
def test_weights_elsewhere_are_found(made: Any) -> None:
    assert read_onnx(made.SerializeToString()).external == {"../w.bin"}


def test_weights_elsewhere_without_a_place_are_found() -> None:
    made = model([helper.make_node("Mul", ["x", "w"], ["y"])], [external("w", None)])
    assert read_onnx(made.SerializeToString()).external == {"an unnamed file"}


def test_cut_and_foreign_bytes_are_told_and_nothing_else_is_raised() -> None:
    whole = model([helper.make_node("Relu", ["x"], ["y"])]).SerializeToString()
    rng = random.Random(0)
    for length in range(len(whole)):
        _read_or_refuse(whole[:length])
    for _ in range(500):
        spoilt = bytearray(whole)
        spoilt[rng.randrange(len(whole))] = rng.randrange(256)
        _read_or_refuse(bytes(spoilt))
    with pytest.raises(ValueError, match="cut short"):
        read_onnx(b"\x7fELF" + bytes(100))
    with pytest.raises(ValueError, match="holds no graph"):
        read_onnx(b"")


def _read_or_refuse(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_onnx(content)


def rewritten(bundle: Bundle, change: Any) -> Path:
    """The fp32 generator's file after a change to it; its manifest is that of before."""
    path = bundle.graph("generator").path
    made = onnx.load(path)
    change(made)
    path.write_bytes(made.SerializeToString())
    return path


def test_a_bundle_with_weights_outside_of_its_files_is_refused(bundle: Bundle) -> None:
    def move_out(made: Any) -> None:
        made.graph.initializer[-1].ClearField("raw_data")
        made.graph.initializer[-1].data_location = onnx.TensorProto.EXTERNAL
        made.graph.initializer[-1].external_data.add(key="location", value="/etc/passwd")

    path = rewritten(bundle, move_out)
    with pytest.raises(ModelError, match=r"all weights inside the file, got some in /etc/passwd; export it as one"):
        write_manifest(bundle, bundle.folder)
    manifest = bundle.folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace(bundle.graph("generator").sha256, _sha256(path)))
    with pytest.raises(ModelError, match=r"all weights inside the file"):
        read_bundle(bundle.folder)


@pytest.mark.parametrize("domain", ["com.microsoft", "evil", "mien"])
def test_a_bundle_that_wants_code_is_refused(bundle: Bundle, domain: str) -> None:
    def wants_code(made: Any) -> None:
        made.graph.node[-1].domain = domain
        made.opset_import.add(domain=domain, version=1)

    rewritten(bundle, wants_code)
    with pytest.raises(ModelError, match=rf"expected operators of ONNX itself, got {domain}::Sigmoid, which need code"):
        write_manifest(bundle, bundle.folder)


def test_a_fixed_batch_is_refused(bundle: Bundle) -> None:
    def fix(made: Any) -> None:
        made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1

    rewritten(bundle, fix)
    with pytest.raises(ModelError, match=r"as in the manifest, got float32 \[1, 4, 8, 8\]"):
        write_manifest(bundle, bundle.folder)


def test_a_function_of_ours_is_taken(bundle: Bundle) -> None:
    def by_function(made: Any) -> None:
        body = [helper.make_node("Sigmoid", ["x"], ["y"])]
        made.functions.append(helper.make_function("mien", "Keep", ["x"], ["y"], body, [helper.make_opsetid("", 17)]))
        made.graph.node[-1].domain, made.graph.node[-1].op_type = "mien", "Keep"
        made.opset_import.add(domain="mien", version=1)

    rewritten(bundle, by_function)
    written = write_manifest(replace(bundle, licence="MIT"), bundle.folder)
    assert read_bundle(bundle.folder) == written


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
