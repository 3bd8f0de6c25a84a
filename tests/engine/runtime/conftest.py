"""Inputs within range for the tiny bundle, and what ONNX Runtime in fp32 makes of them: the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.manifest import Bundle

Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def inputs(whole_bundle: Bundle) -> Arrays:
    rng = np.random.default_rng(0)
    return {
        tensor.name: rng.uniform(*(tensor.range or (-1.0, 1.0)), tensor.sized(1)).astype(tensor.dtype)
        for tensor in whole_bundle.graph("generator").inputs
    }


@pytest.fixture(scope="session")
def reference(whole_bundle: Bundle, inputs: Arrays) -> Arrays:
    pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) is the reference")
    from mien.runtime.onnxruntime import OnnxRuntimeSession

    session = OnnxRuntimeSession(whole_bundle.graph("generator"))
    for name, array in inputs.items():
        session.inputs[name][...] = array
    session.run()
    return {name: array.copy() for name, array in session.outputs.items()}
