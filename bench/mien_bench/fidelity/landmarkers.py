"""Landmarkers that judge answers: OpenSeeFace and dlib, which the engine does not use, and MediaPipe, which it does.

Each is callable (picture, about where the 68 points lie) -> reading, None where no face is seen. The place is a hint
for the first crop only: OpenSeeFace looks a second time where its own points are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingError, SourceError
from mien.manifest import Graph, TensorSpec
from mien.parse.find import cut_square, find_faces, refine
from mien.parse.models import FaceMesh
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_bench.fidelity.points68 import Reading, read_mesh, read_points
from mien_kernels import ops

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Landmarker = Callable[[Pixels, Array], Reading | None]
"""(picture (H, W, 3), points (68, 2) in its pixels, roughly) -> reading."""

OPENSEEFACE: Final = Path("measure/openseeface/lm_model0.onnx")
"""Below the data folder."""
SIDE: Final = 224
GRID: Final = 28
"""Cells of a heat map along one side."""
POINTS: Final = 66
LOGIT: Final = 16.0
"""By which an offset's logit is divided."""
MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32)
"""ImageNet's, of colours in 0..1."""
ROOM: Final = np.array([0.1, 0.125])
"""Margin of the crop on each side, relative to the box of the points."""
LEAST_TRUST: Final = 0.6
"""Mean height of the heat maps' peaks below which there is no face: faces have 0.77 and more, black or noise 0.35."""
LOOKS: Final = 2
MESH_LOOKS: Final = 2
MARGIN: Final = 0.5
"""Around the points where the mesh is looked for, relative to their box."""
CORNERS: Final = {48: 60, 54: 64}
"""Outer corners of the mouth, which this model does not have, and the inner ones that stand for them."""
_HAVE: Final = [i for i in range(68) if i not in CORNERS]


def openseeface_path(named: Path | None, data: Path | None) -> Path:
    """The model's file: the one that is named, else that of the data folder.

    Raises:
        SourceError: it is not there.
        SettingError: nothing says where.
    """
    if named is None and data is None:
        raise SettingError(
            "OpenSeeFace's landmark model is not known; name lm_model0 of github.com/emilianavt/OpenSeeFace by "
            "--openseeface, or a data folder with measure/openseeface by --data or MIEN_DATA"
        )
    path = named or (data or Path()) / OPENSEEFACE
    if not path.is_file():
        raise SourceError(f"{path}: expected OpenSeeFace's landmark model, got no file; name another by --openseeface")
    return path


class OpenSeeFace:
    """OpenSeeFace's landmark model of 66 points (BSD 2-Clause, by Emiliana): heat maps with offsets within a cell."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load the model.

        Raises:
            BackendError: ONNX Runtime is missing, or refuses the file.
        """
        shapes = (1, 3, SIDE, SIDE), (1, 3 * POINTS, GRID, GRID)
        given, got = (TensorSpec(name, name, shape) for name, shape in zip(("input", "output"), shapes, strict=True))
        graph = Graph("landmarks", "fp32", path, "", (given,), (got,), "request")
        self._session = OnnxRuntimeSession(graph, threads=threads)

    def __call__(self, pixels: Pixels, about: Array) -> Reading | None:
        points: Array | None = about
        for _ in range(LOOKS):
            points = self.points(pixels, points) if points is not None else None
        return None if points is None else read_points(points)

    def points(self, pixels: Pixels, about: Array) -> Array | None:
        """(68, 2): of the face whose points lie about there; None where there is none."""
        low, high = about.min(axis=0), about.max(axis=0)
        corner, extent = low - ROOM * (high - low), (1 + 2 * ROOM) * (high - low)
        if (extent < 4).any():
            return None
        self._session.inputs["input"][0] = crop_tensor(pixels, corner, extent)
        self._session.run()
        found, trust = decoded(self._session.outputs["output"][0])
        if trust < LEAST_TRUST:
            return None
        out = np.empty((68, 2))
        out[_HAVE] = corner + extent * found
        out[list(CORNERS)] = out[list(CORNERS.values())]
        return out

    def close(self) -> None:
        """Free the runtime's memory."""
        self._session.close()


def crop_tensor(pixels: Pixels, corner: Array, extent: Array) -> Floats:
    """(3, 224, 224): the part of a picture (H, W, 3) from `corner` on, `extent` wide and high, normalised; large parts
    are averaged first, so that none is sampled with gaps."""
    step = max(int(extent.max() / SIDE), 1)
    height, width = (side // step * step for side in pixels.shape[:2])
    parts = pixels[:height, :width].reshape(height // step, step, width // step, step, 3)
    small = pixels if step == 1 else np.rint(parts.mean(axis=(1, 3))).astype(np.uint8)
    xs, ys = ((corner[i] + (np.arange(SIDE) + 0.5) * extent[i] / SIDE) / step - 0.5 for i in (0, 1))
    flow = np.stack(np.meshgrid(xs, ys), axis=-1).astype(np.float32)
    shown = ops.flow_warp(np.ascontiguousarray(small), flow).astype(np.float32) / 255
    return np.ascontiguousarray(((shown - MEAN) / DEVIATION).transpose(2, 0, 1))


def decoded(maps: Floats) -> tuple[Array, float]:
    """(66, 2) points as shares of the crop's side, and how far they are trusted (0..1), from maps (198, 28, 28).

    66 heat maps say which cell, two more for each point where in it: the first of these is along y. Their logits are
    divided by `LOGIT`; cells are counted over 27 intervals of the crop's 223 pixels.
    """
    heat, *offsets = maps.reshape(3, POINTS, GRID * GRID).astype(np.float64)
    best = heat.argmax(axis=1)
    rows, columns = best // GRID, best % GRID
    along = []
    for cell, offset in zip((rows, columns), offsets, strict=True):
        share = np.clip(offset[np.arange(POINTS), best], 1e-7, 1 - 1e-7)
        along.append((SIDE - 1) * (cell / (GRID - 1) + np.log(share / (1 - share)) / LOGIT))
    points = np.stack([along[1], along[0]], axis=1) / SIDE
    return points, float(heat[np.arange(POINTS), best].mean())


class MeshReader:
    """MediaPipe's mesh on a single picture."""

    def __init__(self, mesh: FaceMesh) -> None:
        self._mesh = mesh

    def landmarks(self, pixels: Pixels, about: Array) -> Array | None:
        """(478, 3) of the face that lies about there; None where there is none."""
        low, high = about.min(axis=0), about.max(axis=0)
        corner, cut = cut_square(pixels, (*low.tolist(), *high.tolist()), MARGIN)
        faces = find_faces(cut, self._mesh)
        return refine(pixels, faces[0] + np.array([*corner, 0.0]), self._mesh, MESH_LOOKS) if faces else None

    def __call__(self, pixels: Pixels, about: Array) -> Reading | None:
        landmarks = self.landmarks(pixels, about)
        return None if landmarks is None else read_mesh(landmarks)


@contextmanager
def open_mesh_reader() -> Iterator[MeshReader]:
    """A reader whose models are closed on leaving."""
    with FaceMesh(still=True, most=1) as mesh:
        yield MeshReader(mesh)


def data_folder(named: Path | None) -> Path | None:
    """The data folder: the named one, else `$MIEN_DATA`, if that is set."""
    root = named or os.environ.get("MIEN_DATA")
    return Path(root) if root else None
