"""What a bench is: a module with these names, and how one is run."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Protocol

from mien_bench.control import Control
from mien_bench.results import Result


class Bench(Protocol):
    """A module of this form is found by `mien bench NAME`, which adds --json, --html, --gate."""

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Declare the options; `parser` has its name and description already."""
        ...

    @staticmethod
    def run(options: argparse.Namespace, control: Control) -> Result:
        """Measure, and call `control` before each repetition and after the last. May print how far it is; the figures
        themselves are printed by the command.

        Raises:
            MienError: what is asked for cannot be measured.
        """
        ...


def carried_out(bench: Bench, options: argparse.Namespace) -> Result:
    """Run a bench, with how steady the machine was and how long it took."""
    control, begin = Control(), time.monotonic()
    result = bench.run(options, control)
    return replace(result, steadiness=control.steadiness(), seconds=time.monotonic() - begin)
