"""The command line of `mien bench quality`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from mien.config import WARP
from mien.errors import SettingError, SourceError
from mien_bench.material import clips_of, portraits_of
from mien_bench.quality import grain, runs, trials
from mien_bench.quality.clips import Clip, scenes, watch
from mien_bench.quality.faces import unseen_faces
from mien_bench.quality.montage import Montage
from mien_bench.quality.pairs import pairs
from mien_bench.quality.second_look import SecondLook
from mien_bench.quality.self_reenactment import measure
from mien_bench.quality.summary import printed, summarise
from mien_bench.quality.tables import missing, table_41, table_42, table_43
from mien_bench.quality.thesis import GROUPS, TABLE_42

OWN: Final = ("pairs", "clips")
GRAIN: Final = "grain"
THESIS: Final = ("4.1", "4.2", "4.3")
PAIRS_TITLE: Final = "Manufactured pairs, split=test: a warped photograph asked for the real one"
CLIPS_TITLE: Final = "Clips, self-reenactment with absolute motion: the calmest frame asked for the others"


def main(arguments: list[str]) -> int:
    """Measure what is asked for and print it; see `--help`.

    Raises:
        MienError: material, a model or dlib is missing.
    """
    options = _parser().parse_args(arguments)
    tables = options.table or (*OWN, *THESIS, GRAIN)
    keep = Montage(options.keep) if options.keep is not None else None
    results: dict[str, Any] = {}
    if "pairs" in tables:
        results["pairs"] = _pairs(options, keep)
    if "clips" in tables:
        results["clips"] = _clips(options, keep)
    if set(tables) & {*THESIS, GRAIN}:
        results |= _thesis(options, tables)
    if options.json is not None:
        options.json.write_text(json.dumps(results))
    return 0


def _pairs(options: argparse.Namespace, keep: Montage | None) -> Any:
    faces = list(unseen_faces(_data(options) / "faces", options.limit))
    scored = list(measure(pairs(faces, options.variants), options.models, options.threads, keep))
    return _said(summarise(scored), PAIRS_TITLE)


def _clips(options: argparse.Namespace, keep: Montage | None) -> Any:
    paths = _clip_paths(options)
    watched = list(scenes([watch(path, options.every, options.limit) for path in paths]))
    scored = list(measure(watched, options.models, options.threads, keep))
    result = {"self": _said(summarise(scored), CLIPS_TITLE)}
    if options.run >= SHORTEST_RUN:
        material = [
            (runs.run_of(path, options.run), scene.portrait) for path, scene in zip(paths, watched, strict=True)
        ]
        found = runs.steadiness(material, options.models, options.threads)
        print(runs.printed(found, options.run), flush=True)
        result["flicker"] = [one.as_json() for one in found]
    return result


SHORTEST_RUN = 3
"""Frames: each is compared with its two neighbours."""


def _thesis(options: argparse.Namespace, tables: tuple[str, ...]) -> dict[str, Any]:
    second_look = SecondLook()
    watched = [watch(path, options.every, options.limit) for path in _clip_paths(options)]
    people = _cast(options, watched, second_look)
    results: dict[str, Any] = {}
    if "4.1" in tables:
        consistency = trials.consistency_scores(people, options.models, second_look, options.threads)
        print(table_41(consistency), flush=True)
        results["4.1"] = {group: _plain(rows) for group, rows in consistency.items()}
    if "4.2" in tables:
        ablation = trials.ablation_scores(people, options.ablation, second_look, options.threads)
        print(table_42(ablation))
        if lacking := [name for name in TABLE_42 if name not in ablation]:
            print(missing(lacking))
        results["4.2"] = _plain(ablation)
    if "4.3" in tables:
        several = trials.several_scores(watched, people.guides, options.models, second_look, options.threads)
        print(table_43(several), flush=True)
        results["4.3"] = {model: _plain(rows) for model, rows in several.items()}
    if GRAIN in tables:
        found = grain.grains(people.groups[GROUPS[-1]], people.guides, options.models, options.threads)
        print(grain.printed(found), flush=True)
        results[GRAIN] = [{**asdict(one), "octaves": {k: v.tolist() for k, v in one.octaves.items()}} for one in found]
    return results


def _cast(options: argparse.Namespace, watched: list[Clip], second_look: SecondLook) -> trials.Cast:
    folder = _data(options) / "clips" / "portraits"
    files = portraits_of([folder]) if folder.is_dir() else []
    return trials.cast(_data(options) / "faces", files, watched, second_look, options.limit, options.guides)


def _said(summaries: Any, title: str) -> Any:
    for summary in summaries:
        print(printed(summary, title), flush=True)
    return [summary.as_json() for summary in summaries]


def _plain(rows: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): asdict(score) for name, score in rows.items()}


def _clip_paths(options: argparse.Namespace) -> list[Path]:
    """The data folder's clips; the sample driver where there are none."""
    folder = _data(options) / "clips"
    return clips_of([folder] if folder.is_dir() else None)


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
        "--models", nargs="+", default=[WARP], metavar="MODEL", help="names or bundles; all against the first (warp)"
    )
    choices = (*OWN, *THESIS, GRAIN)
    parser.add_argument("--table", nargs="+", choices=choices, metavar="TABLE", help=f"of {', '.join(choices)} (all)")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="portraits of each kind, and frames of each clip, at most"
    )
    parser.add_argument("--variants", type=int, default=2, metavar="N", help="pairs made of each portrait (2)")
    parser.add_argument("--every", type=int, default=10, metavar="N", help="take every N-th frame of clips (10)")
    parser.add_argument("--run", type=int, default=50, metavar="N", help="frames of each clip to see flicker in (50)")
    parser.add_argument("--guides", type=int, default=5, metavar="N", help="frames of each clip that guide others (5)")
    parser.add_argument("--ablation", type=Path, metavar="DIR", help="bundles for table 4.2, named as its columns are")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also as JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep answers there, for your eyes; no repository")
    return parser
