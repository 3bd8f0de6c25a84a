"""`mien bench quality`: errors of the models against ground truth, beside the papers' figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mien import samples
from mien.commands.options import count, positive
from mien.config import WARP, ReenactSettings
from mien.errors import BackendError, MienError
from mien_bench.avatars import tables as avatars
from mien_bench.avatars.tables import AVATARS, avatar_tables
from mien_bench.control import Control
from mien_bench.face_video import tables as face_video
from mien_bench.face_video.tables import FACE_VIDEO, face_video_tables
from mien_bench.fidelity.landmarkers import openseeface_path
from mien_bench.fidelity.tables import CONSISTENCY, FIDELITY, fidelity_tables
from mien_bench.quality import picture_strips, summary, temporal, video_runs
from mien_bench.quality.clips import Material, material_of
from mien_bench.quality.dlib_face import DlibDetector
from mien_bench.quality.morphs import MORPH, morph_tables
from mien_bench.quality.pairs import pairs
from mien_bench.quality.people import unseen_faces
from mien_bench.quality.picture_strips import Montage
from mien_bench.quality.self_reenactment import Scored, measure
from mien_bench.quality.summary import promises, too_few
from mien_bench.quality.thesis_tables import GRAIN, THESIS, Part, joined_parts, thesis_tables
from mien_bench.results import Result

TABLES: Final = (
    "pairs",
    "clips",
    "flicker",
    "temporal",
    *FIDELITY,
    *THESIS,
    GRAIN,
    FACE_VIDEO,
    AVATARS,
    MORPH,
    "strips",
)
PAIRS_TITLE: Final = "Manufactured pairs, split=test: a warped photograph asked for the real one"
CLIPS_TITLE: Final = "Clips, self-reenactment with absolute motion: the calmest frame asked for the others"
QUICK: Final = {
    "limit": 3,
    "variants": 1,
    "every": 25,
    "run": 12,
    "guides": 10,
    "frames": 12,
    "seconds": 3,
    "pairs": 2,
    "avatars": 2,
}
"""What `--quick` takes."""
SHORTEST_RUN: Final = 3
"""Frames: each is compared with its two neighbours."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """See `mien_bench.command.Bench`."""
    models = list(dict.fromkeys([WARP, ReenactSettings().model]))
    parser.add_argument("--clips", nargs="+", type=Path, metavar="PATH", help="drivers: video files or folders of them")
    parser.add_argument("--portraits", nargs="+", type=Path, metavar="PATH", help="pictures or folders of them")
    parser.add_argument("--data", type=Path, metavar="DIR", help="faces, clips and more (default: $MIEN_DATA)")
    parser.add_argument("--models", nargs="+", default=models, metavar="MODEL", help="all against the first")
    parser.add_argument("--table", nargs="+", choices=TABLES, metavar="TABLE", help=f"of {', '.join(TABLES)} (all)")
    parser.add_argument("--quick", action="store_true", help=f"a look: {_words(QUICK)}")
    parser.add_argument("--limit", type=count, metavar="N", help="portraits of a kind, and frames of a clip, at most")
    parser.add_argument("--variants", type=count, default=2, metavar="N", help="pairs made of each portrait (2)")
    parser.add_argument("--every", type=count, default=10, metavar="N", help="take every N-th frame of clips (10)")
    parser.add_argument("--run", type=count, default=50, metavar="N", help="frames of each clip to see flicker in (50)")
    parser.add_argument(
        "--guides", type=count, default=12, metavar="N", help="frames of each clip that guide others (12)"
    )
    parser.add_argument("--frames", type=count, default=24, metavar="N", help="frames of a pair to see motion in (24)")
    parser.add_argument("--seconds", type=positive, metavar="S", help="of each driver of a pair, at most (all)")
    parser.add_argument("--openseeface", type=Path, metavar="FILE", help="its landmark model, lm_model0.onnx")
    parser.add_argument("--ablation", type=Path, metavar="DIR", help="bundles for table 4.2, named as its columns are")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--ablation-steps", type=count, metavar="N", help="train the columns that DIR lacks, so many steps each"
    )
    length.add_argument("--ablation-minutes", type=positive, metavar="M", help="the same, so long each")
    face_video.add_options(parser)
    avatars.add_options(parser)
    parser.add_argument("--threads", type=count, metavar="N")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep answers there, for your eyes; no repository")
    parser.add_argument(
        "--strips", choices=("samples", "given"), default="samples", help="of nobody, or of what was given (samples)"
    )
    parser.epilog = (
        "Without paths: the samples, and what the data folder holds. Strips show faces: publish only nobody's."
    )


def _words(options: Mapping[str, int]) -> str:
    return " ".join(f"--{name} {value}" for name, value in options.items())


def run(options: argparse.Namespace, control: Control) -> Result:
    """See `mien_bench.command.Bench`; nothing is timed, so the control is not called.

    Raises:
        MienError: material, a model or dlib is missing for a table that was named.
    """
    if options.quick:
        vars(options).update(QUICK)
    there = material_of(options)
    wanted, lacking = (tuple(options.table), ()) if options.table else possible(there, options.openseeface)
    if FACE_VIDEO in wanted:
        face_video.need_styles(options)
    if AVATARS in wanted:
        avatars.need_maker(options)
    crossing = tuple(name for name in wanted if name in (*THESIS, GRAIN))
    if crossing:
        DlibDetector()  # what is missing is reported before minutes are spent on the other tables
    keep = Montage(options.keep) if options.keep is not None else None
    parts = [Part(notes=lacking)]
    for name, part in _PARTS.items():
        if name in wanted:
            print(f"{name} ...", flush=True)
            parts.append(part(there, options, keep))
    parts.append(fidelity_tables(there, options, wanted))
    if FACE_VIDEO in wanted:
        print(f"{FACE_VIDEO} ...", flush=True)
        parts.append(face_video_tables(there, options))
    if AVATARS in wanted:
        print(f"{AVATARS} ...", flush=True)
        parts.append(avatar_tables(there, options))
    if crossing:
        print(f"{', '.join(crossing)} ...", flush=True)
        parts.append(thesis_tables(there, options, crossing))
    found = joined_parts(parts)
    models = ", ".join(map(summary.short, options.models))
    about = f"{len(there.clips)} clips, {len(there.portraits)} portraits; models {models}"
    return Result(
        "quality", about, found.rows, found.checks, tables=found.tables, strips=found.strips, notes=found.notes
    )


def possible(there: Material, openseeface: Path | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables that can be made here, and a note on each of the others; `openseeface` is its model, if named."""
    out, notes = list(TABLES), []
    if not there.has_faces:
        out.remove("pairs")
        notes.append("no pairs: the data folder with faces is not known (--data or MIEN_DATA)")
    try:
        DlibDetector()
    except BackendError as error:
        out = [name for name in out if name not in (*THESIS, GRAIN)]
        notes.append(f"no tables {', '.join([*THESIS, GRAIN])}: {error}")
        try:
            openseeface_path(openseeface, there.data)
        except MienError as lacking:
            out.remove(CONSISTENCY)
            notes.append(f"no table {CONSISTENCY}: {lacking}")
    return tuple(out), tuple(notes)


