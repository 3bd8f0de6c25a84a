"""Log format: one line per fault, without pictures, sound, tokens or offers."""

from __future__ import annotations

import logging
import math
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import Final, TextIO

from mien.machine.streams import is_of_mien_or_wrong

_QUIET: Final = ("aiortc", "aioice", "asyncio", "aiohttp", "av", "py.warnings")
_LONGEST = 500
_AGAIN: Final = 10.0
"""Seconds after which a library's words are told again."""
_REMEMBERED: Final = 100


def in_a_line(error: BaseException) -> str:
    """Kind, words and place of an error."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    words = " ".join(str(error).split())[:_LONGEST]
    return f"{type(error).__name__}: {words}{place}" if words else f"{type(error).__name__}{place}"


class OneLine(logging.Formatter):
    """Time, level, words; an exception that comes along is told on the same line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatException(self, ei: object) -> str:
        """In a line."""
        error = ei[1] if isinstance(ei, tuple) else None
        return in_a_line(error) if isinstance(error, BaseException) else ""

    def format(self, record: logging.LogRecord) -> str:
        """In a line."""
        return " ".join(super().format(record).split("\n"))


class KindOnly(logging.Filter):
    """Tells of an error only what kind it is: its words may be what a client sent, a token among it.

    A client that has gone is left out: it is no fault.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; whether it is to be told."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ConnectionError):
            return False
        if error is not None:
            record.msg = f"{record.getMessage()}: {type(error).__name__}"
            record.args, record.exc_info = (), None
        return True


class Repeated(logging.Filter):
    """Leaves out what was said within the last seconds: asyncio repeats an error for each connection it cannot take."""

    def __init__(self) -> None:
        super().__init__()
        self._told: OrderedDict[str, float] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is new."""
        words, now = record.getMessage(), record.created
        if now - self._told.get(words, -math.inf) < _AGAIN:
            return False
        self._told[words] = now
        self._told.move_to_end(words)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True


_repeated: Final = Repeated()


def http_logger() -> logging.Logger:
    """For requests that are none."""
    logger = logging.getLogger("mien.serve.http")
    if not logger.filters:
        logger.addFilter(KindOnly())
    return logger


def log_to(out: TextIO, *, quiet: bool = False, debug: bool = False) -> logging.Handler:
    """Log into `out` from now on; of libraries only what is wrong, and with `debug` whole tracebacks."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s") if debug else OneLine())
    if not debug:
        handler.addFilter(is_of_mien_or_wrong)
        logging.getLogger("asyncio").addFilter(_repeated)
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("mien").setLevel(logging.WARNING if quiet else logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if debug and name == "aiohttp" else logging.ERROR)
    return handler
