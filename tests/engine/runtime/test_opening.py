from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.clock import ManualClock
from mien.errors import BackendError, SettingError, Stopped
from mien.machine.processor import Processor
from mien.manifest import Bundle
from mien.runtime import auto, opening
from mien.runtime.auto import Choice, read_choice
from mien.runtime.cache import Cache
from mien.runtime.opening import choose, open_session

pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) is needed to run graphs")
pytest.importorskip("openvino", reason="openvino (extra `cpu`) is needed to run graphs")

Arrays = dict[str, NDArray[Any]]
PLAIN = Processor("A Processor", frozenset({"avx2"}))
WITH_BF16 = Processor("A Processor", frozenset({"avx2", "avx512_bf16"}))
ALL = ("fp32", "int8")


class Timed:
    """A session whose run takes its time on a clock that stands still otherwise."""

    backend, precision, threads = "", "", 1

    def __init__(self, bundle: Bundle, clock: ManualClock, seconds: float) -> None:
        generator = bundle.graph("generator")
        self.inputs = {tensor.name: np.zeros(tensor.sized(1), np.float32) for tensor in generator.inputs}
        self.outputs: Arrays = {}
        self.runs, self.closed = 0, False
        self._clock, self._seconds = clock, seconds

    def run(self) -> None:
        self.runs += 1
        self._clock.advance(self._seconds)

    def close(self) -> None:
        self.closed = True


class Machine:
    """Where sessions take the times of `seconds`, and those without one do not open."""

    def __init__(
        self, bundle: Bundle, seconds: dict[auto.Candidate, float], outputs: Callable[[auto.Candidate], Arrays]
    ) -> None:
        self.clock, self._outputs = ManualClock(), outputs
        self.opened: dict[auto.Candidate, Timed] = {}
        self._bundle, self._seconds = bundle, seconds

    def open_session(self, bundle: Bundle, graph: str, backend: str, precision: str, threads: int, **_: Any) -> Timed:
        if (backend, precision) not in self._seconds:
            raise BackendError(f"{backend}: it does not load; pip install 'mien[cpu]'")
        session = Timed(self._bundle, self.clock, self._seconds[backend, precision])
        session.outputs = self._outputs((backend, precision))
        self.opened[backend, precision] = session
        return session


def nothing(candidate: auto.Candidate) -> Arrays:
    return {}


@pytest.fixture(autouse=True)
def _plain_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "this_processor", lambda: PLAIN)
    monkeypatch.setattr(auto, "waited", lambda: 0.0)
    monkeypatch.setattr(auto, "is_calm", lambda: True)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def chosen(
    bundle: Bundle,
    cache: Cache,
    seconds: dict[auto.Candidate, float],
    monkeypatch: pytest.MonkeyPatch,
    outputs: Callable[[auto.Candidate], Arrays] = nothing,
    **how: Any,
) -> tuple[Choice, Machine]:
    machine = Machine(bundle, seconds, outputs)
    monkeypatch.setattr(opening, "open_session", machine.open_session)
    return choose(bundle, "generator", cache=cache, clock=machine.clock, **how), machine


TIMES = {("onnxruntime", "fp32"): 0.02, ("openvino", "fp32"): 0.03, ("onnxruntime", "int8"): 0.01}
TIMES |= {("openvino", "int8"): 0.005, ("openvino", "bf16"): 0.004, ("openvino", "int8+bf16"): 0.003}


