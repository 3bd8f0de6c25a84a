"""Arrays of other libraries: what is refused in which words, whose stream is used, and what is said without CUDA."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mien_kernels import cuda, device, ops
from mien_kernels.eye import EyeGeometry

PICTURE = np.zeros((4, 6, 3), np.uint8)
FLOW = np.zeros((4, 6, 2), np.float32)
EYE = np.eye(2, 3, dtype=np.float32)
Refusal = tuple[type[Exception], str, Callable[[Any], Any]]


def array(library: Any, *shape: int, kind: Any = np.uint8) -> Any:
    return library.put(np.zeros(shape, kind))


def gapped(library: Any) -> Any:
    lent = library.put(PICTURE)
    lent.array = lent.array[:, ::2]
    return lent


def read_only(library: Any) -> Any:
    lent = library.put(PICTURE)
    lent.writable = False
    return lent


def over_itself(library: Any) -> Any:
    same = library.put(PICTURE)
    return ops.flow_warp(same, library.put(FLOW), same)


def sharing(library: Any, whole: Any, *shape: int) -> Any:
    """An array whose memory is the beginning of that of `whole`."""
    part = library.put(np.zeros(shape, np.float32))
    part.array = whole.array.reshape(-1)[: part.array.size].reshape(shape)
    return part


def halved_in_place(library: Any) -> Any:
    flow = array(library, 2, 6, 2, kind=np.float32)
    return ops.halve_flow(flow, sharing(library, flow, 1, 3, 2))


def spread_over(library: Any, part: str) -> Any:
    out = array(library, 4, 6, 2, kind=np.float32)
    rows = sharing(library, out, 4, 2) if part == "rows" else array(library, 4, 2, kind=np.float32)
    columns = sharing(library, out, 6) if part == "columns" else array(library, 6, kind=np.float32)
    return ops.spread_flow(rows, columns, out)


REFUSALS: list[Refusal] = [
    (ValueError, "over: expected a CUDA array as base is, got numpy.ndarray",
     lambda lib: ops.blend(lib.put(PICTURE), PICTURE, FLOW[..., 0])),
    (TypeError, "over: expected a NumPy array (4, 6, 3) uint8, got pycuda.gpuarray.Lent",
     lambda lib: ops.blend(PICTURE, lib.put(PICTURE), FLOW[..., 0])),
    (ValueError, "out: expected a CUDA array as source is, got numpy.ndarray",
     lambda lib: ops.flow_warp(lib.put(PICTURE), lib.put(FLOW), PICTURE)),
    (TypeError, "flow: expected float32, got uint8", lambda lib: ops.flow_warp(lib.put(PICTURE), lib.put(PICTURE))),
    (TypeError, "x: expected float32 or float16 or bfloat16, got <f8",
     lambda lib: ops.spade_modulate(*[array(lib, 1, 1, 2, 2, kind=np.float64)] * 3)),
    (ValueError, "flow: expected shape (any, any, 2), got (4, 6, 3)",
     lambda lib: ops.flow_warp(lib.put(PICTURE), array(lib, 4, 6, 3, kind=np.float32))),
    (ValueError, "levels: expected shape (4, 6), got (6, 4)",
     lambda lib: ops.add_levels(lib.put(PICTURE), array(lib, 6, 4))),
    (ValueError, "mask: expected shape (4, 6), got (6, 4)",
     lambda lib: ops.blend(lib.put(PICTURE), lib.put(PICTURE), array(lib, 6, 4))),
    (ValueError, "source: expected a C-contiguous array", lambda lib: ops.flow_warp(gapped(lib), lib.put(FLOW))),
    (ValueError, "picture: expected even sides, got 3 rows and 6 columns",
     lambda lib: ops.erase(array(lib, 3, 6, 3), array(lib, 3, 6, kind=np.float32),
                           array(lib, 3, 6, 2, kind=np.float32))),
    (ValueError, "flow: expected even sides, got 3 rows and 6 columns",
     lambda lib: ops.halve_flow(array(lib, 3, 6, 2, kind=np.float32))),
    (ValueError, "depth: expected shape (4, 6), got (6, 4)",
     lambda lib: ops.weigh_flow(lib.put(FLOW), array(lib, 6, 4, kind=np.float32), (1.0, 1.0))),
    (ValueError, "frame: expected a writable array", lambda lib: ops.paste(read_only(lib), lib.put(PICTURE), EYE)),
    (ValueError, "out: expected memory apart from source", over_itself),
    (ValueError, "out: expected memory apart from flow", halved_in_place),
    (ValueError, "out: expected memory apart from rows", lambda lib: spread_over(lib, "rows")),
    (ValueError, "out: expected memory apart from columns", lambda lib: spread_over(lib, "columns")),
    (ValueError, "source: expected at least one pixel",
     lambda lib: ops.flow_warp(array(lib, 0, 6, 3), lib.put(FLOW))),
    (ValueError, "size: expected 2 lengths where no out is given, got None",
     lambda lib: ops.to_tensor(lib.put(PICTURE), EYE)),
    (ValueError, "current channels: expected 3..4, got 1",
     lambda lib: ops.temporal_blend(array(lib, 4, 6, 1), array(lib, 4, 6, 1), lib.put(FLOW))),
    (ValueError, "corner: expected a box of 2x2 within 6x4, got (5, 0)",
     lambda lib: ops.draw_eye(lib.put(PICTURE), lib.put(PICTURE), array(lib, 2, 2, kind=np.float32),
                              EyeGeometry((5, 0), EYE, EYE, np.zeros((2, 2), np.float32),
                                          np.zeros((4, 9, 2), np.float32), 0.2))),
    (TypeError, "matrix: expected float32, got float64",
     lambda lib: ops.paste(lib.put(PICTURE), lib.put(PICTURE), np.eye(2, 3))),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "call"), REFUSALS, ids=[message for _, message, _ in REFUSALS])
def test_refusals_on_cuda(lent: Any, kind: type[Exception], message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(kind) as caught:
        call(lent)
    assert str(caught.value).startswith(message)


def test_empty_pictures_give_empty_results(lent: Any) -> None:
    empty, flow = array(lent, 0, 5, 3), array(lent, 0, 5, 2, kind=np.float32)
    assert ops.flow_warp(lent.put(PICTURE), flow).shape == (0, 5, 3)
    assert ops.blend(empty, empty, array(lent, 0, 5)).shape == (0, 5, 3)
    assert ops.paste(empty, lent.put(PICTURE), EYE) is empty
    assert ops.to_image(array(lent, 3, 0, 5, kind=np.float32)).shape == (0, 5, 3)


class Called:
    """Stands for the compiled module and remembers the streams and devices of calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def device_count(self) -> int:
        return 1

    def to_image(self, *arguments: Any) -> None:
        self.calls.append(arguments[-2:])


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[Called]:
    module = Called()
    monkeypatch.setitem(sys.modules, "mien_kernels._cuda", module)
    device.native.cache_clear()
    yield module
    device.native.cache_clear()


