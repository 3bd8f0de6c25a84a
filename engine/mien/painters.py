"""From settings to a painter: the model's bundle found, its sessions opened on the backend that was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mien.config import WARP, ReenactSettings
from mien.reenact.painter import Painter
from mien.runtime.session import Session


@contextlib.contextmanager
def open_painter(settings: ReenactSettings, threads: int) -> Iterator[Painter | None]:
    """The painter of `settings.model`, closed on leaving; None for `warp`.

    Raises:
        BackendError: the bundle is missing or broken, or the backend is not installed.
    """
    if settings.model == WARP:
        yield None
        return
    from mien.bundles import find_bundle
    from mien.runtime.opening import open_session

    bundle = find_bundle(settings.model)

    def opened(graph: str) -> Session:
        # The appearance graph runs once: choosing a backend for it would cost more than it gains.
        backend = settings.backend if graph == "generator" else "onnxruntime"
        return open_session(bundle, graph, backend=backend, threads=threads)

    painter = Painter(bundle, opened, threads)
    try:
        yield painter
    finally:
        painter.close()
