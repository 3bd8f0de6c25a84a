"""`python -m mien_bench.quality.derive ICT.npz`: the basis of 68 points from the light ICT face model.

The file holds `neutral` (V, 3), `identity` (100, V, 3), `expression` (57, V, 3), `expression_names` and `landmarks68`
(68,), the vertices of the points. Shapes that no point shows (pupils, gaze, puffed cheeks) are left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np

OUTER_CORNERS: Final = (36, 45)
IDENTITIES = 50
"""What the others do to a point is below 0.005 distances of the outer eye corners each."""
LEAST = 0.01
"""Distance of outer eye corners by which a shape must move a point to be kept."""
LEFT_OUT: Final = ("Pupil", "eyeLook")
TURN: Final = np.array([1.0, -1.0, -1.0])
"""From y up, z towards the viewer, to a picture's y down, z away."""


def main(arguments: list[str]) -> int:
    """Write `basis68.npz` beside this file."""
    (source,) = arguments
    with np.load(source) as data:
        vertices = data["landmarks68"]
        neutral = data["neutral"][vertices].astype(np.float64) * TURN
        unit = abs(neutral[OUTER_CORNERS[1], 0] - neutral[OUTER_CORNERS[0], 0])
        identity = data["identity"][:IDENTITIES, vertices].astype(np.float64) * TURN / unit
        expression = data["expression"][:, vertices].astype(np.float64) * TURN / unit
        names = [str(name) for name in data["expression_names"]]
    eyes = neutral[list(OUTER_CORNERS)].mean(axis=0)
    kept = [
        number
        for number, name in enumerate(names)
        if not name.startswith(LEFT_OUT) and np.abs(expression[number]).max() > LEAST
    ]
    np.savez_compressed(
        Path(__file__).with_name("basis68.npz"),
        neutral=((neutral - eyes) / unit).astype(np.float32),
        identity=identity.astype(np.float16),
        expression=expression[kept].astype(np.float16),
        names=np.array([names[number] for number in kept]),
    )
    print(f"{len(kept)} of {len(names)} expressions: {', '.join(names[number] for number in kept)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
