"""Leaving a native library's notes out of what C code writes to `stderr`."""

from __future__ import annotations

from collections.abc import Sequence

from mien_kernels import _native


def filter_stderr(texts: Sequence[str]) -> bool:
    """From now on leave out lines that native code writes to C's `stderr` and that hold one of `texts`.

    Descriptor 2 and Python's `sys.stderr` are not touched, and nothing else is lost. It holds for the whole process and
    is done once: a later call changes nothing.

    Returns:
        Whether this call did it; never where the C library is not glibc.
    """
    return _native.filter_stderr(list(texts))
