"""`mien bench live`: whether a live run keeps its promises on this machine."""

from mien_bench.live.command import add_options, run

__all__ = ["add_options", "run"]
