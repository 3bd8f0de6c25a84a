"""Make the model of a face's expression: `python -m mien_export.rest_model --ict DIR --out FILE`.

The most likely strengths of expressions in one un-posed shape, where nobody knows the person: the linear estimate of
least mean square error under y = identity + expressions + parted lips + error of the pose + error of the landmarks,
all Gaussian. Identity and expressions are the light ICT face model's (MIT licence, copyright 2020 USC Institute for
Creative Technologies); the other variances stand below. What identity explains as well comes out small: the estimate
shrinks to "no expression" where it is not sure.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face import topology
from mien.face.contacts import close_lips, parting_fields
from mien.face.topology import canonical_face
from mien_export.data.ict import FILE, Ict, expression_fields, landmark_fields, read_ict

Array = NDArray[np.float64]

DEVIATIONS: Final = {
    "jawOpen": 0.35,
    "mouthFunnel": 0.2,
    "mouthUpperUp": 0.3,
    "mouthLowerDown": 0.3,
    "mouthSmile": 0.5,
    "mouthStretch": 0.25,
    "cheekSquint": 0.35,
    "cheekRaiser": 0.3,
    "eyeSquint": 0.4,
    "browInnerUp": 0.4,
    "browOuterUp": 0.4,
    "browDown": 0.35,
    "eyeBlink": 0.25,
    "eyeWide": 0.3,
    "noseSneer": 0.2,
    "mouthPucker": 0.25,
    "mouthFrown": 0.2,
    "mouthDimple": 0.25,
    "mouthPress": 0.25,
    "cheekPuff": 0.2,
    "mouthRollLower": 0.2,
    "mouthRollUpper": 0.2,
    "mouthShrugLower": 0.2,
    "mouthShrugUpper": 0.15,
    "mouthLeft": 0.08,
    "mouthRight": 0.08,
    "jawLeft": 0.1,
    "jawRight": 0.1,
    "jawForward": 0.3,
}
"""Standard deviation of an expression's strength in portraits, by name without its side."""
TAKEN_OUT: Final = (
    *("jawOpen", "mouthFunnel", "mouthUpperUp", "mouthLowerDown", "jawLeft", "jawRight", "mouthLeft", "mouthRight"),
    *("mouthSmile", "mouthStretch", "cheekSquint", "cheekRaiser", "eyeSquint", "browInnerUp", "browOuterUp"),
)
"""What the file holds. The others only take part in the estimate, so that they are not mistaken for these."""
SIDES: Final = 0.8
"""Correlation between the two sides of one expression."""
SMILING: Final = {
    "mouthSmile": 1.0,
    "cheekSquint": 0.6,
    "cheekRaiser": 0.5,
    "mouthUpperUp": 0.5,
    "eyeSquint": 0.3,
    "mouthDimple": 0.3,
    "mouthStretch": 0.2,
}
"""How far expressions go with a smile; half of the product of two of these is their correlation."""
PARTED: Final = (0.03, 0.015)
"""Standard deviation of how far the lower and the upper lip part without jaw, in eye distances. Between two photographs
of one person (115 pairs) the chin goes along by 0.45 (0.27 to 0.62) of the lips' gap; this takes out 0.31."""
POINT, CONTOUR, BROAD, BROAD_REACH = 0.01, 0.05, 0.02, 0.12
"""Standard deviations of a landmark's error in eye distances: by itself, on the contour, and together with its
neighbours within a reach."""
PITCH, YAW, ROLL, SIZE = np.radians(4.0), np.radians(2.5), np.radians(1.0), 0.02
"""Standard deviations of the pose's error."""
RIGID: Final = np.array(topology.RIGID)


def similarities(points: Array) -> Array:
    """(7, N, 3): how points (N, 3) move with size, turns about x, y and z, and the three ways."""
    x, y, z = points.T
    nought, one = np.zeros_like(x), np.ones_like(x)
    turns = ((nought, -z, y), (z, nought, -x), (-y, x, nought))
    ways = ((one, nought, nought), (nought, one, nought), (nought, nought, one))
    return np.stack([points, *(np.stack(rows, axis=1) for rows in (*turns, *ways))])


