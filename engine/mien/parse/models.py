"""MediaPipe's face mesh, face detector and person segmentation on arrays; the only file that imports it."""

from __future__ import annotations

import functools
import os
from importlib import import_module
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien.errors import BackendError
from mien.plane import Bounds
from mien.runtime.cache import keep_matplotlib_here
from mien_kernels.stderr_filter import filter_stderr

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

NOTES = (
    "Created TensorFlow Lite XNNPACK delegate",
    "log messages before absl::InitializeLog()",
    " inference_feedback_manager.cc:",
    " landmark_projection_calculator.cc:",
    " gl_context",
)
"""Messages of MediaPipe's native code on stderr at each start of a graph, without use for a user."""


@functools.cache
def _first_process() -> int:
    """Process id in which MediaPipe was first used; a fork inherits the cached value."""
    return os.getpid()


def _need_own_process() -> None:
    """Refuse what would abort, without a word, or wait for ever: MediaPipe's threads do not come along into a fork.

    Raises:
        BackendError: this process was forked after MediaPipe was used.
    """
    if _first_process() != os.getpid():
        raise BackendError(
            "landmarks: expected a process in which nobody looked for faces before it was forked, got another one; "
            "start processes by spawn or forkserver (multiprocessing.get_context)"
        )


def _solutions(name: str) -> Any:
    """The module `name` of MediaPipe's solutions, which says nothing and writes nothing outside of mien's folders.

    MediaPipe imports matplotlib to draw with, which puts a font cache into the user's folders, unless it has one of its
    own there already.

    Raises:
        BackendError: this process was forked after MediaPipe was used.
    """
    _need_own_process()
    filter_stderr(NOTES)
    keep_matplotlib_here()
    return import_module(f"mediapipe.python.solutions.{name}")


class FaceDetector:
    """Boxes of faces, also of some that are too small for the face mesh to find by itself."""

    def __init__(self, *, least_score: float = 0.4) -> None:
        detection = _solutions("face_detection")
        self._graph: Any = detection.FaceDetection(model_selection=1, min_detection_confidence=least_score)
        self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def __call__(self, pixels: Pixels) -> list[Bounds]:
        """Boxes in `pixels` (H, W, 3), largest first."""
        found = self._graph.process(pixels).detections or ()
        height, width = pixels.shape[:2]
        boxes = []
        for detection in found:
            box = detection.location_data.relative_bounding_box
            x, y = box.xmin * width, box.ymin * height
            boxes.append((x, y, x + box.width * width, y + box.height * height))
        return sorted(boxes, key=lambda b: (b[0] - b[2]) * (b[3] - b[1]))

    def close(self) -> None:
        self._graph.close()


class FaceMesh:
    """Landmarks of faces in a picture: tracked from call to call, or found anew each time (`still`)."""

    def __init__(self, *, still: bool, most: int = 1) -> None:
        self._graph: Any = _solutions("face_mesh").FaceMesh(
            static_image_mode=still,
            max_num_faces=most,
            refine_landmarks=True,
            min_detection_confidence=0.4,
            min_tracking_confidence=0.4,
        )
        self._open()
        self._detector: FaceDetector | None = None

    def __call__(self, pixels: Pixels) -> list[Array]:
        """Landmarks (478, 3) of each face in `pixels` (H, W, 3): x, y in pixels, z in the scale of x."""
        found = self._graph.process(pixels).multi_face_landmarks or ()
        height, width = pixels.shape[:2]
        scale = np.array([width, height, width], dtype=np.float64)
        return [_points(face) * scale for face in found]

    def boxes(self, pixels: Pixels) -> list[Bounds]:
        """What a `FaceDetector` of its own, made when first asked for, finds in `pixels` (H, W, 3)."""
        self._detector = self._detector or FaceDetector()
        return self._detector(pixels)

    def forget(self) -> None:
        """Do not track on from the last call."""
        self._graph.reset()
        self._open()

    def _open(self) -> None:
        """Run the graph on an empty picture: the first run loads its models."""
        self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def close(self) -> None:
        self._graph.close()
        if self._detector is not None:
            self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


LANDMARK_BYTES = 17
LANDMARK_TAGS = ((0, 0x0A), (1, 15), (2, 0x0D), (7, 0x15), (12, 0x1D))
"""How protobuf writes a landmark of three floats: (offset, byte) of its tags and length."""


def _points(face: Any) -> Array:
    """(N, 3) from a NormalizedLandmarkList. Reading its wire form is six times faster than its Python objects, and that
    time would be taken from the other workers, since it holds the interpreter's lock."""
    rows = np.frombuffer(face.SerializeToString(), np.uint8)
    if len(rows) == LANDMARK_BYTES * len(face.landmark):
        rows = rows.reshape(-1, LANDMARK_BYTES)
        if all((rows[:, offset] == byte).all() for offset, byte in LANDMARK_TAGS):
            floats = np.concatenate([rows[:, 3:7], rows[:, 8:12], rows[:, 13:17]], axis=1)
            return np.asarray(floats.view("<f4"), dtype=np.float64)
    return np.array([(p.x, p.y, p.z) for p in face.landmark], dtype=np.float64)


def segment_person(pixels: Pixels) -> NDArray[np.float32]:
    """(H, W) in 0..1: how surely each pixel of `pixels` (H, W, 3) belongs to a person."""
    with _solutions("selfie_segmentation").SelfieSegmentation(model_selection=0) as graph:
        mask = graph.process(pixels).segmentation_mask
    return np.asarray(mask, dtype=np.float32)
