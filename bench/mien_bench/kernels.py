"""`mien bench kernels`: every op of `mien_kernels`, on every device present, against what else could do it.

Also `python -m mien_bench.kernels`, which needs neither MediaPipe nor PyAV.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien_bench import face_tasks, feature_tasks, picture_tasks
from mien_bench.harness import Row, Task, measure
from mien_bench.peers import Peers
from mien_bench.places import Place, places

Tasks = Callable[[Place, Peers], Iterator[Task]]

OPS: Final[dict[str, tuple[Tasks, ...]]] = {
    "blend": (picture_tasks.blend,),
    "flow_warp": (picture_tasks.flow_warp, feature_tasks.flow_warp),
    "paste": (picture_tasks.paste,),
    "rasterize_flow": (face_tasks.rasterize_flow,),
    "rasterize_parts": (face_tasks.rasterize_parts,),
    "spade_modulate": (feature_tasks.spade_modulate,),
    "temporal_blend": (picture_tasks.temporal_blend,),
    "to_image": (picture_tasks.to_image,),
    "to_tensor": (picture_tasks.to_tensor,),
}


def main(arguments: list[str]) -> int:
    """Measure, print a table, and write it as JSON if asked to."""
    options = _parser().parse_args(arguments)
    peers = Peers(options.threads, options.compile)
    rows: list[Row] = []
    for place in places(options.threads, options.device):
        for op in options.op or OPS:
            for tasks in OPS[op]:
                for task in tasks(place, peers):
                    found = measure(task, options.rounds, place.stopwatch)
                    print("\n".join(_lines(found, first=not rows)), flush=True)
                    rows += found
    for name in sorted(peers.missing):
        print(f"{name} is not installed: not compared with")
    if options.json is not None:
        about = _about(options.threads, options.rounds)
        report = {"about": about, "missing": sorted(peers.missing), "rows": [row.as_json() for row in rows]}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mien bench kernels", description="Time every kernel against its peers.")
    parser.add_argument("--op", action="append", choices=OPS, help="only this one; may be given again")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="only this one")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="(at most 2)")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="of which the median is told (15)")
    parser.add_argument("--compile", action="store_true", help="torch.compile takes part")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON")
    return parser


def _about(threads: int, rounds: int) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "rounds": rounds,
    }


def _lines(rows: list[Row], first: bool) -> Iterator[str]:
    if first:
        yield f"{'op, shape, type, device':<56}{'ms':>9}  {'peer':<32}{'ms':>9}{'ratio':>8}{'of copy':>9}"
    for index, row in enumerate(rows):
        ours = f"{row.name:<56}{row.ms:9.3f}" if index == 0 else " " * 65
        share = f"{row.share_of_copy:9.0%}" if index == 0 else ""
        yield f"{ours}  {row.peer:<32}{row.peer_ms:9.3f}{row.ratio:8.2f}{share}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