def array_of(library: str, kind: str, stream: int | None = None, ordinal: int = 3) -> Any:
    """An array of no memory on a device that is not there."""
    interface = {"shape": (3, 4, 6), "typestr": kind, "data": (4096, False), "version": 3, "stream": stream}
    picture = interface | {"shape": (4, 6, 3), "typestr": "|u1"}
    owner = type("Array", (), {"__module__": f"{library}.core", "device": types.SimpleNamespace(id=ordinal)})
    tensor, image = owner(), owner()
    tensor.__cuda_array_interface__, image.__cuda_array_interface__ = interface, picture
    return tensor, image


def test_the_stream_is_the_callers(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    current = types.SimpleNamespace(get_current_stream=lambda: types.SimpleNamespace(ptr=71))
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(cuda=current))
    ops.to_image(*array_of("cupy", "<f2"))
    ops.to_image(*array_of("cupy", "<f2"), stream=5)
    ops.to_image(*array_of("another", "<f4", stream=2))
    ops.to_image(*array_of("another", "<f4"))
    assert called.calls == [(3, 71), (3, 5), (3, 2), (3, 0)]


def test_dlpack_tells_what_an_array_is(lent: Any) -> None:
    gaps = np.zeros((2, 6, 4), np.float16)[:, ::2]
    address, shape, strides, kind, _ = device.native().looked_at(gaps.__dlpack__())
    assert (address, shape, strides, kind) == (gaps.ctypes.data, (2, 3, 4), (24, 8, 1), "float16")


def test_two_devices_are_refused(called: Called) -> None:
    tensor, _ = array_of("another", "<f4", ordinal=0)
    _, image = array_of("another", "<f4", ordinal=1)
    with pytest.raises(ValueError, match="out: expected CUDA device 0 as for tensor, got 1"):
        cuda.to_image(tensor, image)


class Foreign:
    """An array of another library on the host."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def test_host_arrays_of_other_libraries() -> None:
    base = np.full((4, 6, 3), 100, np.uint8)
    given: list[Any] = [Foreign(base), Foreign(base + np.uint8(50)), Foreign(FLOW[..., 0] + np.float32(0.5))]
    got = ops.blend(*given)
    assert (np.asarray(got) == 125).all()


def test_torch_tensors_on_the_host() -> None:
    torch = pytest.importorskip("torch")
    base, over = torch.full((4, 6, 3), 100.0), torch.full((4, 6, 3), 150.0, requires_grad=True)
    mask = torch.full((4, 6), 0.5)
    assert (ops.blend(base, over, mask) == 125).all()
    assert ops.blend(base, over, mask, base) is base
    assert (base == 125).all()


def test_without_the_module_the_causes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mien_kernels._cuda", None)
    device.native.cache_clear()
    with pytest.raises(device.DeviceError, match=r"this build has none .* Likely: 1\. .* 2\. "):
        ops.to_image(*array_of("another", "<f4"))


def test_without_a_driver_the_module_loads_and_the_causes_are_named() -> None:
    code = "from mien_kernels import device\ntry: device.native()\nexcept device.DeviceError as error: print(error)"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    if "this build has none" in done.stdout:
        pytest.skip("this build has no CUDA kernels")
    assert "CUDA kernels: no device" in done.stdout
    assert "Likely: " in done.stdout


def test_importing_touches_no_cuda() -> None:
    code = (
        "import sys, mien_kernels.ops, mien_kernels.cuda, mien_kernels.device\n"
        "print('mien_kernels._cuda' in sys.modules, 'libcuda' in open('/proc/self/maps').read())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
