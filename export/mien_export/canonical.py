"""Make the canonical face: `python -m mien_export.canonical --data DIR --out FILE`.

Un-posed landmarks of closed-mouth faces, averaged by generalised Procrustes analysis and made symmetric. The unit is
the distance of the outer eye corners; x to the picture's right, y down, z away from the viewer; the origin lies on the
axis of symmetry at the height of the eyes and the depth of the temples, about where a head turns.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import Delaunay

from mien.face import topology
from mien.face.pose import Array, fit_similarity

Indices = NDArray[np.int64]
RIGID = np.array(topology.RIGID)
MIRROR = np.array([-1.0, 1.0, 1.0])


def read_faces(data: Path) -> tuple[Array, Array]:
    """Landmarks (N, 478, 3) of near-frontal training portraits and their mouth openings (N,)."""
    with (data / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    landmarks = np.load(data / "landmarks.npz")["landmarks"].astype(np.float64)
    keep = [i for i, row in enumerate(rows) if row["split"] == "train" and abs(float(row["yaw_proxy"])) < 0.25]
    return landmarks[keep], np.array([float(rows[i]["mouth_open"]) for i in keep])


def mean_shape(faces: Array, rounds: int = 8) -> Array:
    """Mean of `faces` (N, 478, 3) after each is aligned to it by its rigid points."""
    mean = faces[0]
    for _ in range(rounds):
        aligned = [fit_similarity(face[RIGID], mean[RIGID]).apply(face) for face in faces]
        mean = np.median(aligned, axis=0)
    return np.asarray(mean)


def mirror_pairs(shape: Array) -> Indices:
    """For every landmark the index of its mirror image, by the cheapest matching of the mirrored shape."""
    mirrored = (shape - shape.mean(axis=0)) * MIRROR + shape.mean(axis=0)
    for _ in range(4):
        cost = ((shape[:, None] - mirrored[None]) ** 2).sum(axis=2)
        pairs = linear_sum_assignment(cost + cost.T)[1]
        mirrored = fit_similarity(mirrored[pairs], shape).apply(mirrored)
    if not np.array_equal(pairs[pairs], np.arange(len(shape))):
        raise ValueError("the landmarks' mirror images do not pair up")
    return np.asarray(pairs)


def symmetric(shape: Array, pairs: Indices) -> Array:
    """`shape` turned so that its mirror plane is x = 0, and averaged with its mirror image."""
    mirrored = (shape * MIRROR)[pairs]
    turn = fit_similarity(mirrored, shape)
    # the reflection's plane lies half-way between a shape and its turned mirror image
    mean = (shape + turn.apply(mirrored)) / 2
    across = mean[topology.RIGHT_EYE[0]] - mean[topology.LEFT_EYE[0]]
    x = across / np.linalg.norm(across)
    down = mean[152] - mean[10]
    z = np.cross(x, down)
    z /= np.linalg.norm(z)
    frame = np.stack([x, np.cross(z, x), z])
    out = (mean - mean.mean(axis=0)) @ frame.T
    return np.asarray((out + (out * MIRROR)[pairs]) / 2)


def normalise(shape: Array, pitch: float) -> Array:
    """Scale to eye distance 1, put the origin between the temples at eye height, keep the mean face's own `pitch`."""
    c, s = np.cos(pitch), np.sin(pitch)
    shape = shape @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T
    eyes = shape[[topology.LEFT_EYE[0], topology.RIGHT_EYE[0]]]
    temples = shape[[127, 356]]
    origin = np.array([0.0, eyes[:, 1].mean(), temples[:, 2].mean()])
    return np.asarray((shape - origin) / np.linalg.norm(eyes[1] - eyes[0]))


def triangulate(opened: Array) -> Indices:
    """Delaunay triangles of the skin landmarks in the face's plane, inside the contour and outside of eyes and mouth.

    `opened` has its lips apart, so that upper and lower lip are not joined across the gap.
    """
    plane = opened[: topology.SKIN_COUNT, :2]
    triangles = Delaunay(plane).simplices
    centres = plane[triangles].mean(axis=1)
    inside = Outline(plane[list(topology.OVAL)]).contains_points(centres)
    for hole in (*topology.EYES, topology.INNER_LIPS):
        inside &= ~np.isin(triangles, hole).all(axis=1)
    return np.asarray(triangles[inside], dtype=np.int64)


def oriented(triangles: Indices, plane: Array) -> Indices:
    """Triangles with one winding, in an order that does not depend on the triangulation's run."""
    a, b, c = (plane[triangles[:, i]] for i in range(3))
    flip = np.cross(b - a, c - a) < 0
    triangles[flip] = triangles[flip][:, ::-1]
    first = triangles.argmin(axis=1)
    rolled = np.stack([np.roll(row, -k) for row, k in zip(triangles, first, strict=True)])
    return np.asarray(rolled[np.lexsort(rolled.T[::-1])])


def make(data: Path, out: Path) -> None:
    """Write points (478, 3) float32, triangles (T, 3) int32 and mirror (478,) int32 to `out`."""
    faces, opening = read_faces(data)
    closed = mean_shape(faces[opening < 0.03])
    pairs = mirror_pairs(closed)
    forward = closed[152] - closed[10]
    pitch = float(np.arctan2(forward[2], forward[1]))
    points = normalise(symmetric(closed, pairs), -pitch)
    opened = normalise(symmetric(mean_shape(faces[opening > 0.12]), pairs), -pitch)
    triangles = oriented(triangulate(opened), opened[:, :2])
    np.savez_compressed(
        out,
        points=points.astype(np.float32),
        triangles=triangles.astype(np.int32),
        mirror=pairs.astype(np.int32),
    )
    closed_mouths = int((opening < 0.03).sum())
    print(f"{closed_mouths} closed-mouth faces, {len(triangles)} triangles, pitch {np.degrees(pitch):.1f} degrees")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with landmarks.npz and manifest.csv")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    make(options.data, options.out)


if __name__ == "__main__":
    main()
