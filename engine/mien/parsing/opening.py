"""Opens the segmenter: finds its bundle, chooses a runtime."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from mien.bundles import find
from mien.errors import ModelError
from mien.manifest import read_bundle
from mien.parsing.segmenter import Segmenter
from mien.runtime.opening import choose, open_session

MODEL: Final = "parsing"
GRAPH: Final = "segmenter"


@contextlib.contextmanager
def open_segmenter(threads: int, model: str = MODEL) -> Iterator[tuple[Segmenter, str]]:
    """A segmenter, the packaged one or that of another bundle, and words that say what runs it; closed on leaving.

    Raises:
        ModelError: the bundle is missing or broken.
        BackendError: no runtime is installed.
    """
    bundle = read_bundle(find(model))
    if bundle.family != MODEL:
        raise ModelError(f"model {model}: expected one of the family {MODEL}, got {bundle.family}")
    choice = choose(bundle, GRAPH, threads=threads)
    session = open_session(bundle, GRAPH, choice.backend, choice.precision, threads)
    segmenter = Segmenter(session, threads)
    try:
        yield segmenter, f"{bundle.name} {bundle.size} on {choice}"
    finally:
        segmenter.close()
