"""Opens a styler: finds its bundle, chooses a runtime."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Final

from mien.bundles import find
from mien.errors import ModelError
from mien.manifest import Bundle, read_bundle
from mien.runtime.opening import choose, open_session
from mien.runtime.sharing import SharedGraphs
from mien.style.styler import PATCH, WHOLE, Styler

MODEL: Final = "style"


@contextlib.contextmanager
def open_styler(threads: int, model: str = MODEL, graphs: SharedGraphs | None = None) -> Iterator[Styler]:
    """The packaged styler or that of another bundle; closed on leaving.

    Args:
        graphs: whose weights it takes; None: it loads its own.

    Raises:
        ModelError: the bundle is missing or broken.
        BackendError: no runtime is installed.
    """
    bundle = style_bundle(model) if graphs is None else graphs.bundle(model, style_bundle)
    choice = choose(bundle, PATCH, threads=threads)
    load = open_session if graphs is None else graphs.session
    whole = load(bundle, WHOLE, "auto", None, threads)
    patch = load(bundle, PATCH, choice.backend, choice.precision, threads)
    styler = Styler(bundle, whole, patch, threads, f"{bundle.name} {bundle.size} on {choice}")
    try:
        yield styler
    finally:
        styler.close()


def style_bundle(model: str = MODEL) -> Bundle:
    """A bundle of styles; its `attributes` name them.

    Raises:
        ModelError: it is missing or broken.
    """
    bundle = read_bundle(find(model))
    if bundle.family != MODEL:
        raise ModelError(f"model {model}: expected one of the family {MODEL}, got {bundle.family}")
    return bundle


@cache
def style_names(model: str = MODEL) -> tuple[str, ...]:
    """Of the packaged styles, or of another bundle; none where it is missing."""
    try:
        return style_bundle(model).attributes
    except ModelError:
        return ()
