"""Arrays that are not NumPy's: looked at without a copy, checked, and the stream that their owner works on.

CUDA arrays come through `__cuda_array_interface__` (CuPy, PyCUDA, Numba) or DLPack (torch, and any other). Importing
this touches no CUDA: the compiled module is loaded by the first call that needs it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, TypeVar, cast

import numpy as np

from mien_kernels.checks import MOST_ELEMENTS, Axes, expect_size

Result = TypeVar("Result")

FLOATS = ("float32", "float16", "bfloat16")
F32S = ("float32",)
I32 = ("int32",)
SIZES = {"uint8": 1, "int32": 4, "float32": 4, "float16": 2, "bfloat16": 2}
TYPES = {"|u1": "uint8", "<i4": "int32", "<f4": "float32", "<f2": "float16", "<V2": "bfloat16"}
"""Of `__cuda_array_interface__`; it has no bfloat16, which torch and others write as two bytes of anything."""

CUDA_DEVICES = (2, 13)
"""DLPack's numbers for CUDA memory, plain and managed."""
NO_WAITING = -1
"""DLPack: the array is used on the stream of its owner, which needs to order nothing."""


class DeviceError(RuntimeError):
    """CUDA kernels cannot run here; the message says why, and what the likely causes are."""


@dataclass(frozen=True, slots=True)
class View:
    """An array in the memory of a device."""

    address: int
    shape: tuple[int, ...]
    kind: str
    device: int
    """Ordinal; -1 where the array does not say."""
    contiguous: bool
    writable: bool

    @property
    def bytes(self) -> int:
        """How much memory it covers."""
        return prod(self.shape) * SIZES.get(self.kind, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an op runs: the device of its first array, and a stream there."""

    name: str
    first: Any
    device: int
    stream: int

    def array(self, name: str, value: Any, kinds: tuple[str, ...], shape: Axes, written: bool = False) -> View:
        """What `value` is; raises as checks.expect does, and ValueError if it lies elsewhere."""
        if not on_cuda(value):
            raise ValueError(f"{name}: expected a CUDA array as {self.name} is, got {_described(value)}")
        view = look_at(value)
        _expect(name, view, kinds, shape, written)
        if min(view.device, self.device) >= 0 and view.device != self.device:
            raise ValueError(f"{name}: expected CUDA device {self.device} as for {self.name}, got {view.device}")
        return view

    def result(self, name: str, out: Any, kind: str, shape: Axes, made: tuple[int, ...]) -> tuple[Any, View]:
        """`out`, or a new array of the shape `made` from the library that the first array is of."""
        array = empty_like(name, self.first, made, kind) if out is None else out
        return array, self.array(name, array, (kind,), shape, written=True)


@cache
def native() -> Any:
    """The compiled module, loaded once; DeviceError where there is none or no device to run on."""
    try:
        module = importlib.import_module("mien_kernels._cuda")
    except ImportError as error:
        raise DeviceError(
            f"CUDA kernels: this build has none ({error}). Likely: 1. nvcc was not found when it was built; "
            "2. it was built with MIEN_CUDA=OFF. Install from source where nvcc is on PATH, with MIEN_CUDA=ON"
        ) from error
    try:
        count = module.device_count()
    except RuntimeError as error:
        raise DeviceError(
            f"CUDA kernels: no device answers ({error}). Likely: 1. no NVIDIA driver is installed; 2. the driver is "
            "older than CUDA 13 asks for (580); 3. the container was started without its GPUs"
        ) from error
    if count == 0:
        raise DeviceError("CUDA kernels: no device is visible. Likely: CUDA_VISIBLE_DEVICES hides all of them")
    return module


def is_elsewhere(value: Any) -> bool:
    """Whether `value` is an array, but not NumPy's."""
    if isinstance(value, np.ndarray):
        return False
    return hasattr(value, "__dlpack__") or hasattr(value, "__cuda_array_interface__")


def on_cuda(value: Any) -> bool:
    """Whether `value` is an array in CUDA memory."""
    if isinstance(value, np.ndarray):
        return False
    if hasattr(value, "__cuda_array_interface__"):
        return True
    return hasattr(value, "__dlpack_device__") and value.__dlpack_device__()[0] in CUDA_DEVICES


def run(
    op: Callable[..., Result],
    stream: int | None,
    threads: int,
    *args: Any,
    **options: Any,
) -> Result:
    """Run an op on arrays that are not NumPy's: on CUDA, or on NumPy arrays over the same host memory."""
    if on_cuda(args[0]):
        on_device = getattr(importlib.import_module("mien_kernels.cuda"), op.__name__)
        return cast(Result, on_device(*args, **options, stream=stream))
    seen = [_as_numpy(value) for value in args]
    result: Any = op(*seen, **options, threads=threads)
    if isinstance(result, tuple):
        return cast(Result, tuple(_returned(part, args, seen) for part in result))
    return cast(Result, _returned(result, args, seen))


def place_of(name: str, value: Any, stream: int | None) -> Place:
    """Where an op with `value` as its first array runs; `stream`: a cudaStream_t, or None for its owner's."""
    device = look_at(value).device
    return Place(name, value, device, current_stream(value, device) if stream is None else stream)


def current_stream(value: Any, device: int) -> int:
    """The cudaStream_t that the library of `value` works on now; 0, the default one, if it has no such notion."""
    owner = _owner(value)
    if owner == "torch":
        return int(sys.modules["torch"].cuda.current_stream(None if device < 0 else device).cuda_stream)
    if owner == "cupy":
        return int(sys.modules["cupy"].cuda.get_current_stream().ptr)
    interface = getattr(value, "__cuda_array_interface__", None)
    return int((interface or {}).get("stream") or 0)


def empty_like(name: str, value: Any, shape: tuple[int, ...], kind: str) -> Any:
    """A new array from the library that `value` is of; ValueError if that is not known."""
    owner = _owner(value)
    if owner == "torch":
        return value.new_empty(shape, dtype=getattr(sys.modules["torch"], kind), requires_grad=False)
    if owner in ("cupy", "pycuda") and kind != "bfloat16":
        library = sys.modules["cupy" if owner == "cupy" else "pycuda.gpuarray"]
        return library.empty(shape, np.dtype(kind))
    raise ValueError(
        f"{name}: expected an array for the result, got None: {_described(value)} tells no way to make one"
    )


def made_size(size: tuple[int, ...] | None, out: Any, axes: int) -> tuple[int, ...]:
    """The lengths of a result, of which only the number matters where there is an `out`."""
    return (0,) * axes if out is not None else expect_size(size, axes)


def look_at(value: Any) -> View:
    """What a CUDA array is, without a copy and without waiting."""
    if _owner(value) != "torch" and hasattr(value, "__cuda_array_interface__"):
        return _from_interface(value)
    detached = value.detach() if getattr(value, "requires_grad", False) else value
    address, shape, strides, kind, device = native().looked_at(detached.__dlpack__(stream=NO_WAITING))
    return View(address, shape, kind, device, _in_order(shape, strides), True)


def expect_apart(name: str, view: View, other_name: str, other: View) -> None:
    """Raise ValueError if two arrays share memory."""
    if view.address < other.address + other.bytes and other.address < view.address + view.bytes:
        raise ValueError(f"{name}: expected memory apart from {other_name}, got arrays that overlap")


def _from_interface(value: Any) -> View:
    interface = value.__cuda_array_interface__
    address, read_only = interface["data"]
    shape = tuple(interface["shape"])
    kind = TYPES.get(interface["typestr"], interface["typestr"])
    strides = interface.get("strides")
    steps = None if strides is None else tuple(stride // SIZES.get(kind, 1) for stride in strides)
    device = getattr(getattr(value, "device", None), "id", -1)
    return View(address or 0, shape, kind, device, steps is None or _in_order(shape, steps), not read_only)


def _in_order(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether elements lie one after the other, the last axis fastest."""
    step = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length != 1 and stride != step:
            return 0 in shape
        step *= length
    return True


def _expect(name: str, view: View, kinds: tuple[str, ...], shape: Axes, written: bool) -> None:
    wanted = f"({', '.join('any' if length is None else str(length) for length in shape)}{',' * (len(shape) == 1)})"
    if view.kind not in kinds:
        raise TypeError(f"{name}: expected {' or '.join(kinds)}, got {view.kind}")
    fits = len(view.shape) == len(shape) and all(
        want is None or want == got for want, got in zip(shape, view.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name}: expected shape {wanted}, got {view.shape}")
    if not view.contiguous:
        raise ValueError(f"{name}: expected a C-contiguous array, got one with gaps or in another order")
    if written and not view.writable:
        raise ValueError(f"{name}: expected a writable array, got a read-only one")
    if prod(view.shape) > MOST_ELEMENTS:
        raise ValueError(f"{name}: expected at most {MOST_ELEMENTS} elements, got {prod(view.shape)}")


def _owner(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _described(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _as_numpy(value: Any) -> Any:
    """Host arrays of other libraries as NumPy's over the same memory; anything else as it is."""
    if not is_elsewhere(value) or on_cuda(value):
        return value
    if _owner(value) == "torch":
        return value.detach().numpy()
    return np.from_dlpack(value)


def _returned(result: Any, args: tuple[Any, ...], seen: list[Any]) -> Any:
    """The caller's own array where the result is in it, else one of the library of the first array."""
    for value, array in zip(args, seen, strict=True):
        if array is result:
            return value
    return sys.modules["torch"].from_numpy(result) if _owner(args[0]) == "torch" else result
