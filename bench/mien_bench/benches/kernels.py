"""`mien bench kernels`: every op of `mien_kernels`, on every device present, against what else could do it, and below
the roof of what the machine allows.

Also `python -m mien_bench.benches.kernels`, which needs neither MediaPipe nor PyAV.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from mien.commands.options import count
from mien_bench import command
from mien_bench.control import Control
from mien_bench.kernels import face_tasks, feature_tasks, flow_tasks, picture_tasks
from mien_bench.kernels.devices import Device, devices
from mien_bench.kernels.harness import Outcome, Peers, Task, measure
from mien_bench.kernels.roofline import Roof, attained, chart, roof_of, share_of_roof
from mien_bench.results import Chart, Fact, Result, Row, Table

Tasks = Callable[[Device, Peers], Iterator[Task]]

OPS: Final[dict[str, tuple[Tasks, ...]]] = {
    "add_levels": (picture_tasks.add_levels,),
    "blend": (picture_tasks.blend,),
    "draw_eye": (face_tasks.draw_eye,),
    "erase": (flow_tasks.erase,),
    "flow_warp": (picture_tasks.flow_warp, feature_tasks.flow_warp),
    "halve_flow": (flow_tasks.halve_flow,),
    "limit": (flow_tasks.limit,),
    "paste": (picture_tasks.paste,),
    "rasterize_flow": (face_tasks.rasterize_flow,),
    "rasterize_parts": (face_tasks.rasterize_parts,),
    "spade_modulate": (feature_tasks.spade_modulate,),
    "spread_flow": (flow_tasks.spread_flow,),
    "temporal_blend": (picture_tasks.temporal_blend,),
    "to_image": (picture_tasks.to_image,),
    "to_tensor": (picture_tasks.to_tensor,),
    "tone": (flow_tasks.tone,),
    "weigh_flow": (flow_tasks.weigh_flow,),
}
COLUMNS: Final = (
    "op, shape, type, device",
    "ms",
    "GB/s",
    "GFLOP/s",
    "of the roof",
    "a copy",
    "peers, time relative to mien",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    parser.add_argument("--op", action="append", choices=OPS, help="only this one; may be given again")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="only this one")
    parser.add_argument("--threads", type=count, default=min(2, os.cpu_count() or 1), metavar="N", help="(at most 2)")
    parser.add_argument("--rounds", type=count, default=15, metavar="N", help="repetitions (15)")
    parser.add_argument("--compile", action="store_true", help="torch.compile takes part")


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; outputs are compared with the NumPy reference before they are timed."""
    peers = Peers(options.threads, options.compile)
    rows: list[Row] = []
    charts: list[Chart] = []
    cells: list[tuple[str, ...]] = []
    for device in devices(options.threads, options.device):
        roof = roof_of(device, options.rounds)
        outcomes = [_measured(task, device, options.rounds, control) for task in _tasks(device, peers, options.op)]
        condition: dict[str, Fact] = {"device": device.name, "threads": device.threads}
        rows += [*_limits(roof, condition), *(row for one in outcomes for row in _rows(one, condition))]
        cells += [_cells(one, roof) for one in outcomes]
        charts.append(chart(outcomes, roof, device.name))
    control()
    return Result(
        bench="kernels",
        about="every op against what else could do it, and what the machine allows; threads as given",
        rows=tuple(rows),
        charts=tuple(charts),
        tables=(Table("Kernels", COLUMNS, tuple(cells)),),
        notes=tuple(f"{name} is not installed: not compared with" for name in sorted(peers.missing)),
    )


def _tasks(device: Device, peers: Peers, wanted: Sequence[str] | None) -> Iterator[Task]:
    for op in wanted or OPS:
        for tasks in OPS[op]:
            yield from tasks(device, peers)


def _measured(task: Task, device: Device, rounds: int, control: Control) -> Outcome:
    control()
    outcome = measure(task, rounds, device.stopwatch)
    print(f"{task.name}: {outcome.ms:.3f} ms", flush=True)
    return outcome


def _limits(roof: Roof, condition: dict[str, Fact]) -> list[Row]:
    return [
        Row("machine: copy within the cache", "GB/s", roof.near, "neither", condition),
        Row("machine: copy of memory", "GB/s", roof.far, "neither", condition),
        Row("machine: float32 matrix product", "GFLOP/s", roof.peak, "neither", condition),
    ]


def _rows(one: Outcome, condition: dict[str, Fact]) -> Iterator[Row]:
    """Ours, which is judged, and what it is compared with, which is not."""
    under = {**condition, "shape": one.task.about}
    yield Row(one.task.op, "ms", one.ours, "lower", under)
    for name, times in one.peers.items():
        yield Row(f"{one.task.op} by {name}", "ms", times, "neither", under)


def _cells(one: Outcome, roof: Roof) -> tuple[str, ...]:
    others = ", ".join(f"{name} {one.ratio(name):.1f}" for name in one.peers)
    return (
        one.task.name,
        f"{one.ms:.3f}",
        f"{one.task.bytes / one.ms / 1e6:.1f}",
        f"{attained(one):.1f}",
        f"{share_of_roof(one, roof):.0%}",
        f"{one.share_of_copy:.0%}",
        others,
    )


if __name__ == "__main__":
    sys.exit(command.run("kernels", sys.argv[1:]))
