"""Runs stages on threads. Offline: bounded queues without loss. Live: latest-value mailboxes."""

from mien.pipeline.offline import DEPTH, render, stream
from mien.pipeline.stages import Progress, Stages

__all__ = ["DEPTH", "Progress", "Stages", "render", "stream"]
