"""The backend `torch`, which comes from `mien_export` by an entry point."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import BackendError
from mien.manifest import Bundle
from mien.runtime import opening
from mien.runtime.opening import GROUP, choose, open_session, usable
from mien.runtime.session import DeviceSession, GraphSession

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `torch`")
pytest.importorskip("onnx", reason="onnx is not installed: it comes with the extra `torch`")

from mien_export.graphs import torch_graph  # noqa: E402
from mien_export.torch_backend import TorchDevice, TorchDeviceSession, TorchSession  # noqa: E402

Arrays = dict[str, NDArray[Any]]
TOLERANCE = {"fp32": 1e-5, "fp16": 4e-3}
"""Sums in another order; 11 bits of mantissa."""
HERE = torch.device("cpu")


def on_device(bundle: Bundle, precision: str) -> TorchDeviceSession:
    graph = bundle.graph("generator", precision)
    return TorchDeviceSession(graph, torch_graph.TorchGraph(graph.path).eval(), TorchDevice(HERE))


def computed(session: GraphSession, inputs: Arrays) -> Arrays:
    for name, array in inputs.items():
        session.inputs[name][...] = array
    session.run()
    return {name: array.copy() for name, array in session.outputs.items()}


def assert_close(outputs: Arrays, reference: Arrays, precision: str) -> None:
    assert outputs.keys() == reference.keys()
    for name, array in outputs.items():
        np.testing.assert_allclose(array, reference[name], rtol=0, atol=TOLERANCE[precision], err_msg=name)


def test_the_entry_point_leads_to_it() -> None:
    (entry,) = entry_points(group=GROUP, name="torch")
    assert entry.value == "mien_export.torch_backend:open_session"


@pytest.mark.parametrize("precision", TOLERANCE)
def test_it_gives_the_references_values(
    whole_bundle: Bundle, inputs: Arrays, reference: Arrays, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    session = open_session(whole_bundle, "generator", "torch", precision)
    assert isinstance(session, TorchSession)
    assert not isinstance(session, DeviceSession)
    assert (session.backend, session.precision, session.threads) == ("torch", precision, 1)
    assert_close(computed(session, inputs), reference, precision)
    session.close()


def test_each_call_of_a_batch_is_computed(whole_bundle: Bundle, inputs: Arrays, reference: Arrays) -> None:
    graph = whole_bundle.graph("generator")
    session = TorchSession(graph, torch_graph.TorchGraph(graph.path).eval(), batch=3)
    for array in computed(session, inputs)["generated"]:
        np.testing.assert_allclose(array, reference["generated"][0], rtol=0, atol=TOLERANCE["fp32"])


def test_on_a_device_it_runs_on_arrays_that_stay_there(whole_bundle: Bundle, inputs: Arrays, reference: Arrays) -> None:
    session = on_device(whole_bundle, "fp32")
    assert isinstance(session, DeviceSession)
    assert_close(computed(session, inputs), reference, "fp32")
    for name, array in inputs.items():
        session.device_inputs[name].copy_(torch.from_numpy(2 * array))
    held = session.device_outputs["generated"].clone()
    session.enqueue()
    session.device.wait()
    assert (session.device_outputs["generated"] - held).abs().max() > 1e-3
    session.close()


def test_a_gpu_is_given_the_graph_in_fp16_and_a_processor_in_fp32(
    whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what torch says: it may see no GPU where the driver shows one."""
    for sees, precision in ((True, "fp16"), (False, "fp32")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda sees=sees: sees)
        choice = choose(whole_bundle, "generator", "torch")
        assert (choice.backend, choice.precision, choice.reason) == ("torch", precision, "asked for")


def test_torch_is_not_asked_where_the_precision_is_given(whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    assert choose(whole_bundle, "generator", "torch", "fp16").precision == "fp16"


def test_without_torch_the_cure_is_told(whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match=r"torch: expected the package torch, got none; pip install 'mien\[torch\]'"):
        open_session(whole_bundle, "generator", "torch", "fp32")


def test_a_graph_with_an_unknown_operator_is_refused(whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(torch_graph.OPERATORS, "Conv")
    with pytest.raises(BackendError, match=r"torch: .* uses Conv; known are"):
        open_session(whole_bundle, "generator", "torch", "fp32")


def test_what_an_operator_cannot_compute_is_told_as_the_session_is_opened(
    whole_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("group")

    monkeypatch.setitem(torch_graph.OPERATORS, "Conv", broken)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = r"torch: cannot run .*\.onnx \(KeyError: 'group'\)"
    with pytest.raises(BackendError, match=told):
        open_session(whole_bundle, "generator", "torch", "fp32")
    with pytest.raises(BackendError, match=told):
        on_device(whole_bundle, "fp32")


def test_where_a_run_cannot_be_captured_a_warning_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    modes = []

    def refused(_: object, *, stream: object, capture_error_mode: str) -> AbstractContextManager[None]:
        modes.append(capture_error_mode)
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    device = TorchDevice(HERE)
    monkeypatch.setattr(device, "_stream", object())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", refused)
    assert device.capture(lambda: None, "this graph") is None
    assert modes == ["thread_local"]
    (told,) = caplog.messages
    assert told.startswith("cpu: no CUDA graph of this graph (RuntimeError: operation not permitted when stream is")


def test_what_is_installed_is_told() -> None:
    found, _ = usable()
    assert torch.__version__.startswith(found["torch"])
