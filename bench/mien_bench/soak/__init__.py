"""`mien bench soak`: whether memory, descriptors and latency stay where they are, for minutes to hours."""

from mien_bench.soak.command import add_options, run

__all__ = ["add_options", "run"]
