"""`mien bench live`: whether a live run keeps its promises on this machine."""

from mien_bench.live.command import main

__all__ = ["main"]
