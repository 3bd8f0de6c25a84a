from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from mien.runtime import opening
from mien.runtime.opening import usable


def _missing(name: str) -> str:
    raise PackageNotFoundError(name)


def test_every_runtime_is_either_here_or_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnxruntime", "openvino", "tensorrt"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(opening, "version_of", _missing)
    found, lacking = usable()
    assert not found
    assert set(lacking) == {"onnxruntime", "onnxruntime-cuda", "onnxruntime-tensorrt", "openvino", "tensorrt", "torch"}
    assert all("pip install 'mien[" in reason for reason in lacking.values())


def test_what_is_installed_here_is_found() -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime (extra `cpu`) is looked for")
    openvino = pytest.importorskip("openvino", reason="openvino (extra `cpu`) is looked for")
    found, _ = usable()
    assert found["onnxruntime"] == onnxruntime.__version__
    assert found["openvino"].split(",")[0] in openvino.__version__