def unposed(fields: Array) -> Array:
    """Fields (S, 478, 3) as they are left when the pose is fitted to the rigid points and undone."""
    moves = similarities(canonical_face().points)
    columns = moves[:, RIGID].reshape(len(moves), -1).T
    shares = np.linalg.lstsq(columns, fields[:, RIGID].reshape(len(fields), -1).T, rcond=None)[0]
    return np.asarray(fields - np.tensordot(shares.T, moves, 1))


def without_side(name: str) -> str:
    """An expression's name without `_L` or `_R`."""
    return name.removesuffix("_L").removesuffix("_R")


def covariance(names: list[str]) -> Array:
    """(K, K): of the strengths of expressions."""
    plain = [without_side(name) for name in names]
    deviations = np.array([DEVIATIONS[name] for name in plain])
    smiling = np.array([SMILING.get(name, 0.0) for name in plain])
    same = np.equal.outer(np.array(plain), np.array(plain))
    correlation = np.where(same, SIDES, 0.5 * np.outer(smiling, smiling))
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation * np.outer(deviations, deviations))
    return np.asarray((vectors * np.maximum(values, 1e-6)) @ vectors.T)


def estimator(expressions: Array, identities: Array, strengths: Array) -> tuple[Array, Array]:
    """Weights (K, 2 * 468) that give strengths from what x and y of skin landmarks differ by from the canonical face,
    and the standard deviation (K,) of what they give.

    Args:
        expressions: (K, 478, 3) fields.
        identities: (I, 478, 3) fields for one standard deviation each.
        strengths: (K, K) covariance.
    """
    points = canonical_face().points[: topology.SKIN_COUNT]
    errors = similarities(points)[:4] * np.array([SIZE, PITCH, YAW, ROLL])[:, None, None]
    known = np.concatenate([_plane(identities), _plane(errors)])
    spread = np.where(np.isin(np.arange(len(points)), topology.OVAL), CONTOUR, POINT)
    apart = ((points[:, None, :2] - points[None, :, :2]) ** 2).sum(axis=2)
    broad = BROAD**2 * np.exp(-apart / (2 * BROAD_REACH**2))
    noise = known.T @ known + np.kron(broad + np.diag(spread**2), np.eye(2))
    fields = _plane(expressions)
    weights = np.linalg.solve(noise + fields.T @ strengths @ fields, fields.T @ strengths).T
    left = strengths - weights @ fields.T @ strengths
    return weights, np.sqrt(np.diag(left))


def _plane(fields: Array) -> Array:
    """(S, 2 * 468): x and y of the skin's landmarks."""
    return fields[:, : topology.SKIN_COUNT, :2].reshape(len(fields), -1)


def make(ict: Ict, identities: NDArray[np.float16], out: Path) -> None:
    """Write names, fields (K, 478, 3), weights (K, 936), biases (K,) and deviations (K,) to `out`."""
    fields = expression_fields(ict)
    names = [name for name in fields if without_side(name) in DEVIATIONS]
    expressions = unposed(np.stack([*(fields[name] for name in names), *parting_fields()]))
    strengths = np.zeros((len(expressions), len(expressions)))
    strengths[: len(names), : len(names)] = covariance(names)
    strengths[len(names) :, len(names) :] = np.diag(np.square(PARTED))
    weights, deviations = estimator(expressions, unposed(landmark_fields(ict, identities)), strengths)
    rows = [k for k, name in enumerate(names) if without_side(name) in TAKEN_OUT]
    weights = weights[rows].astype(np.float16)
    mean = close_lips(canonical_face().points)[: topology.SKIN_COUNT, :2].ravel()
    np.savez_compressed(
        out,
        names=np.array([names[k] for k in rows]),
        fields=expressions[rows].astype(np.float16),
        weights=weights,
        biases=(-weights.astype(np.float64) @ mean).astype(np.float32),
        deviations=deviations[rows].astype(np.float32),
    )
    for k in rows:
        print(f"{names[k]:18} prior {np.sqrt(strengths[k, k]):.2f}, left {deviations[k]:.2f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ict", type=Path, required=True, help=f"folder with {FILE}")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with np.load(options.ict / FILE) as data:
        identities = data["identity"]
    make(read_ict(options.ict), identities, options.out)


if __name__ == "__main__":
    main()
