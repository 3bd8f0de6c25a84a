"""The exact flow of a moved portrait's layers, and the error along it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import FaceError
from mien.face.motion import identity_motion
from mien.face.pose import Angles
from mien.portrait.portrait import Portrait
from mien_bench.face_video.exact_flow import Geometry, Tracer, carried, errors
from mien_bench.quality.puppet import open_puppet, settings_for

Pixels = NDArray[np.uint8]
Frame = tuple[Geometry, Pixels]
NOTHING = np.zeros((1, 1), np.bool_)
"""Painted."""


@pytest.fixture(scope="module")
def tracer(people: dict[str, Portrait]) -> Tracer:
    return Tracer(people["mira"])


@pytest.fixture(scope="module")
def frames(people: dict[str, Portrait], tracer: Tracer) -> list[Frame]:
    """At rest, then turned and moved far enough for the body to follow."""
    return list(_frames(people["mira"], tracer))


def _frames(portrait: Portrait, tracer: Tracer) -> Iterator[Frame]:
    still = identity_motion()
    moved = replace(still, turn=Angles(6.0, 4.0, 3.0), translation=np.array([0.25, 0.05]))
    with open_puppet(portrait, settings_for("warp", "none", threads=1)) as puppet:
        for number, motion in enumerate((still, moved)):
            shown = puppet(motion, number)
            yield tracer(shown.posed[0]), tracer.reduced(shown.pixels)


def test_a_frame_lies_where_it_lies(tracer: Tracer, frames: list[Frame]) -> None:
    for geometry, seen in frames:
        way = tracer.between(geometry, geometry, seen, seen)
        rows, columns = np.mgrid[: tracer.shape[0], : tracer.shape[1]]
        assert np.abs(way.flow - np.stack([columns, rows], axis=-1))[way.sure].max() < 0.1
        assert errors(seen, seen, way, NOTHING) == pytest.approx((0, 0, 0), abs=1e-5)


def test_the_earlier_frame_is_found_by_it(tracer: Tracer, frames: list[Frame]) -> None:
    (then, seen_then), (now, seen) = frames
    way = tracer.between(now, then, seen, seen_then)
    unmoved = np.square((seen / 255 - seen_then / 255)[way.sure & way.face]).mean()
    face, whole, beside = errors(seen, seen_then, way, NOTHING)
    assert beside == face
    assert np.isnan(errors(seen, seen_then, way, way.face)[2])
    assert way.sure[way.face].mean() > 0.8
    assert whole < face < 0.1 * unmoved


def test_the_body_is_followed_as_it_is_drawn(tracer: Tracer, frames: list[Frame]) -> None:
    (then, seen_then), (now, seen) = frames
    way = tracer.between(now, then, seen, seen_then)
    body = (now.body > 250) & (now.head < 5)
    body &= way.flow[..., 1] < tracer.shape[0] - 2  # what the border cut off before cannot be found
    rows, columns = np.mgrid[: tracer.shape[0], : tracer.shape[1]]
    shift = way.flow - np.stack([columns, rows], axis=-1)
    assert np.abs(shift[body]).max() > 1
    assert way.sure[body].mean() > 0.7
    assert np.abs(seen / 255 - carried(seen_then, way.flow))[body & way.sure].mean() < 0.02


def test_flicker_is_told_by_its_size(tracer: Tracer, frames: list[Frame]) -> None:
    (then, seen_then), (now, seen) = frames
    way = tracer.between(now, then, seen, seen_then)
    dim, dim_then = np.minimum(seen, 200), np.minimum(seen_then, 200)
    plain, bright = (errors(one, dim_then, way, NOTHING) for one in (dim, dim + np.uint8(20)))
    assert bright[1] - plain[1] == pytest.approx((20 / 255) ** 2, rel=0.15)


def test_other_places_and_edges_are_not_compared(tracer: Tracer, frames: list[Frame]) -> None:
    (then, seen_then), (now, seen) = frames
    torn = tracer.between(now, then, seen, np.full_like(seen_then, 255))
    assert torn.sure.mean() < 0.1
    edge = (now.head > 100) & (now.head < 150)
    assert not tracer.between(now, then, seen, seen_then).sure[edge].any()


def test_a_portrait_in_one_piece_is_refused(people: dict[str, Portrait]) -> None:
    with pytest.raises(FaceError, match="expected a portrait with layers"):
        Tracer(replace(people["mira"], layers=None))
