"""The command line of `mien bench quality`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mien.errors import SettingError, SourceError
from mien_bench.material import clips_of
from mien_bench.quality.clips import scenes, watch
from mien_bench.quality.faces import unseen_faces
from mien_bench.quality.montage import Montage
from mien_bench.quality.pairs import pairs
from mien_bench.quality.scene import Scene
from mien_bench.quality.self_reenactment import measure
from mien_bench.quality.summary import printed, summarise
from mien_bench.report import write_values

TABLES: Final = ("pairs", "clips")


def main(arguments: list[str]) -> int:
    """Measure what is asked for and print it; see `--help`.

    Raises:
        MienError: material or a model is missing.
    """
    options = _parser().parse_args(arguments)
    results: dict[str, Any] = {}
    for table in options.table or TABLES:
        results[table] = _self_reenactment(table, options)
    if options.json is not None:
        write_values(options.json, results)
    return 0


def _self_reenactment(table: str, options: argparse.Namespace) -> Any:
    keep = Montage(options.keep) if options.keep is not None else None
    material = _pairs(options) if table == "pairs" else _clips(options)
    scored = list(measure(material, options.models, options.threads, keep))
    summaries = summarise(scored)
    for summary in summaries:
        print(printed(summary, _TITLES[table]), flush=True)
    return [summary.as_json() for summary in summaries]


_TITLES: Final = {
    "pairs": "Manufactured pairs, split=test: a warped photograph asked for the real one",
    "clips": "Clips, self-reenactment with absolute motion: the calmest frame asked for the others",
}


def _pairs(options: argparse.Namespace) -> Iterator[Scene]:
    faces = list(unseen_faces(_data(options) / "faces", options.limit))
    return pairs(faces, options.variants)


def _clips(options: argparse.Namespace) -> Iterator[Scene]:
    root = options.data or os.environ.get("MIEN_DATA")
    paths = clips_of([Path(root) / "clips"] if root else None)
    return scenes([watch(path, options.every, options.limit) for path in paths])


def _data(options: argparse.Namespace) -> Path:
    root = options.data or os.environ.get("MIEN_DATA")
    if not root:
        raise SettingError("the data folder is not known; name it by --data or MIEN_DATA")
    if not Path(root).is_dir():
        raise SourceError(f"{root}: expected the data folder, got nothing; name another by --data or MIEN_DATA")
    return Path(root)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mien bench quality", description="Measure how near to the truth models come, on faces never trained on."
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="faces, clips and more (default: $MIEN_DATA)")
    parser.add_argument(
        "--models", nargs="+", default=["warp"], metavar="MODEL", help="names or bundles; all against the first (warp)"
    )
    parser.add_argument("--table", nargs="+", choices=TABLES, metavar="TABLE", help=f"of {', '.join(TABLES)} (all)")
    parser.add_argument("--limit", type=int, metavar="N", help="portraits, and frames of each clip, at most")
    parser.add_argument("--variants", type=int, default=2, metavar="N", help="pairs made of each portrait (2)")
    parser.add_argument("--every", type=int, default=10, metavar="N", help="take every N-th frame of clips (10)")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep answers there, for your eyes; no repository")
    return parser
