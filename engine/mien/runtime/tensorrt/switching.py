"""A session that starts on another runtime and switches to TensorRT once its engine is built."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mien.errors import MienError
from mien.runtime.session import Buffers, GraphSession
from mien.runtime.tensorrt.engines import BackgroundBuild

logger = logging.getLogger(__name__)


class SwitchingSession:
    """Keeps the arrays of the session that it began with; afterwards they are copied to and from the engine's."""

    def __init__(self, first: GraphSession, build: BackgroundBuild, load: Callable[[bytes], GraphSession]) -> None:
        self._first = self._serving = first
        self._build: BackgroundBuild | None = build
        self._load = load
        logger.warning("tensorrt: the engine is being built; %s %s serves meanwhile", first.backend, first.precision)

    @property
    def backend(self) -> str:
        return self._serving.backend

    @property
    def precision(self) -> str:
        return self._serving.precision

    @property
    def threads(self) -> int:
        return self._serving.threads

    @property
    def inputs(self) -> Buffers:
        return self._first.inputs

    @property
    def outputs(self) -> Buffers:
        return self._first.outputs

    def run(self) -> None:
        """Compute `outputs` from `inputs` by whichever serves now."""
        if self._build is not None and self._build.done:
            self._switch(self._build)
        if self._serving is self._first:
            self._first.run()
            return
        for name, array in self._serving.inputs.items():
            array[...] = self.inputs[name]
        self._serving.run()
        for name, array in self._serving.outputs.items():
            self.outputs[name][...] = array

    def close(self) -> None:
        """Stop the build where it still runs, and let go of both."""
        if self._build is not None:
            self._build.stop()
            self._build = None
        if self._serving is not self._first:
            self._serving.close()
        self._first.close()

    def _switch(self, build: BackgroundBuild) -> None:
        self._build = None
        try:
            self._serving = self._load(build.plan())
        except MienError as error:
            logger.warning("%s; %s goes on serving", error, self._first.backend)
        else:
            logger.warning("tensorrt: the engine is ready and serves from now on")
