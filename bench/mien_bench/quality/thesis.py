"""The figures to stand beside, from the thesis on one-shot face reenactment, and what differs here."""

from __future__ import annotations

from typing import Final

GROUPS: Final = ("same source", "cross source", "in the wild")

TABLE_41: Final[dict[str, tuple[tuple[float, float, float | None], ...]]] = {
    "Reference": ((0.0, 7.49, None), (0.0, 7.77, None), (0.0, 7.51, None)),
    "w/o Fusion": ((80.0, 2.79, 89.1), (80.2, 2.84, 88.2), (80.0, 2.91, 90.2)),
    "with Fusion": ((75.1, 2.72, 98.2), (70.9, 2.74, 98.5), (71.1, 2.63, 98.3)),
}
"""AU consistency in per cent, pose in degrees, identity in per cent; for each of `GROUPS`."""
TABLE_42: Final = {"no-concat": 77.7, "lambda-3": 84.9, "lambda-10": 86.9, "lambda-25": 89.1, "lambda-50": 85.2}
"""Identity in per cent, same source, without fusion."""
TABLE_43: Final = {1: 97.2, 3: 99.3, 5: 99.4}
"""Identity in per cent by the number of pictures of a person."""

DIFFERENT: Final = (
    (
        "References: portraits of the test split (same source), calm frames of the clips (cross source), pictures such "
        "as paintings, a statue and blends of nobody (in the wild); the thesis has 500 photographs. Guides: frames of "
        "the clips; it has 100."
    ),
    (
        "Action units: changes of 12 intensities from the person at rest, by shapes fitted to dlib's 68 points "
        "(ridge), which agree with known ones at about 0.8; the thesis does not name its estimator."
    ),
    "Pose: from the same fit; the guide's turn is copied whole, expressions relative to the guide's own neutral.",
    "Identity: dlib's embedding, within 0.6 of the reference; the thesis states neither network nor threshold.",
    "Answers in which dlib finds no face count as another person and are left out of the rest.",
)
DIFFERENT_42: Final = "Here at small size, with trainings of equal length, which the thesis's had not."
DIFFERENT_43: Final = (
    "People are the clips', several frames of each; the thesis has 32 film identities with 7 pictures."
)
