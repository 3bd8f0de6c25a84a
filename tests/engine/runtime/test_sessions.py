from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import BackendError
from mien.manifest import Bundle
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien.runtime.openvino import COMPUTED, OpenVinoSession, has_bf16
from mien.runtime.session import ALIGNMENT, GraphSession

pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) is needed to run graphs")
pytest.importorskip("openvino", reason="openvino (extra `cpu`) is needed to run graphs")

Arrays = dict[str, NDArray[Any]]

TOLERANCE = {
    "fp32": 1e-5,  # sums in another order
    "bf16": 3e-2,  # 8 bits of mantissa in two convolutions of values around 1
    "fp16": 4e-3,  # 11 bits
    "int8": 1e-1,  # steps of a 127th of the range, in weights and in values
    "int8+bf16": 1.3e-1,  # both
}
BETWEEN_RUNTIMES = 2e-2
"""Of one int8 graph: a value at the edge of two steps may fall to either side."""

BACKENDS = [("onnxruntime", precision) for precision in ("fp32", "fp16", "int8")]
BACKENDS += [("openvino", precision) for precision in COMPUTED]


def opened(bundle: Bundle, backend: str, precision: str, **options: Any) -> GraphSession:
    if backend == "onnxruntime":
        return OnnxRuntimeSession(bundle.graph("generator", precision), **options)
    if "bf16" in precision and not has_bf16():
        pytest.skip("this processor has no bf16")
    return OpenVinoSession(bundle.graph("generator", COMPUTED[precision][0]), precision=precision, **options)


def computed(session: GraphSession, inputs: Arrays) -> Arrays:
    for name, array in inputs.items():
        session.inputs[name][...] = array
    session.run()
    return {name: array.copy() for name, array in session.outputs.items()}


@pytest.mark.parametrize(("backend", "precision"), BACKENDS)
def test_every_backend_gives_the_references_values(
    whole_bundle: Bundle, inputs: Arrays, reference: Arrays, backend: str, precision: str
) -> None:
    session = opened(whole_bundle, backend, precision)
    assert (session.backend, session.precision, session.threads) == (backend, precision, 1)
    for name, array in computed(session, inputs).items():
        assert array.shape == reference[name].shape
        np.testing.assert_allclose(array, reference[name], rtol=0, atol=TOLERANCE[precision])
    session.close()


def test_one_int8_graph_gives_the_same_in_both(whole_bundle: Bundle, inputs: Arrays) -> None:
    both = [computed(opened(whole_bundle, backend, "int8"), inputs) for backend in ("onnxruntime", "openvino")]
    for name, array in both[0].items():
        np.testing.assert_allclose(array, both[1][name], rtol=0, atol=BETWEEN_RUNTIMES)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_results_do_not_hang_on_threads_or_batch(
    whole_bundle: Bundle, inputs: Arrays, reference: Arrays, backend: str
) -> None:
    session = opened(whole_bundle, backend, "fp32", threads=2, batch=3)
    assert session.outputs["generated"].shape == (3, 3, 64, 64)
    for array in computed(session, inputs)["generated"]:  # the one input stands three times in the batch
        np.testing.assert_allclose(array, reference["generated"][0], rtol=0, atol=TOLERANCE["fp32"])


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_arrays_are_bound_once_and_written_in_place(whole_bundle: Bundle, inputs: Arrays, backend: str) -> None:
    session = opened(whole_bundle, backend, "fp32")
    addresses = {name: array.ctypes.data for name, array in {**session.inputs, **session.outputs}.items()}
    assert not any(address % ALIGNMENT for address in addresses.values())
    held = session.outputs["generated"]
    first = computed(session, inputs)["generated"]
    np.testing.assert_array_equal(held, first)
    session.inputs["warped"][...] = 0.0
    session.run()
    assert np.abs(held - first).max() > 0.01
    assert addresses == {name: array.ctypes.data for name, array in {**session.inputs, **session.outputs}.items()}


def test_onnxruntime_holds_these_very_arrays(whole_bundle: Bundle) -> None:
    session: Any = opened(whole_bundle, "onnxruntime", "fp32")
    session.run()
    held = [value.data_ptr() for value in session._binding.get_outputs()]
    assert held == [array.ctypes.data for array in session.outputs.values()]


def test_openvino_holds_these_very_arrays(whole_bundle: Bundle) -> None:
    session: Any = opened(whole_bundle, "openvino", "fp32")
    session.run()
    for name, array in {**session.inputs, **session.outputs}.items():
        assert session._request.get_tensor(name).data.ctypes.data == array.ctypes.data


def test_onnxruntime_keeps_to_its_threads_and_does_not_spin(whole_bundle: Bundle) -> None:
    session: Any = opened(whole_bundle, "onnxruntime", "fp32", threads=2)
    options = session._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_openvino_keeps_to_its_threads_and_precision(whole_bundle: Bundle) -> None:
    session: Any = opened(whole_bundle, "openvino", "fp32", threads=2)
    assert session._compiled.get_property("INFERENCE_NUM_THREADS") == 2
    assert session._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


def test_openvino_compiles_once_where_it_may_keep_the_result(
    whole_bundle: Bundle, inputs: Arrays, reference: Arrays, tmp_path: Any
) -> None:
    for _ in range(2):
        session = opened(whole_bundle, "openvino", "fp32", cache=tmp_path)
        np.testing.assert_allclose(computed(session, inputs)["mask"], reference["mask"], rtol=0, atol=TOLERANCE["fp32"])
        session.close()
    assert len(list(tmp_path.glob("*.blob"))) == 1


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_missing_runtime_is_told_with_its_cure(
    whole_bundle: Bundle, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, backend, None)
    with pytest.raises(BackendError, match=rf"{backend}: .* not load .*; pip install 'mien\[cpu\]'"):
        opened(whole_bundle, backend, "fp32")


@pytest.mark.parametrize("backend", ["onnxruntime-cuda", "onnxruntime-tensorrt"])
def test_an_accelerator_that_is_not_there_is_refused(whole_bundle: Bundle, backend: str) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has it")
    with pytest.raises(BackendError, match=rf"{backend}: expected onnxruntime to have \w+ExecutionProvider, got"):
        OnnxRuntimeSession(whole_bundle.graph("generator"), backend=backend)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_graph_that_does_not_load_is_told_on_one_line(bundle: Bundle, backend: str) -> None:
    bundle.graph("generator").path.write_bytes(b"no graph")
    with pytest.raises(BackendError, match=rf"{backend}: cannot load .*generator\.fp32\.onnx \(") as refused:
        opened(bundle, backend, "fp32")
    assert "\n" not in str(refused.value)
