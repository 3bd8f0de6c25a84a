"""`mien bench quality`: how near to the truth, and to the papers' figures, the models come."""

from mien_bench.quality.command import add_options, run

__all__ = ["add_options", "run"]
