"""Opens the painter that the settings select: finds the bundle and opens its sessions on the backend."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final, Protocol

from mien.bundles import find
from mien.config import WARP, ReenactSettings
from mien.errors import ModelError
from mien.manifest import Bundle, read_bundle
from mien.paint.painter import OpenSession, Painter
from mien.runtime.auto import Choice
from mien.runtime.opening import choose, open_session
from mien.runtime.session import GraphSession
from mien.runtime.sharing import SharedGraphs

TRAINED: Final = {
    "landmark-unet": "landmark-unet",
    "oneshot-live": "oneshot-live-m",
    "oneshot-paper": "oneshot-paper",
    "spade-video": "spade-video",
}
"""Models that can be trained if they are not installed, with their training configuration."""


class LoadSession(Protocol):
    """Loads a graph, as `mien.runtime.opening.open_session` does."""

    def __call__(
        self, bundle: Bundle, graph: str, backend: str, precision: str | None, threads: int, /
    ) -> GraphSession: ...


@contextlib.contextmanager
def open_painter(
    settings: ReenactSettings, threads: int, graphs: SharedGraphs | None = None
) -> Iterator[tuple[Painter | None, str]]:
    """The painter of `settings.model`, and a description of what runs it; closed on leaving; None for `warp`.

    Args:
        graphs: whose weights it takes; None: it loads its own.

    Raises:
        ModelError: the bundle is missing or broken.
        BackendError: the backend is not installed.
        Stopped: the program ends meanwhile.
    """
    if settings.model == WARP:
        yield None, WARP
        return
    bundle = _bundle(settings.model) if graphs is None else graphs.bundle(settings.model, _bundle)
    if graphs is None:
        choice = choose(bundle, bundle.main, settings.backend, threads=threads)
    else:
        choice = choose(bundle, bundle.main, settings.backend, threads=threads, need_wanted=graphs.need_wanted)
    load: LoadSession = open_session if graphs is None else graphs.session
    painter = Painter(bundle, _opening(bundle, choice, settings, threads, load), threads, choice.notes)
    try:
        yield painter, f"{bundle.name} {bundle.size} on {choice}"
    finally:
        painter.close()


def _opening(bundle: Bundle, choice: Choice, settings: ReenactSettings, threads: int, load: LoadSession) -> OpenSession:
    def opened(graph: str) -> GraphSession:
        if graph == bundle.main:
            return load(bundle, graph, choice.backend, choice.precision, threads)
        backend = choice.backend if bundle.runs(graph) == "frame" else settings.backend
        return load(bundle, graph, backend, None, threads)

    return opened


def _bundle(name: str) -> Bundle:
    try:
        return read_bundle(find(name))
    except ModelError as error:
        if name in TRAINED:
            made = f"mien export train --config {TRAINED[name]} --data DIR --out DIR"
            raise ModelError(f"{error}; {made} trains it") from error
        raise
