"""The label map of a frame: the portrait's labels moved as its picture is, and the target's face drawn in by outlines.

Hair, ears and what is worn on the head go with the head's layer, neck and cloth with the body's; a portrait without
layers is one piece. Brows, eyes, nose, lips and mouth come from the target's landmarks.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face import classes
from mien.paint.scene import Scene, Subject
from mien.parsing.maps import FINER, draw_parts, nearest_known, without_parts
from mien.plane import Affine, coarser, inverse
from mien.portrait.portrait import Layer, Layers
from mien.posed import Posed

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]

NOTHING: Final = 255
"""Label where a layer shows nothing."""
OPAQUE: Final = 128
"""Opacity from which on a layer's label counts."""
NOWHERE: Final = -1e5
"""Place of what is outside of all layers."""
_BODY: Final = (classes.NECK, classes.NECKLACE, classes.CLOTH)


def fine_labels(subject: Subject, side: int) -> Labels:
    """(side, side): the portrait's own labels in its crop, the parts of its face by its landmarks."""
    matrix = coarser(subject.matrix, len(subject.crop) / side)
    labels = without_parts(_nearest(subject.labels, inverse(matrix), side, cv2.BORDER_REPLICATE))
    draw_parts(labels, subject.portrait.landmarks, matrix)
    return labels


class LabelLayer:
    """Labels of a layer, in its pixels."""

    def __init__(self, labels: Labels, layer: Layer, body: bool) -> None:
        """`labels` (H, W) of the picture, of which those of the other layer give way to the nearest of this one's."""
        self.corner = np.array(layer.corner, np.float64)
        height, width = layer.alpha.shape
        x, y = layer.corner
        rows = np.clip(np.arange(height) + y, 0, labels.shape[0] - 1)
        columns = np.clip(np.arange(width) + x, 0, labels.shape[1] - 1)
        placed = labels[rows[:, None], columns[None]]
        own = np.isin(placed, _BODY) if body else ~np.isin(placed, (classes.BACKGROUND, *_BODY))
        self.labels = nearest_known(placed, own, classes.CLOTH if body else classes.HAIR)
        self.labels[layer.alpha < OPAQUE] = NOTHING


class CarriedLabels:
    """Callable for one portrait: the labels of a frame, (side, side)."""

    def __init__(self, subject: Subject, side: int) -> None:
        """`side`: of the maps, over the whole crop."""
        self._side = side
        layers = subject.portrait.layers
        self._layers = None if layers is None else _layered(without_parts(subject.labels), layers)
        self._crop = without_parts(fine_labels(subject, side)) if layers is None else None
        """What is moved where there are no layers."""

    def __call__(self, scene: Scene) -> Labels:
        fine = coarser(scene.matrix, 1 / FINER)
        if self._crop is not None:
            out = self._in_one_piece(self._crop, scene)
        else:
            assert self._layers is not None
            head, body = self._layers
            back = inverse(fine)
            out = self._body(body, scene.posed, back)
            np.copyto(out, _BACKGROUND, where=out == NOTHING)
            moved = self._head(head, scene.posed, back)
            np.copyto(out, moved, where=moved != NOTHING)
        draw_parts(out, scene.posed.landmarks, fine)
        return out

    def _in_one_piece(self, labels: Labels, scene: Scene) -> Labels:
        """Moved by the flow of the crop."""
        flow = cv2.resize(scene.flow(scene.view.height), (self._side, self._side), interpolation=cv2.INTER_LINEAR)
        places = (flow + np.float32(0.5)) * np.float32(FINER) - np.float32(0.5)
        moved = cv2.remap(labels, places, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    def _head(self, layer: LabelLayer, posed: Posed, back: Affine) -> Labels:
        window, flow = posed.window, posed.flow
        share = np.array([flow.shape[1] / window.width, flow.shape[0] / window.height])
        into = back.copy()
        into[:, 2] += 0.5 - window.corner
        into *= share[:, None]
        into[:, 2] -= 0.5
        return _through(layer.labels, flow, into, self._side)

    def _body(self, layer: LabelLayer, posed: Posed, back: Affine) -> Labels:
        into = back.copy()
        if posed.body is None:
            into[:, 2] -= layer.corner
            return _nearest(layer.labels, into, self._side, cv2.BORDER_CONSTANT)
        into[1, 2] -= posed.body.rows.start
        return _through(layer.labels, posed.body.flow, into, self._side)


_BACKGROUND: Final = np.uint8(classes.BACKGROUND)


def _layered(labels: Labels, layers: Layers) -> tuple[LabelLayer, LabelLayer]:
    return LabelLayer(labels, layers.head, body=False), LabelLayer(labels, layers.body, body=True)


def _through(labels: Labels, flow: Floats, into: Affine, side: int) -> Labels:
    """(side, side): labels where `flow` leads from the places to which `into` leads."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    nowhere = (NOWHERE, NOWHERE)
    places = cv2.warpAffine(flow, into, (side, side), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=nowhere)
    found = cv2.remap(labels, places, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=(NOTHING,))
    return np.asarray(found, np.uint8)


def _nearest(labels: Labels, into: Affine, side: int, border: int) -> Labels:
    how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(labels, into, (side, side), flags=how, borderMode=border, borderValue=(NOTHING,))
    return np.asarray(found, np.uint8)
