"""The TensorRT plug-in in an engine built from the ONNX function: it is taken, and gives the reference's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mien_kernels import reference

FLOAT32_TOLERANCE = 5e-5
"""Of results around 1: float32 sums in another order than the reference's float64 ones."""
FLOAT16_TOLERANCE = 4e-3
"""Rounding of the result to 11 bits."""

SHAPE = (2, 24, 33, 48)

REASON = "not installed: TensorRT and CuPy (extra `gpu`) and onnx (extra `train`) are needed to run this"
trt: Any = pytest.importorskip("tensorrt", reason=f"tensorrt is {REASON}")
cupy: Any = pytest.importorskip("cupy", reason=f"cupy is {REASON}")
onnx: Any = pytest.importorskip("onnx", reason=f"onnx is {REASON}")
plugin: Any = pytest.importorskip("mien.runtime.tensorrt.spade_plugin")
spade: Any = pytest.importorskip("mien_export.spade_onnx")


def model(kind: str, slope: float) -> bytes:
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    values = [onnx.helper.make_tensor_value_info(name, element, SHAPE) for name in ("x", "gamma", "beta", "out")]
    node = spade.spade_node("x", "gamma", "beta", "out", slope=slope)
    graph = onnx.helper.make_graph([node], "spade", values[:3], values[3:])
    bare = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    complete: bytes = spade.with_spade_function(bare).SerializeToString()
    return complete


def engine_of(onnx_bytes: bytes) -> Any:
    log = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    assert parser.parse(onnx_bytes), [parser.get_error(i).desc() for i in range(parser.num_errors)]
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    plan = builder.build_serialized_network(network, config)
    assert plan is not None
    return trt.Runtime(log).deserialize_cuda_engine(plan)


def run(engine: Any, arrays: dict[str, Any]) -> Any:
    context, stream = engine.create_execution_context(), cupy.cuda.Stream(non_blocking=True)
    on_device = {name: cupy.asarray(value) for name, value in arrays.items()}
    on_device["out"] = cupy.empty_like(on_device["x"])
    cupy.cuda.Device().synchronize()
    for name, value in on_device.items():
        context.set_tensor_address(name, value.data.ptr)
    assert context.execute_async_v3(stream.ptr)
    stream.synchronize()
    return cupy.asnumpy(on_device["out"])


@pytest.mark.parametrize(("kind", "tolerance"), [("float32", FLOAT32_TOLERANCE), ("float16", FLOAT16_TOLERANCE)])
@pytest.mark.parametrize("slope", [1.0, 0.2, 0.0])
def test_an_engine_gives_the_references_values(kind: str, tolerance: float, slope: float) -> None:
    plugin.register()
    rng = np.random.default_rng(0)
    x, gamma, beta = (rng.normal(0, 1, SHAPE).astype(kind) for _ in range(3))
    engine = engine_of(model(kind, slope))
    got = run(engine, {"x": x, "gamma": gamma, "beta": beta})
    exact, *modulation = (value.astype(np.float32) for value in (x, gamma, beta))
    expected = reference.spade_modulate(exact, modulation[0], modulation[1], slope)
    np.testing.assert_allclose(got.astype(np.float32), expected, rtol=tolerance, atol=tolerance)
    layers = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    assert "SpadeModulate" in layers
