"""`mien bench load`: how many sessions a machine bears, and what each costs."""

from mien_bench.load.command import add_options, run

__all__ = ["add_options", "run"]
