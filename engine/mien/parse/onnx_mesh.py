"""MediaPipe's face mesh and face detectors by our runtimes: the networks of the bundle `landmarks`, and its rules."""

from __future__ import annotations

import functools
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from mien.bundles import find
from mien.face.topology import COUNT
from mien.manifest import Bundle, read_bundle
from mien.parse.detection import anchors, detections, region_of
from mien.parse.landmarker import SURE, SURE_OF_BOX
from mien.parse.region import FaceRegion, distinct
from mien.plane import Bounds
from mien.runtime.opening import choose
from mien.runtime.session import GraphSession, nhwc_view
from mien.runtime.sharing import SharedGraphs
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

MODEL: Final = "landmarks"
_GRAPHS: Final = SharedGraphs()
"""Of all landmarkers of the process: they share weights."""


@functools.cache
def _bundle() -> tuple[Bundle, str]:
    """The bundle, and the runtime that is the fastest here. Only fp32 is equal to MediaPipe's landmarks."""
    bundle = read_bundle(find(MODEL))
    return bundle, choose(bundle, "landmarks", precision="fp32").backend


def _session(graph: str) -> GraphSession:
    bundle, backend = _bundle()
    return _GRAPHS.session(bundle, graph, backend, "fp32")


class _Look:
    """A network whose input is a square of a picture, sampled as MediaPipe does: bilinear, one sample each."""

    def __init__(self, graph: str, low: float) -> None:
        """`low`: what black is in its input; white is 1."""
        self._session = _session(graph)
        (given,) = self._session.inputs.values()
        self.size = int(given.shape[2])
        self.lengths = [output.shape[1] for output in self._session.outputs.values()]
        """Of what a call gives."""
        last = nhwc_view(given)[0]
        self._layout: Final = "nhwc" if last.flags.c_contiguous else "nchw"
        self._input = last if self._layout == "nhwc" else given[0]
        self._low = low
        self._matrix = np.zeros((2, 3), np.float32)

    def __call__(self, pixels: Pixels, region: FaceRegion, padding: ops.Padding) -> list[Floats]:
        """The network's outputs, valid until the next call; where the square leaves the picture, `padding`."""
        region.matrix(self._matrix, self.size)
        scale, low = (1 - self._low) / 255, self._low
        ops.to_tensor(
            pixels, self._matrix, self._input, scale, low, padding=padding, layout=self._layout, antialias=False
        )
        self._session.run()
        return [output[0] for output in self._session.outputs.values()]

    def close(self) -> None:
        self._session.close()


class _Detector:
    """Detections of faces in a whole picture."""

    def __init__(self, graph: str) -> None:
        self._look = _Look(graph, -1.0)
        self._anchors = anchors(self._look.lengths[1])

    def __call__(self, pixels: Pixels) -> tuple[Floats, FaceRegion]:
        """Detections as `mien.parse.detection.detections`, and the square that they are relative to."""
        seen = FaceRegion.whole(pixels.shape[1], pixels.shape[0])
        boxes, scores = self._look(pixels, seen, "zero")
        return detections(boxes, scores, self._anchors, self._look.size, SURE_OF_BOX), seen

    def close(self) -> None:
        self._look.close()


class OnnxFaceMesh:
    """Landmarks of faces in a picture: tracked from call to call, or found anew each time (`still`)."""

    def __init__(self, *, still: bool, most: int = 1) -> None:
        """Open the networks; arguments as `mien.parse.landmarker.open_landmarker`.

        Raises:
            BackendError: no runtime is installed.
            ModelError: the bundle is missing, broken, or has another detector.
        """
        self._still, self._most = still, most
        self._detector = _Detector("detector")
        self._landmarks = _Look("landmarks", 0.0)
        self._far: _Detector | None = None
        self._regions: list[FaceRegion] = []
        """Where the faces of the last picture are expected in the next one."""

    def __call__(self, pixels: Pixels) -> list[Array]:
        """Landmarks (478, 3) of each face in `pixels` (H, W, 3): x, y in pixels, z in the scale of x."""
        regions = [] if self._still else self._regions
        if len(regions) < self._most:
            found, seen = self._detector(pixels)
            regions = distinct([region_of(detection, seen) for detection in found[: self._most]] + regions)
        faces, self._regions = [], []
        for region in regions:
            points, presence = self._landmarks(pixels, region, "border")
            if presence[0] > SURE:
                faces.append(region.from_crop(points.reshape(COUNT, 3), self._landmarks.size))
                self._regions.append(FaceRegion.of_landmarks(faces[-1]))
        return faces

    def boxes(self, pixels: Pixels) -> list[Bounds]:
        """Boxes of faces in `pixels` (H, W, 3), largest first; also of some that are too small for the face mesh."""
        self._far = self._far or _Detector("far_detector")
        found, seen = self._far(pixels)
        corner = np.array([seen.x, seen.y]) - seen.side / 2
        boxes = (found[:, :2] * seen.side + corner).reshape(-1, 4).tolist()
        return sorted(((a, b, c, d) for a, b, c, d in boxes), key=lambda b: (b[0] - b[2]) * (b[3] - b[1]))

    def forget(self) -> None:
        """Do not track on from the last call."""
        self._regions = []

    def close(self) -> None:
        """Let go of the networks; their weights stay for others."""
        for opened in (self._detector, self._landmarks, self._far):
            if opened is not None:
                opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
