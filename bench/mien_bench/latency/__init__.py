"""`mien bench latency`: glass to glass without a camera, by codes in the frames that are read at the far end."""

from mien_bench.latency.command import add_options, run

__all__ = ["add_options", "run"]
