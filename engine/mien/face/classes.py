"""The 19 classes of face parsing, in the order of their ids. Left and right are the picture's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FaceClass:
    """One class of a label map."""

    name: str
    colour: tuple[int, int, int]
    """sRGB in which it is shown."""


CLASSES: Final = (
    FaceClass("background", (20, 20, 30)),
    FaceClass("skin", (224, 172, 140)),
    FaceClass("nose", (250, 210, 120)),
    FaceClass("glasses", (30, 160, 220)),
    FaceClass("left_eye", (60, 90, 255)),
    FaceClass("right_eye", (90, 220, 255)),
    FaceClass("left_brow", (140, 60, 20)),
    FaceClass("right_brow", (190, 110, 30)),
    FaceClass("left_ear", (255, 120, 160)),
    FaceClass("right_ear", (255, 60, 200)),
    FaceClass("mouth", (255, 255, 255)),
    FaceClass("upper_lip", (200, 40, 60)),
    FaceClass("lower_lip", (255, 90, 90)),
    FaceClass("hair", (90, 60, 160)),
    FaceClass("hat", (0, 140, 0)),
    FaceClass("earring", (255, 255, 0)),
    FaceClass("necklace", (0, 255, 160)),
    FaceClass("neck", (190, 130, 100)),
    FaceClass("cloth", (60, 120, 80)),
)
"""The id of a class is its place here."""

NAMES: Final = tuple(found.name for found in CLASSES)
BACKGROUND, SKIN, NOSE, GLASSES = range(4)
LEFT_EYE, RIGHT_EYE, LEFT_BROW, RIGHT_BROW, LEFT_EAR, RIGHT_EAR = range(4, 10)
MOUTH, UPPER_LIP, LOWER_LIP, HAIR, HAT, EARRING, NECKLACE, NECK, CLOTH = range(10, 19)

MIRRORED: Final = tuple(
    NAMES.index(name.replace("left", "*").replace("right", "left").replace("*", "right")) for name in NAMES
)
"""The class that each becomes when the picture is mirrored."""
