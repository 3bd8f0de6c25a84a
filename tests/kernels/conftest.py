"""Every test that takes `isa` runs once for each instruction set that this machine has, and on CUDA.

On CUDA it calls the same ops with the same NumPy arrays, which are carried there and back: to a GPU as arrays of CuPy
and of torch, and, where there is nvcc, to the same kernels built for the host, as arrays that look like PyCUDA's.
MIEN_REQUIRE_CUDA=1 and MIEN_REQUIRE_NVCC=1 fail tests that would be skipped for want of a GPU or of nvcc.
"""

from __future__ import annotations

import functools
import importlib
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
    "add_levels", "blend", "draw_eye", "flow_warp", "paste", "rasterize_flow", "rasterize_parts", "spade_modulate",
    "temporal_blend", "to_image", "to_tensor",
)  # fmt: skip
PLACES = ("cuda on host", "cupy", "torch")
ON_HOST = ("matrix", "gain", "bias")
"""Arguments that are NumPy arrays wherever the op runs."""


class Library(Protocol):
    """Takes NumPy arrays to where a library has its own, and back (float types as float32); `kinds` of these it has."""

    @property
    def kinds(self) -> tuple[str, ...]: ...
    def put(self, array: NDArray[Any], kind: str | None = None) -> Any: ...
    def get(self, array: Any) -> NDArray[Any]: ...
    def offset(self, array: NDArray[Any], kind: str | None = None) -> Any: ...


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


def shifted(array: NDArray[Any]) -> NDArray[Any]:
    """The values after one more, in one row."""
    return np.concatenate([array.ravel()[:1], array.ravel()])


def imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"{name} is not installed", "MIEN_REQUIRE_CUDA")


class LentArrays:
    kinds = ("float32", "float16", "bfloat16")

    def put(self, array: NDArray[Any], kind: str | None = None) -> Lent:
        if kind != "bfloat16":
            return Lent(np.array(array, kind, order="C"))
        bits = array.astype(np.float32).view(np.uint32).astype(np.uint64)
        return Lent(((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16))

    def get(self, array: Any) -> NDArray[Any]:
        held: NDArray[Any] = array.array
        if held.dtype == np.uint16:
            return (held.astype(np.uint32) << 16).view(np.float32)
        return held.astype(np.float32) if held.dtype == np.float16 else held

    def offset(self, array: NDArray[Any], kind: str | None = None) -> Lent:
        return Lent(self.put(shifted(array), kind).array[1:].reshape(array.shape))


class CuPy:
    kinds = ("float32", "float16")

    def __init__(self) -> None:
        self.cupy = imported("cupy")

    def put(self, array: NDArray[Any], kind: str | None = None) -> Any:
        return self.cupy.array(array, kind, order="C")

    def get(self, array: Any) -> NDArray[Any]:
        got: NDArray[Any] = self.cupy.asnumpy(array)
        return got.astype(np.float32) if got.dtype == np.float16 else got

    def offset(self, array: NDArray[Any], kind: str | None = None) -> Any:
        return self.put(shifted(array), kind)[1:].reshape(array.shape)


class Torch:
    kinds = ("float32", "float16", "bfloat16")

    def __init__(self) -> None:
        self.torch = imported("torch")
        if not self.torch.cuda.is_available():
            missing("this torch has no CUDA", "MIEN_REQUIRE_CUDA")

    def put(self, array: NDArray[Any], kind: str | None = None) -> Any:
        return self.torch.tensor(array, device="cuda", dtype=None if kind is None else getattr(self.torch, kind))

    def get(self, array: Any) -> NDArray[Any]:
        got: NDArray[Any] = (array.float() if array.is_floating_point() else array).cpu().numpy()
        return got

    def offset(self, array: NDArray[Any], kind: str | None = None) -> Any:
        return self.put(shifted(array), kind)[1:].reshape(array.shape)


def missing(reason: str, variable: str) -> NoReturn:
    """Skip, or fail where the environment says that nothing may be missing."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason}, and {variable}=1")
    pytest.skip(reason)


@functools.cache
def built_on_host() -> types.ModuleType | str:
    """The CUDA kernels compiled for the host, or why there are none."""
    cmake = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if shutil.which("nvcc") is None or cmake is None:
        return "no nvcc or no cmake on PATH"
    build = ROOT / "build" / "on_host"
    configure = [cmake, "-S", str(ROOT), "-B", str(build), "-DMIEN_CUDA=OFF", "-DMIEN_ON_HOST=ON", "-DMIEN_WERROR=ON"]
    jobs = str(len(os.sched_getaffinity(0)))  # without a number make starts all at once, beside tests of real time
    for command in (
        [*configure, f"-DPython_EXECUTABLE={sys.executable}"],
        [cmake, "--build", str(build), "--target", "_cuda_on_host", "--parallel", jobs],
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

    @functools.wraps(op)
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


def opened(place: str, patch: pytest.MonkeyPatch) -> Library:
    """The library of one of PLACES."""
    if place == "cuda on host":
        return lend(patch)
    return on_gpu(CuPy if place == "cupy" else Torch)


@pytest.fixture(scope="module", params=[*_native.available_isas(), *PLACES])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param in _native.available_isas():
        before = _native.selected_isa()
        assert _native.select_isa(request.param)
        yield request.param
        _native.select_isa(before)
        return
    with pytest.MonkeyPatch.context() as patch:
        library = opened(request.param, patch)
        for name in OPS:
            patch.setattr(ops, name, carried(getattr(ops, name), library))
        yield request.param
    device.native.cache_clear()


@pytest.fixture(scope="module", params=PLACES)
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """CUDA arrays, of every library that can be tried."""
    with pytest.MonkeyPatch.context() as patch:
        yield opened(request.param, patch)
    device.native.cache_clear()


@pytest.fixture(scope="module")
def lent() -> Iterator[Library]:
    """CUDA arrays that are NumPy's."""
    with pytest.MonkeyPatch.context() as patch:
        yield opened("cuda on host", patch)
    device.native.cache_clear()
