"""Results to write, compare and draw in tests."""

from __future__ import annotations

from dataclasses import replace

from mien_bench.charts import cdf, cost, timeline
from mien_bench.report import Report
from mien_bench.results import Band, Check, Fact, Result, Row, Steadiness, Strip, Table

STEADY = Steadiness((3.0, 3.1, 3.0, 2.9), (5.0, 5.1, 5.0, 5.0), 0.01, False, "steady: quite")


def row(*values: float, name: str = "frame", better: str = "lower", **condition: int) -> Row:
    assert better in ("lower", "higher", "neither")
    return Row(name, "ms", values, better, condition)  # type: ignore[arg-type]


def result(*rows: Row, bench: str = "stages", steadiness: Steadiness = STEADY) -> Result:
    return Result(bench, "what was measured", rows, steadiness=steadiness)


def path_rows(path: str, p50: float, p95: float, **condition: str) -> list[Row]:
    """Of `mien bench latency`."""
    found = {"p50": p50, "p95": p95}
    named: dict[str, Fact] = {"path": path, "driver": "640x480", "model": "oneshot-live", **condition}
    return [Row(f"glass to glass {rank}", "ms", (value, value), "lower", named) for rank, value in found.items()]


def report(*results: Result) -> Report:
    machine: dict[str, Fact] = {"processor": "Abacus <2>", "cores": 2}
    return Report("2026-11-26T07:00:00+00:00", machine, {"mien": "0.1.0"}, "quick", results)


def everything() -> Report:
    """One of each that a page can show."""
    at = [number / 25 for number in range(100)]
    latency = [20.0 + number % 7 for number in range(100)]
    levels = ["full"] * 60 + ["half"] * 40
    charts = (
        cdf("Latencies", {"file": latency, "camera": latency[::-1]}, limit=25.0),
        timeline("Over time", at, latency, levels, drops=(1.0, 2.5), bands=(Band("load", 1.0, 2.0),), limit=100.0),
        cost("Cost over N", "peers", "ms", {1: [10.0], 2: [21.0, 19.0], 4: [41.0]}),
    )
    checks = (Check("p95", "<= 60 ms", "70 ms & more", False), Check("flat", "0", "0", True))
    table = Table("Table 4.1", ("", "AU %"), (("warp", "75.0"), ("thesis", "75.1")), quoted=(1,), notes=("differs",))
    whole = Result(
        "latency",
        "from glass to glass",
        (
            replace(row(3.0, 3.5, 4.0, size=512), headline="a frame"),
            row(1.0, name="other", better="neither"),
            *path_rows("memory", 30.0, 80.0),
            *path_rows("browser", 90.0, 160.0),
            *path_rows("browser", 190.0, 460.0, network="loss5"),
            *path_rows("offline", 400.0, 500.0),
        ),
        checks,
        charts,
        (table,),
        (Strip("Nobody", ("portrait", "driver"), b"\xff\xd8\xff", "of nobody"),),
        ("no camera here",),
        replace(STEADY, noisy=True, words="too noisy for its bound"),
        12.0,
    )
    return report(whole, result(row(2.0, 2.1, 2.2)))
