"""The graphs of the family `landmarks`, made of MediaPipe's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from onnx import ModelProto

from mien.face import topology
from mien.manifest import TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien_export.landmarks.attention import OWN
from mien_export.landmarks.builder import Builder
from mien_export.landmarks.flatbuffer import Network, read_network
from mien_export.landmarks.translate import Translation

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
    to = Translation(network, OWN)
    to.run()
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
    mesh, *looks, presence = (to.value(name) for name in to.network.outputs)
    first = build.node("Reshape", mesh, _whole(build, [0, topology.SKIN_COUNT, 3]))
    places, depths = build.split(first, [2, 1], 2)
    found = [build.node("Reshape", look, _whole(build, [0, -1, 2])) for look in looks]
    taken = np.arange(topology.COUNT)
    at = topology.SKIN_COUNT
    for indices in (*_looked_at(to.network), topology.LEFT_IRIS, topology.RIGHT_IRIS):
        taken[list(indices)] = np.arange(at, at + len(indices))
        at += len(indices)
    places = build.node("Gather", build.node("Concat", places, *found, axis=1), build.constant(taken), axis=1)
    lids = [build.node("Gather", depths, build.constant(np.array(sorted(eye))), axis=1) for eye in topology.EYES]
    means = [build.node("ReduceMean", lid, _whole(build, [1]), keepdims=1) for lid in lids]
    taken = np.repeat(np.arange(topology.SKIN_COUNT + 2), [1] * topology.SKIN_COUNT + [len(i) for i in topology.IRISES])
    depths = build.node("Gather", build.node("Concat", depths, *means, axis=1), build.constant(taken), axis=1)
    joined = build.node("Concat", places, depths, axis=2)
    flat = build.node("Reshape", joined, _whole(build, [0, 3 * topology.COUNT]))
    shown = build.node("Reshape", build.node("Sigmoid", presence), _whole(build, [0, 1]))
    return [
        (TensorSpec("landmarks", "landmarks", (BATCH, 3 * topology.COUNT)), flat),
        (TensorSpec("presence", "presence", (BATCH, 1), range=UNIT), shown),
    ]


def _looked_at(network: Network) -> list[list[int]]:
    """Landmarks of lips, left and right eye in the order of the second looks at them."""
    return [list(one.options["subset_idxs"]) for one in network.operators if one.kind == "Landmarks2TransformMatrix"]


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


def _whole(build: Builder, numbers: list[int]) -> str:
    return build.constant(np.array(numbers, np.int64))


_OUTPUTS: Final = {
    "landmarks": _landmarks,
    "detector": _detections,
    "far_detector": _detections,
}
