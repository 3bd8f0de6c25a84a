"""A face by landmarks that do not drive the engine: what it does, how it is held, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien_bench.quality.action_units import action_units
from mien_bench.quality.second_look import Look
from mien_bench.quality.shape_fit import ShapeFit, fit_shape
from mien_bench.quality.shape_leak import proportions

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One picture's face."""

    look: Look
    units: Array
    """(12,): intensities of `action_units.UNITS` above those of the person at rest."""
    angles: Array
    """(3,): yaw, pitch, roll in degrees."""
    proportions: Array
    """(3,): `shape_leak.PROPORTIONS`."""


def rest_of(looks: Sequence[Look]) -> ShapeFit:
    """How a person looks at rest, from at least one picture of that: the median of the fits, for one identity."""
    fits = [fit_shape(look.points) for look in looks]
    if len(fits) == 1:
        return fits[0]
    identity = np.mean([fit.identity for fit in fits], axis=0)
    again = [fit_shape(look.points, identity) for look in looks]
    return replace(again[0], expression=np.median([fit.expression for fit in again], axis=0))


def measured(look: Look, rest: ShapeFit) -> Measured:
    """A face beside how the person looks at rest, whose identity is taken as known but for the proportions."""
    fit = fit_shape(look.points, rest.identity)
    angles = np.array([fit.angles.yaw, fit.angles.pitch, fit.angles.roll])
    units = action_units(fit.expression - rest.expression)
    return Measured(look, units, angles, proportions(fit_shape(look.points)))
