"""Bodies brought to one outline."""

from __future__ import annotations

import numpy as np

from mien.morphing.layers import EndLayer
from mien.morphing.torso import Torso
from mien.plane import Box
from mien.portrait.portrait import Portrait


def test_a_body_warped_to_its_own_outline_stays(portraits: dict[str, Portrait]) -> None:
    portrait = portraits["teo"]
    assert portrait.layers is not None
    body = portrait.layers.body
    layer = EndLayer.of(body, body.alpha > 127, portrait.pose.scale, 4)
    torso = Torso.of(portrait, body)
    width, height = portrait.size
    flow = torso.flow(torso, Box(0, height // 2, width, height // 2), layer)
    y, x = np.mgrid[height // 2 : height, :width]
    inside = slice(2, -2), slice(2, -2)  # of a coarse grid's outermost places half is repeated
    np.testing.assert_allclose(flow[..., 0][inside], (x - body.corner[0])[inside], atol=0.05)
    np.testing.assert_allclose(flow[..., 1][inside], (y - body.corner[1])[inside], atol=0.05)


def test_shoulders_go_where_the_other_ones_are(portraits: dict[str, Portrait]) -> None:
    torsos = []
    for name in ("aldo", "mira"):
        layers = portraits[name].layers
        assert layers is not None
        torsos.append(Torso.of(portraits[name], layers.body))
    own, other = torsos
    layers = portraits["aldo"].layers
    assert layers is not None
    layer = EndLayer.of(layers.body, layers.body.alpha > 127, own.scale, 4)
    width, height = portraits["aldo"].size
    flow = own.flow(other, Box(0, 0, width, height), layer)
    for side in (-1.4, 1.4):
        x = other.chin[0] + side * other.scale
        y = other.chin[1] + np.interp(side, np.linspace(-4, 4, 161), other.shoulders) * other.scale
        at = flow[round(float(y)), round(float(x))] + np.array(layers.body.corner)
        expected = np.interp((at[0] - own.chin[0]) / own.scale, np.linspace(-4, 4, 161), own.shoulders)
        assert abs((at[1] - own.chin[1]) / own.scale - expected) < 0.05
