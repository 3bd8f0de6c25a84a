"""What an op expects of its arguments; messages name the argument, what was expected and what came."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = np.dtype(np.uint8)
I32 = np.dtype(np.int32)
F32 = np.dtype(np.float32)
PIXELS = (U8, F32)
MOST_ELEMENTS = 2**31 - 1
RIM_POINTS = 9

Axes = tuple[int | None, ...]


def expect(name: str, value: Any, kinds: tuple[np.dtype[Any], ...], shape: Axes, written: bool = False) -> None:
    """Raise unless `value` is a C-contiguous array of one of `kinds` and of `shape`, where None stands for any length.

    TypeError for what is no array or has another element type; ValueError for shape, memory order and writability.
    """
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array {_shape(shape)} {_kinds(kinds)}, got {_named(value)}")
    if value.dtype not in kinds:
        raise TypeError(f"{name}: expected {_kinds(kinds)}, got {value.dtype}")
    if not _fits(value.shape, shape):
        raise ValueError(f"{name}: expected shape {_shape(shape)}, got {value.shape}")
    flags = value.flags
    if not flags.c_contiguous:
        raise ValueError(
            f"{name}: expected a C-contiguous array, got strides {value.strides} (np.ascontiguousarray helps)"
        )
    if written and not flags.writeable:
        raise ValueError(f"{name}: expected a writable array, got a read-only one")
    if value.size > MOST_ELEMENTS:
        raise ValueError(f"{name}: expected at most {MOST_ELEMENTS} elements, got {value.size}")


def _fits(got: tuple[int, ...], wanted: Axes) -> bool:
    """A plain loop: a frame has hundreds of arguments, and with a generator each takes two thirds longer to check."""
    if len(got) != len(wanted):
        return False
    for size, want in zip(got, wanted, strict=True):  # noqa: SIM110
        if want is not None and want != size:
            return False
    return True


def expect_pixels(name: str, value: NDArray[Any]) -> None:
    """Raise ValueError if a picture that is to be sampled has no pixel."""
    if value.size == 0:
        raise ValueError(f"{name}: expected at least one pixel to sample, got shape {value.shape}")


def expect_apart(name: str, value: NDArray[Any], other_name: str, other: NDArray[Any]) -> None:
    """Raise ValueError if two arrays may share memory."""
    if np.may_share_memory(value, other):
        raise ValueError(f"{name}: expected memory apart from {other_name}, got arrays that overlap")


def expect_even(name: str, height: int, width: int) -> None:
    """Raise ValueError unless both sides are even."""
    if height % 2 or width % 2:
        raise ValueError(f"{name}: expected even sides, got {height} rows and {width} columns")


def expect_below(name: str, what: str, values: NDArray[np.int32], limit: int) -> None:
    """Raise ValueError unless all of `values`, which are named `what`, are in 0..limit - 1."""
    if values.size and values.view(np.uint32).max() >= limit:
        worst = values[(values < 0) | (values >= limit)][0]
        raise ValueError(f"{name}: expected {what} below {limit}, got {worst}")


def expect_size(size: tuple[int, ...] | None, axes: int) -> tuple[int, ...]:
    """The lengths of a result that no array was given for; ValueError unless there are `axes` of them."""
    if size is None or len(size) != axes or min(size) < 0:
        raise ValueError(f"size: expected {axes} lengths where no out is given, got {size}")
    return size


def erasing_span(nothing: int, gain: float, limits: tuple[float, float]) -> float:
    """The span between two limits of `ops.erase`; ValueError unless its numbers are in their ranges."""
    expect_range("nothing", nothing, 0, 255)
    expect_range("gain", gain, 0.0, 1e6)
    expect_range("limits", limits[0], -1e6, 1e6)
    expect_range("limits", limits[1], limits[0] + 1e-6, 1e6)
    return limits[1] - limits[0]


def expect_weighing(share: tuple[float, float], still: float, calm: float) -> None:
    """Raise ValueError unless the numbers of `ops.weigh_flow` are in their ranges."""
    for cells in share:
        expect_range("share", cells, 1e-6, 1e6)
    expect_range("still", still, 0.0, 1e6)
    expect_range("calm", calm, 1e-6, 1e6)


def expect_threads(threads: int) -> None:
    """Raise ValueError unless at least one thread is asked for."""
    if threads < 1:
        raise ValueError(f"threads: expected 1 or more, got {threads}")


def expect_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless low <= value <= high (so not for NaN)."""
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low:g}..{high:g}, got {value}")


def choice(name: str, value: str, first: str, second: str) -> bool:
    """Whether `value` is `second` rather than `first`; ValueError if it is neither."""
    if value != first and value != second:
        raise ValueError(f'{name}: expected "{first}" or "{second}", got {value!r}')
    return value == second


def _named(value: Any) -> str:
    """The type of a value, with its library where NumPy has one of the same name."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _shape(shape: Axes) -> str:
    axes = ["any" if length is None else str(length) for length in shape]
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def _kinds(kinds: tuple[np.dtype[Any], ...]) -> str:
    return " or ".join(str(kind) for kind in kinds)
