"""`mien export trt`: TensorRT engines of a bundle, built before their first use and kept where the engine looks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mien.bundles import find
from mien.commands.options import Options
from mien.errors import BackendError, SettingError
from mien.manifest import read_bundle
from mien.manifest.family import RUNS
from mien.runtime.cache import Cache
from mien.runtime.tensorrt.engines import BuildProgress, build_engine


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: the bundle is broken, there is no TensorRT or no GPU, or an engine cannot be built.
    """
    options = _parser().parse_args(arguments)
    bundle = read_bundle(find(options.bundle))
    if options.batch < 1:
        raise SettingError(f"--batch must be 1 or more, got {options.batch}")
    try:
        from mien.device.cuda import this_gpu
    except ImportError as error:
        raise BackendError(
            f"tensorrt: expected TensorRT and CuPy, got none ({error}); pip install 'mien[gpu]' on a machine with a GPU"
        ) from error
    device = this_gpu()
    cache = Cache() if options.out is None else Cache(options.out)
    for name in (name for runs in RUNS for name in bundle.names(runs)):
        graph = bundle.graph(name, options.precision)
        plan = build_engine(graph, options.batch, device, cache, BuildProgress(_told))
        print(f"{name} {graph.precision}: {len(plan) / 1e6:.1f} MB for {device.name}, kept in {cache.folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export trt",
        description="Build TensorRT engines of a bundle, which takes minutes, so that the first run does not.",
    )
    parser.add_argument("--bundle", required=True, metavar="MODEL", help="name or folder of a bundle")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep engines there (default: where mien looks)")
    parser.add_argument("--precision", choices=("fp16", "fp32"), default="fp16", help="which graphs (default: fp16)")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="faces at a time (default: 1)")
    return parser


def _told(phase: str, share: float) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"building, {100 * share:3.0f} % ({phase})", end=end, file=sys.stderr, flush=True)
