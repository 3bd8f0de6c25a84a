"""Which pixels of a portrait are the person: a network's coarse answer, sharpened by keying the backdrop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import mediapipe
import numpy as np

from mien_export.samples.album import Picture
from mien_export.samples.blending import soft_step
from mien_export.samples.warping import Plane, blur

INNER, OUTER = 11, 25
"""Diameters in pixels by which the coarse mask is surely inside or outside."""
KEYED = (7.0, 20.0)
"""Lab distances from the backdrop that count as surely backdrop and surely person."""


def mattes(pictures: Iterable[Picture]) -> Iterator[Plane]:
    """For each picture the share (H, W) of person in every pixel, 0..1."""
    with mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as finder:
        for picture in pictures:
            coarse = finder.process((picture * 255).astype(np.uint8)).segmentation_mask
            yield keyed(picture, np.clip(coarse, 0, 1).astype(np.float32))


def keyed(picture: Picture, coarse: Plane) -> Plane:
    """`coarse` (H, W) decided anew near its edge by how far `picture` differs from its backdrop there."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    near = cv2.dilate((coarse > 0.1).astype(np.float32), _disc(OUTER))
    core = cv2.erode((coarse > 0.9).astype(np.float32), _disc(INNER))
    away = 1 - cv2.dilate((coarse > 0.1).astype(np.float32), _disc(INNER))
    backdrop = blur(lab * away[..., None], 16.0) / (blur(away, 16.0)[..., None] + 1e-4)
    distance = np.linalg.norm(lab - backdrop, axis=2).astype(np.float32)
    return np.maximum(core, np.minimum(near, soft_step(distance, *KEYED)))


def _disc(diameter: int) -> cv2.Mat:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
