"""Results for reading: of `mien bench follow` a line per pair and the verdict, of all benches JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mien.errors import SinkError
from mien.face.measures import CHANNELS
from mien_bench.agreement import Agreement
from mien_bench.leak import Leak
from mien_bench.pair import Pair
from mien_bench.verdict import Check, title

_NAME = 28
_CELL = 10


def header() -> str:
    """Names of the columns of `line`; a channel shows correlation and slope."""
    cells = "".join(f"{name:>{_CELL}}" for name in CHANNELS)
    return f"{'driver x portrait':<{_NAME}}{'frames':>10}{'sound ms':>9}{'lost':>5}{cells}{'leak %':>12}{'s':>6}"


def line(pair: Pair) -> str:
    """One pair; `leak` is the largest change of a proportion, of the target shape and as found again."""
    name = f"{title(pair):<{_NAME}}"
    if pair.trouble is not None or pair.container is None:
        return f"{name}  {pair.trouble}"
    came, went = pair.container.frames
    sound = "-" if pair.container.sound is None else f"{pair.container.sound:.1f}"
    cells = "".join(_cell(pair.found.get(channel)) for channel in CHANNELS)
    leak = f"{_largest(pair.target_leak)}/{_largest(pair.found_leak)}"
    return f"{name}{f'{went}/{came}':>10}{sound:>9}{pair.lost:>5}{cells}{leak:>12}{pair.seconds:6.0f}"


def summary(checks: Sequence[Check]) -> str:
    """The verdict, a line for each thing asked."""
    rows = [
        f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<34}{check.got:>14}   wanted {check.wanted:<12}"
        + (f" worst {check.worst}" if check.worst else "")
        for check in checks
    ]
    failed = sum(not check.passed for check in checks)
    return "\n".join(["", *rows, f"{len(checks) - failed} of {len(checks)} given"])


def write_json(path: Path, pairs: Sequence[Pair], checks: Sequence[Check]) -> None:
    """Everything that was measured.

    Raises:
        SinkError: the file cannot be written.
    """
    write_values(path, {"checks": [asdict(check) for check in checks], "pairs": [pair.as_json() for pair in pairs]})


def write_values(path: Path, value: Mapping[str, Any]) -> None:
    """`value` as JSON, NaN and infinity as null.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(_finite(value), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


def _cell(found: Agreement | None) -> str:
    text = "-" if found is None else f"{found.correlation:.2f}/{found.slope:.2f}"
    return f"{text:>{_CELL}}"


def _largest(leaks: Mapping[str, Leak]) -> str:
    return f"{max(abs(leak.median) for leak in leaks.values()) * 100:.1f}" if leaks else "-"


def _finite(value: Any) -> Any:
    """`value` for JSON, which knows neither NaN nor infinity."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
