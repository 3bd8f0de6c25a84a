"""What is answered in place of what was asked for: a status, and one line in parts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from mien.errors import MienError

_PARTS = re.compile(r"(?P<what>.+?): expected (?P<expected>.+?), got (?P<got>.+?)(?:; (?P<do>.+))?", re.DOTALL)


class Refusal(MienError):
    """A request that is not met: `status` is the HTTP status, `headers` go along."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


def later(status: int, message: str, seconds: float) -> Refusal:
    """A refusal that says after how many seconds to come again."""
    return Refusal(status, message, {"Retry-After": str(max(math.ceil(seconds), 1))})


def missing(what: str, do: str) -> Refusal:
    """That there is no such thing."""
    return Refusal(404, f"{what}: expected one that is here, got none; {do}")


def body_of(message: str) -> dict[str, dict[str, str]]:
    """The JSON body that tells a one-line error, with the parts that it has."""
    found = _PARTS.fullmatch(message)
    parts = {} if found is None else {name: text for name, text in found.groupdict().items() if text is not None}
    return {"error": {"message": message, **parts}}
