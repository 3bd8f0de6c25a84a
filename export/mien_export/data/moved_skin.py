"""A portrait's skin and eyes at other landmarks, as the engine moves them; what is between the lips is left alone."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.draw.eyes import Eyes
from mien.face import topology
from mien.face.contacts import LOWER_LIP_RIM, UPPER_LIP_RIM, lip_gaps
from mien.portrait.portrait import Portrait
from mien.reenact.flow import Flow, window_of
from mien.reenact.mesh import mesh_of
from mien.reenact.target import Target
from mien_kernels import ops

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

CORNERS: Final = (topology.INNER_LIPS[0], topology.INNER_LIPS[10])
SHOWS_TEETH: Final = 0.06
"""Gap in eye distances from which on teeth are seen along the rims."""


def moved_skin(portrait: Portrait, target: Target, lip_skin: float = 0.0) -> Pixels:
    """(H, W, 3): `portrait` at the target's landmarks.

    `lip_skin`: how far beyond its rim, in mouth widths, a lip's skin is looked up where the lips stand apart: at the
    rim the picture shows teeth.
    """
    mesh = mesh_of(portrait)
    source = mesh.looked_up(target)
    shown = np.clip(lip_gaps(portrait.shape) / SHOWS_TEETH, 0.0, 1.0)[:, None]
    across = portrait.landmarks[CORNERS[1], :2] - portrait.landmarks[CORNERS[0], :2]
    down = lip_skin * np.array([-across[1], across[0]])
    source[UPPER_LIP_RIM] -= (shown * down).astype(np.float32)
    source[LOWER_LIP_RIM] += (shown * down).astype(np.float32)
    window = window_of(portrait, mesh)
    corner = window.corner.astype(np.float32)
    vertices = mesh.place(portrait, target)
    vertices[:, :2] -= corner
    flow = Flow(window, mesh, 1)(vertices, source - corner)
    area = (slice(window.y0, window.y1), slice(window.x0, window.x1))
    person = np.ascontiguousarray(portrait.pixels[area])
    inner = ops.flow_warp(person, flow, np.empty_like(person))
    Eyes(person, portrait.landmarks[:, :2] - window.corner)(target.landmarks[:, :2] - window.corner, inner)
    out = portrait.pixels.copy()
    out[area] = inner
    return out
