from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import BackendError
from mien.manifest import Bundle, Graph
from mien.runtime.cache import Cache
from mien.runtime.opening import open_session
from mien.runtime.tensorrt.engines import BuildProgress, build_engine

COPIES_IN, COPIES_OUT = ["in"] * 5, ["out"] * 2


def opened(graph: Graph) -> Any:
    from mien.runtime.tensorrt.run import TensorRtSession

    return TensorRtSession(graph, b"plan")


def test_one_run_warms_up_and_one_is_captured(graph: Graph, told: Any) -> None:
    opened(graph)
    run = [*COPIES_IN, "run", *COPIES_OUT]
    assert told.steps == [*run, "wait", *(f"capture {step}" for step in run)]


def test_a_run_replays_the_capture_on_the_hosts_arrays(graph: Graph, told: Any) -> None:
    session = opened(graph)
    assert not any(array.any() for array in session.inputs.values())
    told.steps.clear()
    for value in (0.5, -0.25):
        session.inputs["f8"][...] = value
        session.run()
        assert (session.outputs["generated"] == value).all()
        assert (session.outputs["mask"] == value).all()
    assert told.steps == ["launch", "wait"] * 2
    assert (session.backend, session.precision) == ("tensorrt", "fp16")


def test_arrays_on_the_device_are_run_without_copies(graph: Graph, told: Any) -> None:
    session = opened(graph)
    session.device_inputs["f8"][...] = 0.75
    told.steps.clear()
    session.enqueue()
    assert told.steps == ["run"]
    assert (session.device_outputs["mask"] == 0.75).all()


def test_what_cannot_be_captured_is_enqueued_and_said(
    graph: Graph, told: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told.captures = False
    with caplog.at_level(logging.WARNING):
        session = opened(graph)
    assert "no CUDA graph of this engine" in caplog.text
    session.inputs["f8"][...] = 0.5
    told.steps.clear()
    session.run()
    assert told.steps == [*COPIES_IN, "run", *COPIES_OUT, "wait"]
    assert (session.outputs["mask"] == 0.5).all()


def test_values_that_are_no_numbers_are_refused(graph: Graph, told: Any) -> None:
    told.value = np.inf
    with pytest.raises(BackendError, match="generated holds values that are no numbers; build the graph in fp32"):
        opened(graph)


def test_a_plan_of_another_machine_is_refused(graph: Graph, told: Any) -> None:
    from mien.runtime.tensorrt.run import TensorRtSession

    with pytest.raises(BackendError, match="the engine does not load"):
        TensorRtSession(graph, b"another plan")


def test_an_engine_for_another_batch_is_refused(graph: Graph, told: Any) -> None:
    from mien.runtime.tensorrt.run import TensorRtSession

    with pytest.raises(BackendError, match=r"expected f8 to be float32 \(2, 4, 8, 8\), got float32 \(1, 4, 8, 8\)"):
        TensorRtSession(graph, b"plan", batch=2)


def test_the_device_is_named(told: Any) -> None:
    from mien.device.cuda import this_gpu

    device = this_gpu()
    assert (device.name, device.capability) == ("A GPU", (9, 0))
    assert device.driver.startswith("13000")


def test_without_an_engine_onnxruntime_serves_until_it_is_built(
    whole_bundle: Bundle, told: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) serves meanwhile")
    with caplog.at_level(logging.WARNING):
        session: Any = open_session(whole_bundle, "generator", "tensorrt", cache=Cache(tmp_path))
    assert (session.backend, session.precision) == ("onnxruntime", "fp32")
    held = session.outputs["mask"]
    session._build.plan()
    session.inputs["f8"][...] = 0.5
    session.run()
    assert (session.backend, session.precision) == ("tensorrt", "fp16")
    assert session.outputs["mask"] is held
    assert (held == 0.5).all()
    assert "onnxruntime fp32 serves meanwhile" in caplog.text
    assert "the engine is ready" in caplog.text
    session.close()
    again = open_session(whole_bundle, "generator", "tensorrt", cache=Cache(tmp_path))
    assert again.backend == "tensorrt"
    assert told.builds_begun == 1


def test_a_build_that_fails_is_said_and_onnxruntime_goes_on(
    whole_bundle: Bundle, told: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) serves meanwhile")
    told.builds = False
    session: Any = open_session(whole_bundle, "generator", "tensorrt", cache=Cache(tmp_path))
    with pytest.raises(BackendError):
        session._build.plan()
    with caplog.at_level(logging.WARNING):
        session.run()
        session.run()
    assert session.backend == "onnxruntime"
    assert caplog.text.count("no tactic found; onnxruntime goes on serving") == 1
    session.close()


@pytest.mark.parametrize("missing", ["tensorrt", "cupy"])
def test_missing_libraries_are_told_with_their_cure(
    whole_bundle: Bundle, told: Any, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delitem(sys.modules, "mien.runtime.tensorrt.run")
    monkeypatch.delitem(sys.modules, "mien.device.cuda")
    monkeypatch.delitem(sys.modules, "mien.runtime.tensorrt.build")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BackendError, match=r"expected TensorRT and CuPy, got none .*; pip install 'mien\[gpu\]'"):
        open_session(whole_bundle, "generator", "tensorrt")


def test_an_engine_gives_what_onnxruntime_gives(whole_bundle: Bundle, tmp_path: Path) -> None:
    pytest.importorskip("tensorrt", reason="TensorRT and a GPU (extra `gpu`) are needed to build an engine")
    pytest.importorskip("cupy", reason="CuPy and a GPU (extra `gpu`) are needed to run an engine")
    from mien.device.cuda import this_gpu
    from mien.runtime.tensorrt.run import TensorRtSession

    device = this_gpu()
    rng = np.random.default_rng(0)
    reference = open_session(whole_bundle, "generator", "onnxruntime", "fp32")
    for array in reference.inputs.values():
        array[...] = rng.uniform(0, 1, array.shape)
    reference.run()
    for precision, tolerance in {"fp32": 1e-2, "fp16": 2e-2}.items():  # TF32 may be used in fp32
        graph = whole_bundle.graph("generator", precision)
        plan = build_engine(graph, 1, device, Cache(tmp_path), BuildProgress(lambda phase, share: None))
        session = TensorRtSession(graph, plan)
        for name, array in reference.inputs.items():
            session.inputs[name][...] = array
        for _ in range(2):
            session.run()
            for name, array in reference.outputs.items():
                np.testing.assert_allclose(session.outputs[name], array, rtol=0, atol=tolerance)
