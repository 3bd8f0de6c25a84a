"""The CUDA kernels compiled for the host, and NumPy arrays that pass for arrays on a GPU."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]


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
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def __getitem__(self, index: Any) -> Lent:
        return Lent(self.array[index])

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
