"""Segmenters that judge synthesised pictures: the packaged one, and the label maker of the export package.

The packaged network was learnt from the label maker's labels. The label maker is no network and is in no loss, so it is
the independent one; it reads landmarks, a matte and colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.machine.processor import usable_threads
from mien.parse.models import FaceMesh
from mien.parsing.opening import open_segmenter
from mien.parsing.segmenter import Segmenter

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

PACKAGED: Final = "parsing"
MAKER: Final = "label maker"


class Judge(Protocol):
    """A segmenter that finds the face by itself."""

    @property
    def name(self) -> str:
        """As rows call it."""
        ...

    def __call__(self, picture: Pixels) -> Pixels:
        """(S, S): the class of each pixel of a picture (S, S, 3); all background where it shows no face. Ids beyond the
        classes mean that it does not know."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PackagedJudge:
    """The bundle `parsing`, with landmarks found anew."""

    segmenter: Segmenter
    mesh: FaceMesh
    """For stills."""
    name: str = PACKAGED

    def __call__(self, picture: Pixels) -> Pixels:
        faces = self.mesh(picture)
        return self.segmenter(picture, faces[0]) if faces else np.zeros(picture.shape[:2], np.uint8)


class LabelMakerJudge:
    """`mien_export`'s label maker, with landmarks and matte found anew."""

    name = MAKER

    def __init__(self, mesh: FaceMesh) -> None:
        """Raises ImportError where what the export package needs is not installed."""
        # The one place of mien_bench that takes anything from mien_export: its label maker exists nowhere else.
        from mien_export.families.parsing.quality import label_again

        self._mesh, self._label = mesh, label_again

    def __call__(self, picture: Pixels) -> Pixels:
        faces = self._mesh(picture)
        return self._label(picture, faces[0]) if faces else np.zeros(picture.shape[:2], np.uint8)


@contextmanager
def open_judges(threads: int | None = None) -> Iterator[tuple[list[Judge], list[str]]]:
    """Those that there are, and a note on one that is not; closed on leaving.

    Raises:
        ModelError, BackendError: the packaged segmenter is missing, or no runtime is installed.
    """
    with FaceMesh(still=True) as mesh, open_segmenter(threads or usable_threads()) as (segmenter, _):
        judges: list[Judge] = [PackagedJudge(segmenter, mesh)]
        notes = []
        try:
            judges.append(LabelMakerJudge(mesh))
        except ImportError as error:
            notes.append(f"no label maker as a judge: {error} (pip install 'mien[train]')")
        yield judges, notes
