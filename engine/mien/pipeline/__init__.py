"""Only here are time, threads and queues known. Offline: bounded channels, nothing lost. Live: slots, newest wins."""

from mien.pipeline.offline import DEPTH, render, stream
from mien.pipeline.stages import Progress, Stages

__all__ = ["DEPTH", "Progress", "Stages", "render", "stream"]
