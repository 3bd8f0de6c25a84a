"""Every test that takes `isa` runs once for each instruction set that this machine has, and on CUDA.

On CUDA it calls the same ops with the same NumPy arrays, which are carried there and back: to a GPU as arrays of CuPy
and of torch, and, where there is nvcc, to the same kernels built for the host, as arrays that look like PyCUDA's.
MIEN_REQUIRE_CUDA=1 and MIEN_REQUIRE_NVCC=1 fail tests that would be skipped for want of a GPU or of nvcc.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from mien_kernels import _native, device, ops

ROOT = Path(__file__).parents[2]
OPS = (
    "blend", "flow_warp", "paste", "rasterize_flow", "rasterize_parts", "spade_modulate", "temporal_blend", "to_image",
    "to_tensor",
)  # fmt: skip
ON_HOST = ("matrix", "gain", "bias")
"""Arguments that are NumPy arrays wherever the op runs."""


class Library(Protocol):
    """Takes NumPy arrays to where a library has its own, and back."""

    def put(self, array: NDArray[Any]) -> Any: ...
    def get(self, array: Any) -> NDArray[Any]: ...


class Lent:
    """A NumPy array that passes for one on CUDA; bfloat16 stands in it as uint16."""

    __module__ = "pycuda.gpuarray"

    def __init__(self, array: NDArray[Any], writable: bool = True) -> None:
        self.array = array
        self.writable = writable

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        kind = "<V2" if self.array.dtype == np.uint16 else self.array.dtype.str
        return {
            "shape": self.array.shape,
            "typestr": kind,
            "data": (self.array.ctypes.data, not self.writable),
            "strides": None if self.array.flags.c_contiguous else self.array.strides,
            "version": 3,
        }


class LentArrays:
    def put(self, array: NDArray[Any]) -> Lent:
        return Lent(array.copy())

    def get(self, array: Any) -> NDArray[Any]:
        held: NDArray[Any] = array.array
        return held


class CuPy:
    def __init__(self) -> None:
        self.cupy = pytest.importorskip("cupy")

    def put(self, array: NDArray[Any]) -> Any:
        return self.cupy.asarray(array)

    def get(self, array: Any) -> NDArray[Any]:
        got: NDArray[Any] = self.cupy.asnumpy(array)
        return got


class Torch:
    def __init__(self) -> None:
        self.torch = pytest.importorskip("torch")

    def put(self, array: NDArray[Any]) -> Any:
        return self.torch.tensor(array, device="cuda")

    def get(self, array: Any) -> NDArray[Any]:
        got: NDArray[Any] = array.cpu().numpy()
        return got


def missing(reason: str, variable: str) -> NoReturn:
    """Skip, or fail where the environment says that nothing may be missing."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason}, and {variable}=1")
    pytest.skip(reason)


@functools.cache
def built_on_host() -> types.ModuleType | str:
    """The CUDA kernels compiled for the host, or why there are none."""
    if shutil.which("nvcc") is None or shutil.which("cmake") is None:
        return "no nvcc or no cmake on PATH"
    build = ROOT / "build" / "on_host"
    configure = ["cmake", "-S", str(ROOT), "-B", str(build), "-DMIEN_CUDA=OFF", "-DMIEN_ON_HOST=ON", "-DMIEN_WERROR=ON"]
    for command in (
        [*configure, f"-DPython_EXECUTABLE={sys.executable}"],
        ["cmake", "--build", str(build), "--target", "_cuda_on_host", "--parallel"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (build / "kernels" / "cuda" / "on_host").glob("_cuda_on_host*.so")
    spec = importlib.util.spec_from_file_location("_cuda_on_host", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lend(patch: pytest.MonkeyPatch) -> Library:
    """Put the kernels on the host in the place of those on CUDA."""
    module = built_on_host()
    if isinstance(module, str):
        missing(module, "MIEN_REQUIRE_NVCC")
    patch.setitem(sys.modules, "mien_kernels._cuda", module)
    arrays = types.SimpleNamespace(empty=lambda shape, kind: Lent(np.empty(shape, kind)))
    patch.setitem(sys.modules, "pycuda.gpuarray", arrays)
    device.native.cache_clear()
    return LentArrays()


def on_gpu(library: Callable[[], Library]) -> Library:
    device.native.cache_clear()
    try:
        device.native()
    except device.DeviceError as error:
        missing(str(error), "MIEN_REQUIRE_CUDA")
    return library()


def carried(op: Callable[..., Any], library: Library) -> Callable[..., Any]:
    """`op` on NumPy arrays that are carried to `library` before and back after."""

    def call(*args: Any, **options: Any) -> Any:
        given = inspect.signature(op).bind(*args, **options).arguments
        moved: dict[int, Any] = {}
        for name, value in given.items():
            if isinstance(value, np.ndarray) and name not in ON_HOST:
                moved[id(value)] = moved.get(id(value), library.put(value))
        result = op(**{name: moved.get(id(value), value) for name, value in given.items()})
        for value in given.values():
            if id(value) in moved and value.flags.writeable:
                value[...] = library.get(moved[id(value)])
        own = {id(array): value for value in given.values() if (array := moved.get(id(value))) is not None}
        if isinstance(result, tuple):
            return tuple(own[id(part)] if id(part) in own else library.get(part) for part in result)
        return own[id(result)] if id(result) in own else library.get(result)

    return call


@pytest.fixture(scope="module", params=[*_native.available_isas(), "cuda on host", "cupy", "torch"])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param in _native.available_isas():
        before = _native.selected_isa()
        assert _native.select_isa(request.param)
        yield request.param
        _native.select_isa(before)
        return
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "cuda on host":
            library = lend(patch)
        else:
            library = on_gpu(CuPy if request.param == "cupy" else Torch)
        for name in OPS:
            patch.setattr(ops, name, carried(getattr(ops, name), library))
        yield request.param
    device.native.cache_clear()
