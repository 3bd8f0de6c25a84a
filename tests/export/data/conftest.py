"""A face without a person, and a mouth of a few plates, for tests that have neither faces nor the face model."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face import topology
from mien.face.pose import Angles, Similarity, rotation_of
from mien.face.topology import canonical_face
from mien_export.data.mouth_shape import GUM, TONGUE, TOOTH, MouthShape, normals_of
from mien_export.data.open_mouth import MouthModel
from mien_export.samples.basis import INDEX, expression_basis

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
SIDE = 256
SKIN, LIPS, WHITE, BROW = (200, 150, 130), (170, 80, 80), (225, 222, 218), (60, 45, 40)
EXPRESSIONS = ("jawLeft", "jawRight", "mouthFunnel") + tuple(
    f"{name}_{side}"
    for name in (
        *("mouthSmile", "cheekRaiser", "mouthUpperUp", "mouthLowerDown", "mouthStretch"),
        *("browInnerUp", "browOuterUp", "browDown"),
    )
    for side in "LR"
)


@pytest.fixture(scope="session")
def landmarks() -> Array:
    """(478, 3) of the canonical face, slightly turned, in a picture of 256 pixels."""
    pose = Similarity(rotation_of(Angles(4.0, -2.0, 1.0)), np.array([128.0, 105.0, 0.0]), 82.0)
    return pose.apply(canonical_face().points)


@pytest.fixture(scope="session")
def picture(landmarks: Array) -> Pixels:
    """(256, 256, 3): skin with lips, brows, eyes and noise."""
    out = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    parts = ((topology.OUTER_LIPS, LIPS), (topology.LEFT_BROW, BROW), (topology.RIGHT_BROW, BROW))
    for outline, colour in (*parts, *((eye, WHITE) for eye in topology.EYES)):
        cv2.fillPoly(out, [np.rint(landmarks[list(outline), :2]).astype(np.int32)], colour)
    noise = np.random.default_rng(5).normal(0.0, 2.0, out.shape)
    return np.clip(out + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def model() -> MouthModel:
    """Two plates of teeth that meet, a tongue behind the lower, and a jaw that drops straight."""
    line = float(canonical_face().points[13, 1])
    upper = _plate((-0.25, line - 0.08), (0.25, line + 0.01), -0.78)
    lower = _plate((-0.25, line + 0.01), (0.25, line + 0.08), -0.76)
    tongue = _plate((-0.16, line + 0.03), (0.16, line + 0.07), -0.55)
    points = np.concatenate([upper, lower, tongue]).astype(np.float32)
    quad = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    triangles = np.concatenate([quad + 4 * k for k in range(3)])
    jaw = np.zeros_like(points)
    jaw[4:, 1] = 0.3
    normals = normals_of(points, triangles)
    normals *= -np.sign(normals[:, 2:])  # towards the viewer
    stuff = np.array([TOOTH + 0.5] * 8 + [TONGUE] * 4, np.float32)
    assert stuff.min() > GUM
    still = dict.fromkeys(EXPRESSIONS, np.zeros((topology.COUNT, 3)))
    fields = {**still, "jawOpen": expression_basis(canonical_face().points)[INDEX["jaw_open"]]}
    shape = MouthShape(points, jaw, np.stack([normals, normals]), stuff, np.zeros(12, np.float32), triangles)
    return MouthModel(shape, fields)


def _plate(low: tuple[float, float], high: tuple[float, float], z: float) -> Array:
    (x0, y0), (x1, y1) = low, high
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])
