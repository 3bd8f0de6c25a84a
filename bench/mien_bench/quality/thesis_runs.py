"""Tables 4.1 to 4.3 of the thesis on one-shot face reenactment: its figures, and the runs of the last two."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.errors import BackendError
from mien.parse.models import segment_person
from mien.portrait.building import prepare_portrait
from mien_bench.quality.clips import Clip, Material, calmest
from mien_bench.quality.cross import CrossScore, crossings, judge
from mien_bench.quality.dlib_face import DlibDetector
from mien_bench.quality.people import (
    Guide,
    Reference,
    guides_of_clip,
    portraits_of_files,
    portraits_of_photographs,
    references,
    several_of_clip,
    unseen_faces,
)

GROUPS: Final = ("same source", "cross source", "in the wild")

TABLE_41: Final[dict[str, tuple[tuple[float, float, float | None], ...]]] = {
    "Reference": ((0.0, 7.49, None), (0.0, 7.77, None), (0.0, 7.51, None)),
    "w/o Fusion": ((80.0, 2.79, 89.1), (80.2, 2.84, 88.2), (80.0, 2.91, 90.2)),
    "with Fusion": ((75.1, 2.72, 98.2), (70.9, 2.74, 98.5), (71.1, 2.63, 98.3)),
}
"""AU consistency in per cent, pose in degrees, identity in per cent; for each of `GROUPS`."""
TABLE_42: Final = {"no-concat": 77.7, "lambda-3": 84.9, "lambda-10": 86.9, "lambda-25": 89.1, "lambda-50": 85.2}
"""Identity in per cent, same source, without fusion."""
TABLE_43: Final = {1: 97.2, 3: 99.3, 5: 99.4}
"""Identity in per cent by the number of pictures of a person."""

DIFFERENT_42: Final = "Here at small size, with trainings of equal length, which the thesis's had not."
DIFFERENT_43: Final = (
    "People are the clips', several frames of each; the thesis has 32 film identities with 7 pictures."
)
UNSEEN = "pd_"
"""How files of portraits of the test split's people begin; they are in the first group already."""


def train_columns(faces: Path, folder: Path, length: tuple[str, float], threads: int | None) -> None:
    """Have `folder` filled with a bundle for each column, each trained equally long; those that are there stay.

    `length`: ("minutes", M) or ("steps", N).

    Raises:
        BackendError: the training failed; it has said why.
    """
    command = [sys.executable, "-P", "-m", "mien", "export", "ablation", "--data", str(faces), "--out", str(folder)]
    command += [f"--{length[0]}", str(length[1])] + ([] if threads is None else ["--threads", str(threads)])
    done = subprocess.run(command, check=False, stdout=sys.stderr)
    if done.returncode:
        raise BackendError(f"table 4.2: expected its columns to be trained, got exit code {done.returncode}; see above")


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """References by group of table 4.1, and guides."""

    groups: dict[str, list[Reference]]
    guides: list[Guide]


def cast(given: Material, second_look: DlibDetector, guides: int) -> Cast:
    """Who takes part; a group that nobody is there for is empty. `guides`: frames of each clip.

    Raises:
        MienError: something cannot be read.
    """
    limit = given.limit
    unseen = unseen_faces(given.faces, limit) if given.has_faces else ()
    same = references(portraits_of_photographs(unseen), second_look)
    calm = ((clip.name, clip.frames[calmest(clip)]) for clip in given.watched[:limit])
    cross = references(
        ((name, (prepare_portrait(one.pixels, one.landmarks, segment_person(one.pixels)),)) for name, one in calm),
        second_look,
    )
    others = [path for path in given.portraits if not path.name.startswith(UNSEEN)]
    wild = references(portraits_of_files(others[:limit]), second_look)
    return Cast(
        dict(zip(GROUPS, map(list, (same, cross, wild)), strict=True)),
        [guide for clip in given.watched for guide in guides_of_clip(clip, guides, second_look)],
    )


def ablation_scores(
    people: Cast, folder: Path | None, second_look: DlibDetector, threads: int | None
) -> dict[str, CrossScore]:
    """Table 4.2, by the names of the bundles that `folder` holds."""
    bundles = sorted(path.parent for path in folder.glob("*/manifest.toml")) if folder is not None else []
    members = people.groups[GROUPS[0]] or people.groups[GROUPS[-1]]
    return {
        bundle.name: judge(
            list(
                crossings(members, people.guides, str(bundle), second_look, mouth="none", fusion=False, threads=threads)
            )
        )
        for bundle in sorted(bundles, key=_as_in_the_thesis)
    }


def several_scores(
    clips: Sequence[Clip],
    guides: Sequence[Guide],
    models: Sequence[str],
    second_look: DlibDetector,
    threads: int | None,
) -> dict[str, dict[int, CrossScore]]:
    """Table 4.3, by model and number of pictures."""
    out: dict[str, dict[int, CrossScore]] = {model: {} for model in models}
    for count in TABLE_43:
        members = list(references(((clip.name, several_of_clip(clip, count)) for clip in clips), second_look))
        for model in models:
            out[model][count] = judge(list(crossings(members, guides, model, second_look, threads=threads)))
    return out


def _as_in_the_thesis(bundle: Path) -> tuple[int, str]:
    names = list(TABLE_42)
    return (names.index(bundle.name) if bundle.name in names else len(names), bundle.name)