def _pairs(there: Material, options: argparse.Namespace, keep: Montage | None) -> Part:
    faces = list(unseen_faces(there.faces, options.limit))
    scored = list(measure(pairs(faces, options.variants), options.models, options.threads, keep))
    return _summed(scored, PAIRS_TITLE, "pairs")


def _clips(there: Material, options: argparse.Namespace, keep: Montage | None) -> Part:
    scored = list(measure(there.scenes, options.models, options.threads, keep))
    return _summed(scored, CLIPS_TITLE, "clips")


def _summed(scored: Sequence[Scored], title: str, on: str) -> Part:
    summaries = summary.summarise(scored)
    return Part(
        tuple(row for one in summaries for row in summary.rows(one, on)),
        tuple(summary.table(one, title) for one in summaries),
        checks=tuple(check for one in summaries for check in promises(one, on)),
        notes=tuple(note for one in summaries if (note := too_few(one, on)) is not None),
    )


def _flicker(there: Material, options: argparse.Namespace, keep: Montage | None) -> Part:
    if options.run < SHORTEST_RUN:
        return Part(notes=(f"no flicker: runs have at least {SHORTEST_RUN} frames, got {options.run}",))
    found = video_runs.steadiness(_runs(there, options), options.models, options.threads)
    return Part(tuple(video_runs.rows(found)), (video_runs.table(found, options.run),))


def _temporal(there: Material, options: argparse.Namespace, keep: Montage | None) -> Part:
    found, sure = temporal.stabilities(_runs(there, options), options.models, options.threads)
    return Part(tuple(temporal.rows(found)), (temporal.table(found, sure),))


def _runs(there: Material, options: argparse.Namespace) -> list[video_runs.Run]:
    return [
        (video_runs.run_of(path, options.run), scene.portrait)
        for path, scene in zip(there.clips, there.scenes, strict=True)
    ]


def _morph(there: Material, options: argparse.Namespace, keep: Montage | None) -> Part:
    return morph_tables(there, options.models[-1], options.threads)


def _strips(there: Material, options: argparse.Namespace, keep: Montage | None) -> Part:
    if options.strips == "given":
        clip, portraits = there.clips[0], list(there.portraits[: picture_strips.MOST])
    else:
        clip, portraits = samples.driver(), list(samples.portraits().values())
    return Part(strips=tuple(picture_strips.strips(clip, portraits, options.models, options.threads)))


_PARTS: Final[dict[str, Callable[[Material, argparse.Namespace, Montage | None], Part]]] = {
    "strips": _strips,
    "clips": _clips,
    "flicker": _flicker,
    "temporal": _temporal,
    "pairs": _pairs,
    MORPH: _morph,
}
