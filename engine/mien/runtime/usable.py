"""Which runtimes load here: for the doctor, and never on the way of a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mien.errors import BackendError
from mien.runtime import onnxruntime, openvino


def _onnxruntime(backend: str) -> Callable[[], str]:
    return lambda: onnxruntime.version(backend)


def _openvino() -> str:
    return f"{openvino.version()}, {'bf16' if openvino.has_bf16() else 'no bf16'}"


def _tensorrt() -> str:
    try:
        from mien.runtime.tensorrt import build, run
    except ImportError as error:
        raise BackendError(f"tensorrt: it does not load ({error}); pip install 'mien[gpu]'") from error
    return f"{build.VERSION} on {run.this_device().name}"


_LOOKS: Final[Mapping[str, Callable[[], str]]] = {
    **{backend: _onnxruntime(backend) for backend in onnxruntime.PROVIDERS},
    "openvino": _openvino,
    "tensorrt": _tensorrt,
}


def usable() -> tuple[dict[str, str], dict[str, str]]:
    """Runtimes that load, each with its own word on itself; and those that do not, each with cause and cure."""
    found, lacking = {}, {}
    for backend, look in _LOOKS.items():
        try:
            found[backend] = look()
        except BackendError as error:
            lacking[backend] = str(error)
    return found, lacking
