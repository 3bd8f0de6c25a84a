"""ONNX graphs in torch: each operator against ONNX's own reference, and what is refused."""

from __future__ import annotations

import itertools
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import SettingError

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")
onnx: Any = pytest.importorskip("onnx", reason="onnx is not installed: it comes with the extra `train`")
reference: Any = pytest.importorskip("onnx.reference", reason="onnx is not installed")

from mien_export.graphs.torch_graph import OPERATORS, TorchGraph  # noqa: E402

Constants = dict[str, Any]
SHAPE = (2, 3, 9, 8)
FLAT = (2, 6)


def random(*shape: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def floats(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def indices(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
BATCH_NORM = {"s": random(3), "b": random(3, seed=2), "m": random(3, seed=3), "v": random(3, seed=4) ** 2 + 0.1}
CASES: list[tuple[str, tuple[int, ...], Constants, dict[str, Any]]] = [
    ("Add", SHAPE, {"c": random(3, 1, 1)}, {}),
    ("AveragePool", SHAPE, {}, {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 0]}),
    ("AveragePool", SHAPE, {}, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("BatchNormalization", SHAPE, BATCH_NORM, {"epsilon": 1e-3}),
    ("Cast", SHAPE, {}, {"to": 1}),
    ("Clip", SHAPE, {"low": np.float32(-0.5), "high": np.float32(0.7)}, {}),
    ("Concat", SHAPE, {"c": random(*SHAPE)}, {"axis": 1}),
    ("Conv", SHAPE, {"w": random(4, 3, 3, 2), "b": random(4)}, {"strides": [2, 1], "pads": [1, 0, 0, 1]}),
    ("Conv", SHAPE, {"w": random(3, 1, 3, 3)}, {"group": 3, "dilations": [2, 2]}),
    ("DepthToSpace", (2, 12, 3, 2), {}, {"blocksize": 2}),
    ("DepthToSpace", (2, 12, 3, 2), {}, {"blocksize": 2, "mode": "CRD"}),
    ("Div", SHAPE, {"c": np.float32(3)}, {}),
    ("Dropout", SHAPE, {}, {}),
    ("Flatten", SHAPE, {}, {}),
    ("Flatten", SHAPE, {}, {"axis": 2}),
    ("Gemm", FLAT, {"b": random(4, 6), "c": random(4)}, {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("GlobalAveragePool", SHAPE, {}, {}),
    ("Identity", SHAPE, {}, {}),
    ("InstanceNormalization", SHAPE, {"s": random(3), "b": random(3, seed=2)}, {"epsilon": 1e-3}),
    ("LeakyRelu", SHAPE, {}, {"alpha": 0.2}),
    ("MatMul", FLAT, {"b": random(6, 4)}, {}),
    ("Max", SHAPE, {"c": random(3, 1, 1)}, {}),
    ("Max", SHAPE, {"c": random(3, 1, 1), "d": random(9, 8, seed=2)}, {}),
    ("MaxPool", SHAPE, {}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("MaxPool", SHAPE, {}, {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", SHAPE, {}, {"kernel_shape": [3, 2], "dilations": [2, 3]}),
    ("Mul", SHAPE, {"c": random(1, 3, 1, 1)}, {}),
    ("PRelu", SHAPE, {"c": random(3, 1, 1)}, {}),
    ("Reciprocal", SHAPE, {}, {}),
    ("ReduceMean", SHAPE, {"axes": indices(2, 3)}, {"keepdims": 0}),
    ("ReduceSum", SHAPE, {"axes": indices(1)}, {}),
    ("Relu", SHAPE, {}, {}),
    ("Reshape", SHAPE, {"to": indices(0, -1)}, {}),
    ("Resize", SHAPE, {"roi": random(0), "scales": floats(1, 1, 2, 2)}, NEAREST),
    ("Resize", SHAPE, {"roi": random(0), "scales": floats(1, 1, 2, 2)}, {"mode": "linear"}),
    ("Sigmoid", SHAPE, {}, {}),
    ("Slice", SHAPE, {"from": indices(1, 0), "to": indices(8, 2), "axes": indices(2, 1), "by": indices(2, 1)}, {}),
    ("SpaceToDepth", (2, 3, 4, 6), {}, {"blocksize": 2}),
    ("Split", SHAPE, {"parts": indices(2, 1)}, {"axis": 1}),
    ("Split", SHAPE, {}, {"axis": 1, "num_outputs": 2}),
    ("Sqrt", SHAPE, {}, {}),
    ("Squeeze", (2, 3, 1, 1), {"axes": indices(2, 3)}, {}),
    ("Sub", SHAPE, {"c": np.float32(127.5)}, {}),
    ("Tanh", SHAPE, {}, {}),
    ("Transpose", SHAPE, {}, {"perm": [0, 2, 3, 1]}),
    ("Unsqueeze", FLAT, {"axes": indices(2, 3)}, {}),
]


OLD: list[tuple[int, str, dict[str, Any]]] = [
    (9, "Slice", {"starts": [1, 0], "ends": [8, 2], "axes": [2, 1]}),
    (9, "Slice", {"starts": [0, 1], "ends": [2, 3]}),
    (11, "Split", {"axis": 1, "split": [2, 1]}),
    (13, "Split", {"axis": 3}),
]
"""By opset: what later ones have as inputs, or as another attribute."""


def model_of(nodes: list[Any], shape: tuple[int, ...], constants: Constants, opset: int = 18) -> Any:
    """A model from `x` to `y`."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    values = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    ends = (
        [helper.make_tensor_value_info("x", floats, shape)],
        [helper.make_tensor_value_info("y", floats, ())],
    )
    graph = helper.make_graph(nodes, "graph", *ends, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def saved(model: Any, folder: Path) -> Path:
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def test_every_operator_is_tried() -> None:
    assert {case[0] for case in CASES} == set(OPERATORS) - {"SpadeModulate"}, "which has a test of its own"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_operators_give_what_onnxs_reference_gives(
    case: tuple[str, tuple[int, ...], Constants, dict[str, Any]], tmp_path: Path
) -> None:
    name, shape, constants, attributes = case
    outputs = ["y", "z"] if name == "Split" else ["y"]
    model = model_of([onnx.helper.make_node(name, ["x", *constants], outputs, **attributes)], shape, constants)
    x = np.abs(random(*shape, seed=7)) if name == "Sqrt" else random(*shape, seed=7)
    (expected,) = reference.ReferenceEvaluator(model).run(None, {"x": x})
    got = TorchGraph(saved(model, tmp_path))(torch.from_numpy(x))[0]
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", OLD, ids=lambda case: f"{case[1]}-{case[0]}")
def test_old_forms_give_what_onnxs_reference_gives(case: tuple[int, str, dict[str, Any]], tmp_path: Path) -> None:
    opset, name, attributes = case
    outputs = ["y", "z"] if name == "Split" else ["y"]
    model = model_of([onnx.helper.make_node(name, ["x"], outputs, **attributes)], SHAPE, {}, opset)
    x = random(*SHAPE)
    (expected,) = reference.ReferenceEvaluator(model).run(None, {"x": x})
    np.testing.assert_array_equal(TorchGraph(saved(model, tmp_path))(torch.from_numpy(x))[0].numpy(), expected)


def test_spade_modulation_gives_what_its_function_gives(tmp_path: Path) -> None:
    from mien_export.spade_onnx import spade_function, spade_node

    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    names = ("x", "gamma", "beta")
    ends = [helper.make_tensor_value_info(name, floats, SHAPE) for name in (*names, "y")]
    graph = helper.make_graph([spade_node(*names, "y", slope=0.2)], "graph", ends[:3], ends[3:])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("mien", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9, functions=[spade_function()])
    given = {name: random(*SHAPE, seed=seed) for seed, name in enumerate(names)}
    runtime: Any = pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) runs functions")
    path = saved(model, tmp_path)
    (expected,) = runtime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, given)
    (got,) = TorchGraph(path)(*map(torch.from_numpy, given.values()))
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_other_ways_to_resize_are_refused(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="cubic")
    graph = TorchGraph(saved(model_of([node], SHAPE, {"scales": floats(1, 1, 2, 2)}), tmp_path))
    with pytest.raises(ValueError, match=r"Resize by .*cubic.*known are"):
        graph(torch.zeros(SHAPE))


@pytest.mark.parametrize("attributes", [{"ceil_mode": 1}, {"dilations": [2, 1]}], ids=str)
def test_means_over_windows_that_are_not_whole_are_refused(attributes: dict[str, Any], tmp_path: Path) -> None:
    node = onnx.helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], **attributes)
    graph = TorchGraph(saved(model_of([node], SHAPE, {}), tmp_path))
    with pytest.raises(ValueError, match="AveragePool with ceil_mode or dilations"):
        graph(torch.zeros(SHAPE))


def test_weights_kept_in_float16_are_turned_into_float32_once(tmp_path: Path) -> None:
    weight = random(2, 3, 3, 3).astype(np.float16)
    nodes = [
        onnx.helper.make_node("Cast", ["w.half"], ["w"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    graph = TorchGraph(saved(model_of(nodes, SHAPE, {"w.half": weight}), tmp_path))
    (kept,) = graph.buffers()
    assert kept.dtype == torch.float32
    np.testing.assert_array_equal(kept.numpy(), weight.astype(np.float32))
    x = torch.from_numpy(random(*SHAPE))
    np.testing.assert_array_equal(graph(x)[0].numpy(), torch.nn.functional.conv2d(x, kept).numpy())


def test_a_value_is_let_go_after_its_last_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Any] = []
    alive = []

    def watched(given: list[Any], _: dict[str, Any]) -> Any:
        alive.append([made() is not None for made in held])
        out = torch.relu(given[0])
        held.append(weakref.ref(out))
        return out

    monkeypatch.setitem(OPERATORS, "Relu", watched)
    names = ["x", "a", "b", "c", "d"]
    nodes = [onnx.helper.make_node("Relu", [given], [made]) for given, made in itertools.pairwise(names)]
    nodes.append(onnx.helper.make_node("Add", ["b", "d"], ["y"]))
    (got,) = TorchGraph(saved(model_of(nodes, SHAPE, {}), tmp_path))(torch.ones(SHAPE))
    np.testing.assert_array_equal(got.numpy(), np.full(SHAPE, 2, np.float32))
    assert alive == [[], [True], [False, True], [False, True, True]]
    assert [made() for made in held] == [None] * 4


def test_unknown_operators_are_named(tmp_path: Path) -> None:
    path = saved(model_of([onnx.helper.make_node("Sin", ["x"], ["y"])], SHAPE, {}), tmp_path)
    with pytest.raises(SettingError, match="uses Sin; known are Add, "):
        TorchGraph(path)


def test_broken_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\xff\x00 nothing")
    for name in ("broken.onnx", "missing.onnx"):
        with pytest.raises(SettingError, match="no ONNX model that can be read"):
            TorchGraph(tmp_path / name)


def test_automatic_padding_is_refused(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER")
    graph = TorchGraph(saved(model_of([node], SHAPE, {"w": random(2, 3, 3, 3)}), tmp_path))
    with pytest.raises(ValueError, match="automatic padding"):
        graph(torch.zeros(SHAPE))
