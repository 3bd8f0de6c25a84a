from __future__ import annotations

from threading import Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import Stopped
from mien.manifest import Bundle
from mien.runtime.opening import open_session
from mien.runtime.session import GraphSession
from mien.runtime.sharing import SharedGraphs

pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) is needed to run graphs")
pytest.importorskip("openvino", reason="openvino (extra `cpu`) is needed to run graphs")

Arrays = dict[str, NDArray[Any]]


class Loading:
    """Counts what is loaded."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, *arguments: Any) -> GraphSession:
        self.count += 1
        return open_session(*arguments)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_two_run_at_once_on_weights_that_were_loaded_once(
    whole_bundle: Bundle, inputs: Arrays, reference: Arrays, backend: str
) -> None:
    loading = Loading()
    graphs = SharedGraphs(loading)
    both = [graphs.session(whole_bundle, "generator", backend, "fp32", 1) for _ in range(2)]
    assert loading.count == 1
    for factor, session in enumerate(both):
        for name, array in inputs.items():
            session.inputs[name][...] = array * factor
    runs = [Thread(target=lambda session=session: [session.run() for _ in range(20)]) for session in both]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    for name, array in both[1].outputs.items():
        np.testing.assert_allclose(array, reference[name], rtol=0, atol=1e-5)
    assert any(np.abs(both[0].outputs[name] - reference[name]).max() > 1e-3 for name in reference), "its own inputs"


def test_nothing_is_loaded_once_it_was_stopped(whole_bundle: Bundle) -> None:
    loading = Loading()
    graphs = SharedGraphs(loading)
    graphs.stop()
    with pytest.raises(Stopped):
        graphs.session(whole_bundle, "generator", "onnxruntime", "fp32", 1)
    assert loading.count == 0


def test_a_bundle_is_read_once(whole_bundle: Bundle) -> None:
    graphs, read = SharedGraphs(), list[str]()

    def reading(name: str) -> Bundle:
        read.append(name)
        return whole_bundle

    assert [graphs.bundle("tiny", reading) for _ in range(3)] == [whole_bundle] * 3
    assert read == ["tiny"]


def test_closing_one_leaves_the_other_running(whole_bundle: Bundle, inputs: Arrays, reference: Arrays) -> None:
    graphs = SharedGraphs()
    first, second = (graphs.session(whole_bundle, "generator", "openvino", "fp32", 1) for _ in range(2))
    first.close()
    graphs.close()
    for name, array in inputs.items():
        second.inputs[name][...] = array
    second.run()
    for name, array in second.outputs.items():
        np.testing.assert_allclose(array, reference[name], rtol=0, atol=1e-5)
    second.close()


def test_what_cannot_share_is_loaded_anew(whole_bundle: Bundle) -> None:
    class Lonely:
        def close(self) -> None:
            pass

    made: list[Lonely] = []

    def load(*arguments: Any) -> Any:
        made.append(Lonely())
        return made[-1]

    graphs = SharedGraphs(load)
    given = [graphs.session(whole_bundle, "generator") for _ in range(2)]
    assert [*map(id, given)] == [*map(id, made)]
