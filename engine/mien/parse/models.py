"""The only file that knows MediaPipe: its face mesh, face detector and person segmentation, on plain arrays."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien.errors import BackendError

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MediaPipe's native code writes notes about its delegates to the terminal while a graph starts; keep them off it.

    Only file descriptor 2 is turned aside, and only for the start of a graph.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@functools.cache
def _first_process() -> int:
    """That in which MediaPipe was first used; a process that is forked from it takes the answer along."""
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


class FaceDetector:
    """Boxes of faces, also of some that are too small for the face mesh to find by itself."""

    def __init__(self, *, least_score: float = 0.4) -> None:
        _need_own_process()
        with _quiet():
            from mediapipe.python.solutions import face_detection

            self._graph: Any = face_detection.FaceDetection(model_selection=1, min_detection_confidence=least_score)
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def __call__(self, pixels: Pixels) -> list[Box]:
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
        _need_own_process()
        with _quiet():
            from mediapipe.python.solutions import face_mesh

            self._graph: Any = face_mesh.FaceMesh(
                static_image_mode=still,
                max_num_faces=most,
                refine_landmarks=True,
                min_detection_confidence=0.4,
                min_tracking_confidence=0.4,
            )
            self._open()
        self._met = False
        """Whether it has met a face: with the first one come more notes."""
        self._detector: FaceDetector | None = None

    def __call__(self, pixels: Pixels) -> list[Array]:
        """Landmarks (478, 3) of each face in `pixels` (H, W, 3): x, y in pixels, z in the scale of x."""
        found = self._process(pixels).multi_face_landmarks or ()
        height, width = pixels.shape[:2]
        scale = np.array([width, height, width], dtype=np.float64)
        return [_points(face) * scale for face in found]

    def _process(self, pixels: Pixels) -> Any:
        if self._met:
            return self._graph.process(pixels)
        with _quiet():
            result = self._graph.process(pixels)
        self._met = bool(result.multi_face_landmarks)
        return result

    def boxes(self, pixels: Pixels) -> list[Box]:
        """What a `FaceDetector` of its own, made when first asked for, finds in `pixels` (H, W, 3)."""
        self._detector = self._detector or FaceDetector()
        return self._detector(pixels)

    def forget(self) -> None:
        """Do not track on from the last call."""
        with _quiet():
            self._graph.reset()
            self._open()

    def _open(self) -> None:
        """Show the graph an empty picture: with the first one it opens its models and writes its notes."""
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
    _need_own_process()
    with _quiet():
        from mediapipe.python.solutions import selfie_segmentation

        with selfie_segmentation.SelfieSegmentation(model_selection=0) as graph:
            mask = graph.process(pixels).segmentation_mask
    return np.asarray(mask, dtype=np.float32)
