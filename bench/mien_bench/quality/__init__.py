"""`mien bench quality`: how near to the truth, and to the thesis's figures, the models come."""

from mien_bench.quality.command import main

__all__ = ["main"]