def test_a_choice_that_is_not_wanted_any_more_ends_before_its_next_step(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter(range(3))

    def need_wanted() -> None:
        if next(steps, None) is None:
            raise Stopped("the end")

    with pytest.raises(Stopped):
        chosen(whole_bundle, cache, TIMES, monkeypatch, need_wanted=need_wanted)
    choice, machine = chosen(whole_bundle, cache, TIMES, monkeypatch)
    assert choice.backend == "onnxruntime"
    assert len(machine.opened) == 2, "what was not finished is not kept"


def test_only_precisions_that_keep_the_quality_are_chosen_among(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, machine = chosen(whole_bundle, cache, TIMES, monkeypatch)
    assert set(machine.opened) == {("onnxruntime", "fp32"), ("openvino", "fp32")}
    assert str(choice) == (
        "onnxruntime fp32, 20.0 ms: fastest here with 1 thread (onnxruntime fp32 20.0, openvino fp32 30.0 ms)"
    )
    assert all(session.closed for session in machine.opened.values())
    assert len({session.runs for session in machine.opened.values()}) == 1


def test_bf16_takes_part_where_the_processor_has_it(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "this_processor", lambda: WITH_BF16)
    choice, machine = chosen(whole_bundle, cache, TIMES, monkeypatch)
    assert (choice.backend, choice.precision) == ("openvino", "bf16")
    assert ("openvino", "int8+bf16") not in machine.opened


def test_int8_takes_part_where_the_bundle_says_so(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = replace(whole_bundle, precisions_for_auto=ALL)
    choice, machine = chosen(bundle, cache, TIMES, monkeypatch)
    assert len(machine.opened) == 4
    assert (choice.backend, choice.precision) == ("openvino", "int8")


def test_of_equally_fast_ones_the_exact_one_is_chosen(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = replace(whole_bundle, precisions_for_auto=ALL)
    choice, _ = chosen(bundle, cache, TIMES | {("openvino", "fp32"): 0.0051}, monkeypatch)
    assert (choice.backend, choice.precision) == ("openvino", "fp32")


def test_backend_and_precision_can_be_asked_for(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice, machine = chosen(whole_bundle, cache, TIMES, monkeypatch, backend="openvino", precision="int8")
    assert choice == Choice("openvino", "int8", "asked for")
    assert not machine.opened
    choice, machine = chosen(whole_bundle, cache, TIMES, monkeypatch, precision="int8")
    assert set(machine.opened) == {("onnxruntime", "int8"), ("openvino", "int8")}
    assert choice.backend == "openvino"
    choice, machine = chosen(whole_bundle, cache, TIMES, monkeypatch, backend="openvino")
    assert choice == Choice("openvino", "fp32", "all that there is")


def test_what_was_measured_is_kept_for_this_machine_model_and_threads(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = chosen(whole_bundle, cache, TIMES, monkeypatch)
    slower = dict.fromkeys(TIMES, 1.0)
    again, machine = chosen(whole_bundle, cache, slower, monkeypatch)
    assert again == first
    assert not machine.opened
    for change in ({"threads": 2}, {"bundle": True}, {"processor": True}, {"package": True}):
        bundle = whole_bundle
        if "bundle" in change:
            graphs = tuple(replace(graph, sha256="0" * 64) for graph in bundle.graphs)
            bundle = replace(bundle, graphs=graphs)
        if "processor" in change:
            monkeypatch.setattr(auto, "this_processor", lambda: replace(PLAIN, name="Another"))
        if "package" in change:
            monkeypatch.setattr(auto, "_installed", lambda name: "0.0")
        _, machine = chosen(bundle, cache, slower, monkeypatch, threads=change.get("threads", 1))
        assert machine.opened, change


def test_what_was_measured_while_the_machine_was_busy_is_measured_again_when_it_is_calm(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:
        waiting = iter([0.0, 1.0])
        busy.setattr(auto, "waited", lambda: next(waiting))
        first, _ = chosen(whole_bundle, cache, {candidate: 5 * time for candidate, time in TIMES.items()}, busy)
        assert first.provisional
        assert str(first).endswith("; measured while the machine was busy")
        busy.setattr(auto, "is_calm", lambda: False)
        again, machine = chosen(whole_bundle, cache, TIMES, busy)
        assert (again, machine.opened) == (first, {})
    calm, machine = chosen(whole_bundle, cache, TIMES, monkeypatch)
    assert machine.opened
    assert calm.milliseconds == pytest.approx(20)
    assert not calm.provisional
    assert chosen(whole_bundle, cache, TIMES, monkeypatch)[0] == calm


def test_a_runtime_that_computes_wrong_is_not_chosen_however_fast(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outputs(candidate: auto.Candidate) -> Arrays:
        picture = np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 3, 2, 2)
        return {"generated": picture[:, ::-1] if candidate == ("openvino", "int8") else picture + np.float32(0.01)}

    bundle = replace(whole_bundle, precisions_for_auto=ALL)
    choice, _ = chosen(bundle, cache, TIMES, monkeypatch, outputs=outputs)
    assert (choice.backend, choice.precision) == ("onnxruntime", "int8")
    assert choice.notes == ("openvino int8: not used, since it computes this model wrong here",)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"backend": "openvino"}', b"\xff"])
def test_a_spoilt_cache_is_measured_anew(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    first, _ = chosen(whole_bundle, cache, TIMES, monkeypatch)
    (kept,) = (tmp_path / "cache/choices").iterdir()
    kept.write_bytes(content)
    again, machine = chosen(whole_bundle, cache, TIMES, monkeypatch)
    assert again == first
    assert machine.opened
    assert read_choice(kept.read_bytes()) == first


def test_a_kept_choice_of_something_else_is_not_followed(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen(whole_bundle, cache, TIMES, monkeypatch)
    (kept,) = (tmp_path / "cache/choices").iterdir()
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"precision": "int8"}))
    choice, _ = chosen(whole_bundle, cache, TIMES, monkeypatch)
    assert choice.precision == "fp32"


def test_a_cache_that_cannot_be_written_is_said_and_stops_nothing(
    whole_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        choice, _ = chosen(whole_bundle, Cache(tmp_path / "file"), TIMES, monkeypatch)
    assert choice.backend == "onnxruntime"
    assert "nothing can be kept in" in caplog.text


def test_a_missing_backend_is_told_with_its_cure(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = replace(whole_bundle, precisions_for_auto=ALL)
    only = {candidate: time for candidate, time in TIMES.items() if candidate[0] == "openvino"}
    choice, _ = chosen(bundle, cache, only, monkeypatch)
    assert choice.notes == ("onnxruntime: it does not load; pip install 'mien[cpu]'",)
    with pytest.raises(BackendError, match=r"expected a runtime for the model, got none: onnxruntime: .*mien\[cpu\]"):
        chosen(bundle, Cache(tmp_path / "other"), {}, monkeypatch)


def test_measuring_stops_when_it_took_long_enough(
    whole_bundle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, machine = chosen(whole_bundle, cache, dict.fromkeys(TIMES, 1.0), monkeypatch)
    assert {session.runs for session in machine.opened.values()} == {auto.WARM_UP + auto.LEAST_ROUNDS}


@pytest.mark.parametrize(
    ("backend", "precision", "reason"),
    [
        ("cuda", None, "backend must be one of auto, onnxruntime, openvino"),
        ("auto", "fp8", r"precision: expected one that model tiny has for generator \(fp32, int8, fp16\)"),
        ("onnxruntime", "bf16", "and onnxruntime computes in, got bf16"),
    ],
)
def test_what_cannot_be_is_refused(
    whole_bundle: Bundle, cache: Cache, backend: str, precision: str | None, reason: str
) -> None:
    with pytest.raises(SettingError, match=reason):
        choose(whole_bundle, "generator", backend, precision, cache=cache)


def test_accelerators_are_used_only_where_they_are_named(whole_bundle: Bundle, cache: Cache) -> None:
    for backend in ("tensorrt", "onnxruntime-cuda", "onnxruntime-tensorrt"):
        assert choose(whole_bundle, "generator", backend, cache=cache) == Choice(backend, "fp16", "asked for")


def test_no_engine_is_built_for_the_portraits_graph(whole_bundle: Bundle, cache: Cache) -> None:
    choice = choose(whole_bundle, "appearance", "tensorrt", cache=cache)
    assert (choice.backend, choice.precision) == ("onnxruntime", "fp32")
    assert open_session(whole_bundle, "appearance", "tensorrt", cache=cache).backend == "onnxruntime"


@pytest.fixture
def _with_user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.usefixtures("_with_user_folders")
def test_auto_opens_what_it_chose_on_this_machine(
    whole_bundle: Bundle, inputs: Arrays, reference: Arrays, tmp_path: Path
) -> None:
    session = open_session(whole_bundle, "generator", threads=2)
    (kept,) = (tmp_path / "mien/choices").iterdir()
    choice = read_choice(kept.read_bytes())
    assert choice is not None
    assert (session.backend, session.precision, session.threads) == (choice.backend, "fp32", 2)
    for name, array in inputs.items():
        session.inputs[name][...] = array
    session.run()
    np.testing.assert_allclose(session.outputs["mask"], reference["mask"], rtol=0, atol=1e-5)


@pytest.mark.usefixtures("_with_user_folders")
def test_the_portraits_graph_is_exact_and_not_measured(
    whole_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = choose(whole_bundle, "appearance")
    assert (choice.backend, choice.precision, choice.milliseconds) == ("onnxruntime", "fp32", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    choice = choose(whole_bundle, "appearance")
    assert (choice.backend, choice.precision) == ("openvino", "fp32")
    assert "pip install 'mien[cpu]'" in choice.notes[0]
    assert not (tmp_path / "mien/choices").exists()
