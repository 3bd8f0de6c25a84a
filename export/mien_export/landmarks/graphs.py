"""The graphs of the family `landmarks`, made of MediaPipe's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from mien.face import topology
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien_export.landmarks.attention import OWN, Crops, brought_back, crops
from mien_export.landmarks.builder import Builder
from mien_export.landmarks.flatbuffer import read_network
from mien_export.landmarks.lanes import Found, found_in
from mien_export.landmarks.translate import Translation

Array = NDArray[Any]
FILES: Final = {
    "landmarks": "face_landmark/face_landmark_with_attention.tflite",
    "detector": "face_detection/face_detection_short_range.tflite",
    "far_detector": "face_detection/face_detection_full_range_sparse.tflite",
}
"""By graph."""


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """One graph with what enters and leaves it."""

    name: str
    model: ModelProto
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def converted(name: str, modules: Path) -> Converted:
    """One of the graphs.

    Args:
        name: a key of `FILES`.
        modules: folder that they lie in.

    Raises:
        ModelError: a file is another one than expected.
    """
    network = read_network(modules / FILES[name])
    to = Translation(network)
    to.run(leave=OWN)
    outputs = _OUTPUTS[name](to)
    (given,) = network.inputs
    _, height, width, channels = network.shapes[given]
    role, span = ("face", UNIT) if name == "landmarks" else ("picture", SIGNED)
    picture = TensorSpec(given, role, (BATCH, channels, height, width), range=span)
    return Converted(name, to.builder.model(name, [picture], outputs), (picture,), tuple(spec for spec, _ in outputs))


def _landmarks(to: Translation) -> list[tuple[TensorSpec, str]]:
    """All 478, those of lips, eyes and irises from the second look; and the probability that there is a face.

    The second looks are at the landmarks that the file lists for their crops, in the same order. They find no depth:
    lips and eyes keep that of the first look, and irises get the mean of their lids'.
    """
    build = to.builder
    mesh, presence = (to.network.outputs[i] for i in (0, -1))
    first = build.node("Reshape", to.value(mesh), _whole(build, [0, topology.SKIN_COUNT, 3]))
    looks = crops(to, first)
    found = found_in(to, looks.features, looks.tensors)
    matrices = build.node("Gather", looks.matrices, _whole(build, found.crops), axis=1)
    points = brought_back(build, found.value, matrices)
    points = build.node("Reshape", points, _whole(build, [0, -1, 2]))
    places, depths = build.split(first, [2, 1], 2)
    places = build.node("Concat", places, points, axis=1)
    places = build.node("Gather", places, _whole(build, _order(looks, found)), axis=1)
    joined = build.node("Concat", places, _depths(build, depths), axis=2)
    flat = build.node("Reshape", joined, _whole(build, [0, 3 * topology.COUNT]))
    shown = build.node("Reshape", build.node("Sigmoid", to.value(presence)), _whole(build, [0, 1]))
    return [
        (TensorSpec("landmarks", "landmarks", (BATCH, 3 * topology.COUNT)), flat),
        (TensorSpec("presence", "presence", (BATCH, 1), range=UNIT), shown),
    ]


def _order(looks: Crops, found: Found) -> Array:
    """(478,): of each landmark its place among those of the first look and, behind them, the points of all lanes."""
    order = np.arange(topology.COUNT)
    begin = topology.SKIN_COUNT
    for crop, count in zip(found.crops, found.counts, strict=True):
        iris = count == len(topology.LEFT_IRIS)
        indices = topology.IRISES[crop - 1] if iris else looks.subsets[crop]
        order[list(indices)] = begin + np.arange(count)
        begin += max(found.counts)
    return order


def _depths(build: Builder, depths: str) -> str:
    """(batch, 478, 1) of those of the first look (batch, 468, 1): irises get the mean of their lids'."""
    lids = [build.node("Gather", depths, _whole(build, sorted(eye)), axis=1) for eye in topology.EYES]
    means = [build.node("ReduceMean", lid, _whole(build, [1]), keepdims=1) for lid in lids]
    counts = [1] * topology.SKIN_COUNT + [len(iris) for iris in topology.IRISES]
    order = np.repeat(np.arange(len(counts)), counts)
    return build.node("Gather", build.node("Concat", depths, *means, axis=1), _whole(build, order), axis=1)


def _detections(to: Translation) -> list[tuple[TensorSpec, str]]:
    """Boxes with eyes, nose, mouth and ears at each anchor, relative to it and in pixels; and their probabilities."""
    build = to.builder
    boxes, scores = (to.value(name) for name in to.network.outputs)
    _, count, numbers = to.shape(to.network.outputs[0])
    boxes = build.node("Reshape", boxes, _whole(build, [0, count * numbers]))
    scores = build.node("Reshape", build.node("Sigmoid", scores), _whole(build, [0, count]))
    return [
        (TensorSpec("boxes", "boxes", (BATCH, count * numbers)), boxes),
        (TensorSpec("scores", "scores", (BATCH, count), range=UNIT), scores),
    ]


def _whole(build: Builder, numbers: Any) -> str:
    return build.constant(np.asarray(numbers, np.int64))


_OUTPUTS: Final = {
    "landmarks": _landmarks,
    "detector": _detections,
    "far_detector": _detections,
}
