"""Whether a styled face can still be read: how often a landmarker finds it, and how far off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.face import eye_distance
from mien.parse.find import find_faces
from mien.parse.models import FaceMesh
from mien_bench.face_video.stylings import EACH, ONCE, PHOTO, StyledFrame
from mien_bench.quality.summary import mean_interval
from mien_bench.results import Check, Fact, Row, Table

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

EVERY: Final = 4
"""Frames of which one is looked at: neighbours say the same."""
OFF: Final = 0.25
"""Distance of the landmarks from where they were aimed at, in eye distances, up to which it is that face."""
LEAST: Final = 95.0
"""Per cent of frames in which the face shall be found."""
LOOKED_AT: Final = (ONCE, EACH)
NOTE: Final = (
    "MediaPipe looks at each picture anew, as at a photograph. In brackets: how far its landmarks are off those that "
    "were aimed at, mean of the faces found, in per cent of the distance of the eyes."
)


@dataclass(slots=True, eq=False)
class FacesFound:
    """Of one portrait under one driver: called with each frame, it looks at every `EVERY`-th."""

    pair: str
    model: str
    mesh: FaceMesh
    """For stills."""
    off: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    """By way and style, the distance in eye distances in each picture looked at; NaN where the face was not found."""
    _count: int = 0

    def __call__(self, frame: StyledFrame) -> None:
        self._count += 1
        if self._count % EVERY != 1:
            return
        pictures = {(PHOTO, ""): frame.photo, **frame.drawn}
        for key, picture in pictures.items():
            if key[0] in (PHOTO, *LOOKED_AT):
                self.off[key].append(distance(picture, frame.landmarks, self.mesh))

    def share(self, key: tuple[str, str]) -> float:
        """Per cent of pictures in which the face was found; NaN where none was looked at."""
        looked = self.off.get(key)
        return 100 * float(np.isfinite(looked).mean()) if looked else float("nan")

    def mean_off(self, key: tuple[str, str]) -> float:
        """Per cent of the eye distance, where it was found; NaN where it never was."""
        seen = [value for value in self.off.get(key, ()) if np.isfinite(value)]
        return 100 * float(np.mean(seen)) if seen else float("nan")


def distance(picture: Pixels, aimed: Array, mesh: FaceMesh) -> float:
    """Mean distance of the landmarks found in a picture (H, W, 3) from those aimed at (478, 3), in eye distances; NaN
    where no face is found there."""
    unit = eye_distance(aimed)
    apart = [float(np.hypot(*(face - aimed)[:, :2].T).mean()) / unit for face in find_faces(picture, mesh)]
    return min((one for one in apart if one < OFF), default=float("nan"))


def rows(found: Sequence[FacesFound]) -> Iterator[Row]:
    """The share of faces found by way and style, with a value of each pair."""
    for drawn, style in _keys(found):
        condition: dict[str, Fact] = {
            "on": "face-video",
            "model": found[0].model,
            "drawn": drawn,
            "style": style,
        }
        shares = tuple(one.share((drawn, style)) for one in found if (drawn, style) in one.off)
        yield Row("faces found by the landmarker", "%", shares, "higher", condition, each="pair")
        off = tuple(value for one in found if np.isfinite(value := one.mean_off((drawn, style))))
        if off:
            yield Row("landmarks off", "% of eye distance", off, "lower", condition, each="pair")


def table(found: Sequence[FacesFound]) -> Table:
    """Ways by styles."""
    styles = list(dict.fromkeys(style for _, style in _keys(found) if style))
    lines: list[tuple[str, ...]] = [(PHOTO, *[_cell(found, (PHOTO, ""))] * len(styles))]
    lines += [(drawn, *(_cell(found, (drawn, style)) for style in styles)) for drawn in LOOKED_AT]
    looked = sum(len(one.off.get((PHOTO, ""), ())) for one in found)
    title = f"Faces found in stylised frames, per cent of {looked} frames"
    return Table(title, ("", *styles), tuple(lines), notes=(NOTE,))


def targets(found: Sequence[FacesFound]) -> Iterator[Check]:
    """In what `--style` shows, over all pairs."""
    shares: Mapping[str, float] = {
        style: 100 * float(np.isfinite([value for one in found for value in one.off.get((drawn, style), ())]).mean())
        for drawn, style in _keys(found)
        if drawn == ONCE
    }
    for style, share in shares.items():
        yield Check(f"face-video: {style}, face found", f">= {LEAST:g} % of frames", f"{share:.0f} %", share >= LEAST)


def _keys(found: Sequence[FacesFound]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(key for one in found for key in one.off))


def _cell(found: Sequence[FacesFound], key: tuple[str, str]) -> str:
    shares = mean_interval([one.share(key) for one in found], "{:.0f}")
    off = [value for one in found if np.isfinite(value := one.mean_off(key))]
    return f"{shares} ({np.mean(off):.1f})" if off else shares
