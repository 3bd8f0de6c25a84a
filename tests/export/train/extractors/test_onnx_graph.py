"""ONNX networks in torch: each operator against ONNX's own reference, gradients, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import SettingError

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")
onnx: Any = pytest.importorskip("onnx", reason="onnx is not installed: it comes with the extra `train`")
reference: Any = pytest.importorskip("onnx.reference", reason="onnx is not installed")

from mien_export.train.extractors.onnx_identity import (  # noqa: E402
    OPERATORS,
    OnnxGraph,
    OnnxIdentity,
    aligned_window,
)

Constants = dict[str, Any]
SHAPE = (2, 3, 9, 8)
FLAT = (2, 6)


def random(*shape: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def indices(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


BATCH_NORM = {"s": random(3), "b": random(3, seed=2), "m": random(3, seed=3), "v": random(3, seed=4) ** 2 + 0.1}
CASES: list[tuple[str, tuple[int, ...], Constants, dict[str, Any]]] = [
    ("Add", SHAPE, {"c": random(3, 1, 1)}, {}),
    ("AveragePool", SHAPE, {}, {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 0]}),
    ("AveragePool", SHAPE, {}, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("BatchNormalization", SHAPE, BATCH_NORM, {"epsilon": 1e-3}),
    ("Clip", SHAPE, {"low": np.float32(-0.5), "high": np.float32(0.7)}, {}),
    ("Concat", SHAPE, {"c": random(*SHAPE)}, {"axis": 1}),
    ("Conv", SHAPE, {"w": random(4, 3, 3, 2), "b": random(4)}, {"strides": [2, 1], "pads": [1, 0, 0, 1]}),
    ("Conv", SHAPE, {"w": random(3, 1, 3, 3)}, {"group": 3, "dilations": [2, 2]}),
    ("Div", SHAPE, {"c": np.float32(3)}, {}),
    ("Dropout", SHAPE, {}, {}),
    ("Flatten", SHAPE, {}, {}),
    ("Flatten", SHAPE, {}, {"axis": 2}),
    ("Gemm", FLAT, {"b": random(4, 6), "c": random(4)}, {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("GlobalAveragePool", SHAPE, {}, {}),
    ("Identity", SHAPE, {}, {}),
    ("LeakyRelu", SHAPE, {}, {"alpha": 0.2}),
    ("MatMul", FLAT, {"b": random(6, 4)}, {}),
    ("MaxPool", SHAPE, {}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("MaxPool", SHAPE, {}, {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    ("Mul", SHAPE, {"c": random(1, 3, 1, 1)}, {}),
    ("PRelu", SHAPE, {"c": random(3, 1, 1)}, {}),
    ("ReduceMean", SHAPE, {"axes": indices(2, 3)}, {"keepdims": 0}),
    ("Relu", SHAPE, {}, {}),
    ("Reshape", SHAPE, {"to": indices(0, -1)}, {}),
    ("Sigmoid", SHAPE, {}, {}),
    ("Squeeze", (2, 3, 1, 1), {"axes": indices(2, 3)}, {}),
    ("Sub", SHAPE, {"c": np.float32(127.5)}, {}),
    ("Transpose", SHAPE, {}, {"perm": [0, 2, 3, 1]}),
    ("Unsqueeze", FLAT, {"axes": indices(2, 3)}, {}),
]


def model_of(nodes: list[Any], shape: tuple[int, ...], constants: Constants) -> Any:
    """A model from `x` to `y`."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    values = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    ends = (
        [helper.make_tensor_value_info("x", floats, shape)],
        [helper.make_tensor_value_info("y", floats, ())],
    )
    graph = helper.make_graph(nodes, "graph", *ends, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def saved(model: Any, folder: Path) -> Path:
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def test_every_operator_is_tried() -> None:
    assert {case[0] for case in CASES} == set(OPERATORS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_operators_give_what_onnxs_reference_gives(
    case: tuple[str, tuple[int, ...], Constants, dict[str, Any]], tmp_path: Path
) -> None:
    name, shape, constants, attributes = case
    model = model_of([onnx.helper.make_node(name, ["x", *constants], ["y"], **attributes)], shape, constants)
    x = random(*shape, seed=7)
    (expected,) = reference.ReferenceEvaluator(model).run(None, {"x": x})
    got = OnnxGraph(saved(model, tmp_path))(torch.from_numpy(x))
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-4, atol=1e-5)


def small_embedding(folder: Path) -> Path:
    """Conv, PReLU, pooling, a constant node, a linear layer: (N, 3, 16, 16) to (N, 5)."""
    make = onnx.helper.make_node
    half = onnx.helper.make_tensor("half", onnx.TensorProto.FLOAT, [], [0.5])
    nodes = [
        make("Constant", [], ["scale"], value=half),
        make("Mul", ["x", "scale"], ["scaled"]),
        make("Conv", ["scaled", "w"], ["conv"], strides=[2, 2], pads=[1, 1, 1, 1]),
        make("PRelu", ["conv", "slope"], ["act"]),
        make("GlobalAveragePool", ["act"], ["pooled"]),
        make("Flatten", ["pooled"], ["flat"]),
        make("Gemm", ["flat", "fc"], ["y"], transB=1),
    ]
    constants = {"w": random(4, 3, 3, 3), "slope": random(4, 1, 1), "fc": random(5, 4)}
    return saved(model_of(nodes, (0, 3, 16, 16), constants), folder)


def test_gradients_reach_the_picture_but_not_the_constants(tmp_path: Path) -> None:
    identity = OnnxIdentity(small_embedding(tmp_path))
    picture = (torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1).requires_grad_()
    vectors = identity(picture)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    (vectors[:, 0].sum()).backward()
    assert picture.grad.abs().sum() > 0
    assert not any(buffer.requires_grad for buffer in identity.buffers())


def test_the_window_brings_the_face_where_the_family_expects_it() -> None:
    left, top, side = aligned_window()
    assert 0 <= left <= 0.25
    assert 0 <= top <= 0.2
    assert 0.6 <= side <= 0.7
    assert left + side / 2 == pytest.approx(0.5, abs=0.01)


def test_a_window_beyond_the_crop_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = OnnxIdentity(small_embedding(tmp_path))
    module = "mien_export.train.extractors.onnx_identity.aligned_window"
    monkeypatch.setattr(module, lambda: (-0.2, -0.1, 1.1))
    assert identity(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_unknown_operators_are_named(tmp_path: Path) -> None:
    path = saved(model_of([onnx.helper.make_node("Sin", ["x"], ["y"])], SHAPE, {}), tmp_path)
    with pytest.raises(SettingError, match="uses Sin; known are Add, "):
        OnnxGraph(path)


def test_broken_files_and_other_networks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\xff\x00 nothing")
    for name in ("broken.onnx", "missing.onnx"):
        with pytest.raises(SettingError, match="no ONNX model that can be read"):
            OnnxGraph(tmp_path / name)
    flat = saved(model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], FLAT, {}), tmp_path)
    with pytest.raises(SettingError, match=r"expected an input \(N, 3, side, side\), got \(2, 6\)"):
        OnnxIdentity(flat)


def test_automatic_padding_is_refused(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER")
    graph = OnnxGraph(saved(model_of([node], SHAPE, {"w": random(2, 3, 3, 3)}), tmp_path))
    with pytest.raises(ValueError, match="automatic padding"):
        graph(torch.zeros(SHAPE))
