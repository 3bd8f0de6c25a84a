"""Tables 4.1 to 4.3: the material, the models on it, the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.config import WARP
from mien.parse.models import segment_person
from mien.portrait.measure import prepare_portrait
from mien_bench.quality.clips import Clip, calmest
from mien_bench.quality.cross import CrossScore, crossings, judge, unmoved
from mien_bench.quality.faces import unseen_faces
from mien_bench.quality.given import Given
from mien_bench.quality.second_look import SecondLook
from mien_bench.quality.sitters import (
    Guide,
    Reference,
    guides_of_clip,
    portraits_of_files,
    portraits_of_photographs,
    references,
    several_of_clip,
)
from mien_bench.quality.thesis import GROUPS, TABLE_42, TABLE_43

UNSEEN = "pd_"
"""How files of portraits of the test split's people begin; they are in the first group already."""


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """References by group of table 4.1, and guides."""

    groups: dict[str, list[Reference]]
    guides: list[Guide]


def cast(given: Given, second_look: SecondLook, guides: int) -> Cast:
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


def consistency_scores(
    people: Cast, models: Sequence[str], second_look: SecondLook, threads: int | None
) -> dict[str, dict[str, CrossScore]]:
    """Table 4.1, by group and row: the reference itself, and each model with and without fusion."""
    out = {}
    for group, members in people.groups.items():
        if not members:
            continue
        rows = {"Reference": judge(list(unmoved(members, people.guides)))}
        for model in models:
            for fusion in (False, True) if model != WARP else (True,):
                name = model if model == WARP else f"{Path(model).name} {'with' if fusion else 'w/o'} Fusion"
                found = crossings(members, people.guides, model, second_look, fusion=fusion, threads=threads)
                rows[name] = judge(list(found))
        out[group] = rows
    return out


def ablation_scores(
    people: Cast, folder: Path | None, second_look: SecondLook, threads: int | None
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
    clips: Sequence[Clip], guides: Sequence[Guide], models: Sequence[str], second_look: SecondLook, threads: int | None
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
