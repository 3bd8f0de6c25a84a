"""Results with the machine they come from: facts about it, and the JSON file."""

from __future__ import annotations

import base64
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from mien.errors import SourceError
from mien.machine import outputs
from mien.machine.processor import this_processor, usable_threads
from mien_bench.results import SCHEMA, Band, Chart, Check, Fact, Line, Result, Row, Steadiness, Strip, Table

PACKAGES: Final = (
    "mien",
    "numpy",
    "av",
    "mediapipe",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "tensorrt",
    "torch",
    "aiortc",
    "dlib-bin",
)
_MEMORY: Final = Path("/proc/meminfo")
_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")
_OF_A_REPORT: Final = {"when": str, "machine": dict, "versions": dict, "profile": str, "results": list}
_OF_A_RESULT: Final = {"bench": str, "about": str}
_OF_A_ROW: Final = {"name": str, "unit": str, "values": list, "condition": dict, "note": str, "headline": str}
"""Kinds of values in a file of results."""
_RELEASE: Final = Path("/etc/os-release")


def machine() -> dict[str, Fact]:
    """Facts about this machine; those that the system does not report are left out."""
    processor = this_processor()
    facts: dict[str, Fact | None] = {
        "processor": processor.name,
        "cores": usable_threads(),
        "features": ", ".join(processor.features) or None,
        "caches": _caches(),
        "memory": _memory(),
        "system": _system(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def versions() -> dict[str, str]:
    """Of `PACKAGES`, those that are installed."""
    found = {name: _version(name) for name in PACKAGES}
    return {name: number for name, number in found.items() if number is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _memory() -> str | None:
    if not _MEMORY.exists():
        return None
    kib = int(_MEMORY.read_text().split(None, 2)[1])
    return f"{kib / (1 << 20):.1f} GiB"


def _caches() -> str | None:
    """Such as "48K, 32K, 2048K, 307200K", from the nearest."""
    sizes = sorted(_CACHES.glob("index*/size"))
    return ", ".join(f"L{_level(path)} {path.read_text().strip()}" for path in sizes) or None


def _level(path: Path) -> str:
    kind = (path.parent / "type").read_text().strip()
    return (path.parent / "level").read_text().strip() + {"Data": "d", "Instruction": "i"}.get(kind, "")


def _system() -> str | None:
    if not _RELEASE.exists():
        return None
    lines = (line.partition("=") for line in _RELEASE.read_text().splitlines())
    return next((value.strip('"') for key, _, value in lines if key == "PRETTY_NAME"), None)


@dataclass(frozen=True, slots=True)
class Report:
    """Results of one machine at one time."""

    when: str
    """Of its end, UTC, in the form of ISO 8601."""
    machine: Mapping[str, Fact]
    versions: Mapping[str, str]
    profile: str
    """Profile that was run: "quick", "full", or the name of one bench."""
    results: tuple[Result, ...]


def report(results: Sequence[Result], profile: str, now: datetime | None = None) -> Report:
    """Results of this machine, taken now."""
    when = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    return Report(when, machine(), versions(), profile, tuple(results))


def write(path: Path, found: Report) -> None:
    """Write a file; medians and spreads stand in it for other readers, and are worked out anew by `read`.

    Raises:
        SinkError: it cannot be written.
    """
    form = {"schema": SCHEMA, **asdict(found)}
    for result, plain in zip(found.results, form["results"], strict=True):
        for row, values in zip(result.rows, plain["rows"], strict=True):
            values |= {"median": row.median, "spread": row.spread}
        for strip in plain["strips"]:
            strip["jpeg"] = base64.b64encode(strip["jpeg"]).decode()
    outputs.write(path, (json.dumps(_finite(form), indent=1, allow_nan=False) + "\n").encode())


def read(path: Path) -> Report:
    """Read what `write` wrote.

    Raises:
        SourceError: it is none, or of another schema.
    """
    try:
        form = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(
            f"{path}: expected results of mien bench, got none ({error}); write them by --json"
        ) from error
    schema = form.get("schema") if isinstance(form, dict) else None
    if schema != SCHEMA:
        raise SourceError(f"{path}: expected results of schema {SCHEMA}, got {schema}; run the bench again")
    try:
        _need_kinds(form, _OF_A_REPORT)
        datetime.fromisoformat(form["when"])
        results = tuple(_result(one) for one in form["results"])
        return Report(form["when"], form["machine"], form["versions"], form["profile"], results)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path}: expected results of mien bench, got something else; run the bench again") from error


def _need_kinds(form: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    """Refuse values of another kind than what is worked with later.

    Raises:
        TypeError: there is one.
    """
    wrong = [name for name, kind in kinds.items() if not isinstance(form.get(name, kind()), kind)]
    if wrong:
        raise TypeError(f"{', '.join(wrong)}: another kind of value")


def _result(form: Mapping[str, Any]) -> Result:
    _need_kinds(form, _OF_A_RESULT)
    steadiness = form["steadiness"]
    return Result(
        bench=form["bench"],
        about=form["about"],
        rows=tuple(_row(one) for one in form["rows"]),
        checks=tuple(Check(**one) for one in form["checks"]),
        charts=tuple(_chart(one) for one in form["charts"]),
        tables=tuple(_table(one) for one in form["tables"]),
        strips=tuple(_strip(one) for one in form["strips"]),
        notes=tuple(form["notes"]),
        steadiness=Steadiness(**{**steadiness, **_tuples(steadiness, "copy_ms", "compute_ms")}),
        seconds=form["seconds"],
    )


def _row(form: Mapping[str, Any]) -> Row:
    _need_kinds(form, _OF_A_ROW)
    given = {name: value for name, value in form.items() if name not in ("median", "spread")}
    return Row(**{**given, **_tuples(form, "values")})


def _chart(form: Mapping[str, Any]) -> Chart:
    lines = tuple(Line(**{**one, "labels": tuple(one["labels"]), **_places(one)}) for one in form["lines"])
    bands = tuple(Band(**one) for one in form["bands"])
    return Chart(**{**form, **_tuples(form, "marks", "logarithmic"), "lines": lines, "bands": bands})


def _places(form: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """Of a line; what is not finite is null in the file."""
    return {axis: tuple(math.nan if value is None else value for value in form[axis]) for axis in ("x", "y")}


def _table(form: Mapping[str, Any]) -> Table:
    rows = tuple(tuple(row) for row in form["rows"])
    return Table(**{**form, **_tuples(form, "columns", "quoted", "notes"), "rows": rows})


def _strip(form: Mapping[str, Any]) -> Strip:
    return Strip(**{**form, **_tuples(form, "labels"), "jpeg": base64.b64decode(form["jpeg"])})


def _tuples(form: Mapping[str, Any], *names: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(form[name]) for name in names}


def _finite(value: Any) -> Any:
    """`value` for JSON, which knows neither NaN nor infinity."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
