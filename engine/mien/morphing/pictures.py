"""`mien.morph` and all of `mien morph`: from two pictures to a portrait between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien import emit
from mien.config import WARP, CredentialSettings, ReenactSettings, need_degree
from mien.credentials.claim import COMPUTED, Claim, claim_of
from mien.credentials.opening import open_credentials
from mien.emit.opening import need_place
from mien.emit.sink import SinkSettings
from mien.errors import SettingError
from mien.frame import Frame
from mien.morphing.mesh_morph import MeshMorph
from mien.places import need_apart
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import Picture, prepare, prepare_to_fit
from mien.provenance import all_pictures, own_version, record

Pixels = NDArray[np.uint8]
DEGREE: Final = ReenactSettings().degree
_STILL: Final = Fraction(25)
"""Rate of a single picture, which has none."""


def morph(first: Picture, second: Picture, degree: float = DEGREE, *, size: int | None = None) -> Portrait:
    """A portrait between two pictures, to be moved by `mien.animate` as any other.

    Args:
        first, second: as `mien.prepare` takes them; the first decides the size.
        degree: 0 is the first, 1 the second.
        size: longer side in pixels; None: as large as the first picture, see `mien.prepare`.

    Raises:
        SourceError, FaceError, SettingError: as `mien.prepare`; the two look in too different directions; a degree that
            is not within 0..1.
    """
    need_degree(degree)
    return open_morph(prepare(first, size=size), second)(degree)


def open_morph(
    portraits: tuple[Portrait, ...],
    second: Picture,
    fitted: Callable[..., tuple[Portrait, ...]] = prepare_to_fit,
) -> MeshMorph:
    """The morph of a portrait and a second picture, which `fitted` prepares in the portrait's size.

    Raises:
        SettingError: there are several pictures of the portrait.
        SourceError, FaceError: the second one cannot be used, or looks in too different a direction.
    """
    need_one_picture(len(portraits))
    return MeshMorph(portraits[0], fitted(portraits[0].size, second)[0])


def need_one_picture(count: int) -> None:
    """Refuse several pictures of the portrait, before they are prepared.

    Raises:
        SettingError: there are several.
    """
    if count > 1:
        raise SettingError(f"morph: expected one picture of the portrait, got {count}; take one of them")


def morph_file(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    output: str | os.PathLike[str],
    degrees: Sequence[float] = (DEGREE,),
    *,
    size: int | None = None,
    mark: bool = True,
    credentials: CredentialSettings | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> None:
    """A morph as a picture, or several side by side, into a file that appears whole or not at all.

    Args:
        degrees: of the morphs, from left to right.
        size: longer side of each in pixels; None: as large as the first picture.
        mark: whether the visible mark that says "synthetic" is drawn.
        credentials: how the file says what made it; None: as by default.
        told: takes a line where it cannot be signed.

    Raises:
        MienError: anything that the user can cure, in one line.
    """
    for degree in degrees:
        need_degree(degree)
    need_apart([], [first, second], sink=output)
    need_place(os.fspath(output))
    made = open_morph(prepare(first, size=size), second)
    pixels = np.hstack([made(degree).pixels for degree in degrees])
    settings = ReenactSettings(model=WARP, morph=os.fspath(second), degree=degrees[0], size=size, invisible_mark=False)
    provenance = record(all_pictures([first], settings), settings, own_version())
    wanted = credentials or CredentialSettings()

    def claim() -> Claim:
        named = [("portrait", first), ("portrait", second)]
        return claim_of(provenance, "morph", wanted, named, marked=mark, source_type=COMPUTED)

    signed = open_credentials(wanted, claim, os.fspath(output), told)
    sink_settings = SinkSettings(
        pixels.shape[1], pixels.shape[0], _STILL, 1 / _STILL, metadata=provenance.as_metadata(), credentials=signed
    )
    with emit.open(output, sink_settings, mark=mark) as sink:
        sink.write(Frame(np.ascontiguousarray(pixels), 0, 1 / _STILL))
