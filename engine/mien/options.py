"""Options of commands: a mistake is told in one line, and numbers have the range that makes sense of them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from mien.errors import SettingError, SinkError


class Options(argparse.ArgumentParser):
    """A parser that raises SettingError instead of printing its usage and leaving; so do those of its commands."""

    def error(self, message: str) -> NoReturn:
        """Refuse, in one line."""
        raise SettingError(f"{message}; `{self.prog} --help` tells more")


def positive(text: str) -> float:
    """The type of an option that is a number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def not_negative(text: str) -> float:
    """The type of an option that is a number from 0 up."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0 up, got {text}")
    return value


def count(text: str) -> int:
    """The type of an option that is a whole number above 0."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text}")
    return int(text)


def need_places(outputs: Iterable[Path], inputs: Iterable[str]) -> None:
    """Refuse files to write that have no folder, are folders, are one file, or are among those that are read.

    Raises:
        SinkError: one of them cannot be written, or would destroy another one.
    """
    seen: set[Path] = set()
    read = {Path(name).resolve() for name in inputs if Path(name).is_file()}
    for path in outputs:
        if not path.parent.is_dir():
            raise SinkError(f"{path}: expected a folder {path.parent}, got none; make it first")
        if path.is_dir():
            raise SinkError(f"{path}: expected a file to write, got a folder; name a file in it")
        if path.resolve() in read:
            raise SinkError(f"{path}: expected another file than those that are read; choose another name")
        if path.resolve() in seen:
            raise SinkError(f"{path}: expected a file of its own, got that of another output; choose another name")
        seen.add(path.resolve())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
