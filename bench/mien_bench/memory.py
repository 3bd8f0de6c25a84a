"""Memory of this process: how much it holds over a run, and the NumPy arrays that a piece of code allocates.

Allocations, and their bytes, are counted through NumPy's own memory handler (NEP 49).
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.errors import SettingError

_STATM = Path("/proc/self/statm")
_SET_HANDLER: Final = 304
"""Index of PyDataMem_SetHandler in NumPy's C API table."""
_NAME: Final = b"mem_handler"
_LIBC: Final = ctypes.CDLL(None)
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_MALLOC: Final = ctypes.CFUNCTYPE(_POINTER, _POINTER, _SIZE)
_CALLOC: Final = ctypes.CFUNCTYPE(_POINTER, _POINTER, _SIZE, _SIZE)
_REALLOC: Final = ctypes.CFUNCTYPE(_POINTER, _POINTER, _POINTER, _SIZE)
_FREE: Final = ctypes.CFUNCTYPE(None, _POINTER, _POINTER, _SIZE)
_KEPT: Final[list[Any]] = []
_capsule: Final = ctypes.pythonapi.PyCapsule_New
_capsule.restype, _capsule.argtypes = ctypes.py_object, (_POINTER, ctypes.c_char_p, _POINTER)


def resident() -> float:
    """Resident memory in megabytes (10^6); where the system does not report it, the peak."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class MemoryLog:
    """Called once per frame; records `resident` at every `every`-th."""

    def __init__(self, every: int) -> None:
        if every < 1:
            raise SettingError(f"every must be at least 1 frame, got {every}")
        self._every = every
        self._seen = 0
        self.frames: list[int] = []
        self.megabytes: list[float] = []

    def __call__(self) -> bool:
        """Count a frame; whether it was noted."""
        self._seen += 1
        if self._seen % self._every:
            return False
        self.frames.append(self._seen)
        self.megabytes.append(resident())
        return True


def slope(frames: list[int], megabytes: list[float], warm_up: float) -> float | None:
    """Megabytes that 1000 frames add, by a straight line through what follows the first `warm_up` share of the frames.

    None where fewer than three values follow.
    """
    late = [number > warm_up * frames[-1] for number in frames] if frames else []
    x, y = np.array(frames, float)[late], np.array(megabytes)[late]
    return float(np.polyfit(x, y, 1)[0]) * 1000 if len(x) > 2 else None


@dataclass(slots=True)
class Count:
    """Allocations so far."""

    arrays: int = 0
    bytes: int = 0


class _Handler(ctypes.Structure):
    """PyDataMem_Handler."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", _POINTER),
        ("malloc", _MALLOC),
        ("calloc", _CALLOC),
        ("realloc", _REALLOC),
        ("free", _FREE),
    )


@contextmanager
def counted() -> Iterator[Count]:
    """Count the array data that the calling thread allocates. It is slow: do not time code while it counts.

    Arrays that live on are freed by what counted them, which therefore stays for ever.
    """
    count = Count()
    handler = _handler_of(count)
    _KEPT.append((count, handler))
    before = _set_handler(_capsule(ctypes.addressof(handler), _NAME, None))
    try:
        yield count
    finally:
        _set_handler(before)


def _handler_of(count: Count) -> _Handler:
    malloc, calloc, realloc, free = _LIBC.malloc, _LIBC.calloc, _LIBC.realloc, _LIBC.free
    malloc.restype = calloc.restype = realloc.restype = _POINTER
    malloc.argtypes, calloc.argtypes = (_SIZE,), (_SIZE, _SIZE)
    realloc.argtypes, free.argtypes, free.restype = (_POINTER, _SIZE), (_POINTER,), None

    def made(size: int) -> None:
        count.arrays += 1
        count.bytes += size

    def counted_malloc(context: Any, size: int) -> Any:
        made(size)
        return malloc(size)

    def counted_calloc(context: Any, number: int, size: int) -> Any:
        made(number * size)
        return calloc(number, size)

    def counted_realloc(context: Any, address: Any, size: int) -> Any:
        made(size)
        return realloc(address, size)

    return _Handler(
        b"mien_bench",
        1,
        None,
        _MALLOC(counted_malloc),
        _CALLOC(counted_calloc),
        _REALLOC(counted_realloc),
        _FREE(lambda context, address, size: free(address)),
    )


def _set_handler(handler: Any) -> Any:
    """Install a handler for this thread; returns the previous one."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = _POINTER, (ctypes.py_object, ctypes.c_char_p)
    table = ctypes.cast(pointer(np.core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(_POINTER))
    function = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER] or 0)
    return function(handler)
