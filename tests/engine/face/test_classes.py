"""The classes of face parsing."""

from __future__ import annotations

from mien.face.classes import BACKGROUND, CLOTH, HAIR, LEFT_EAR, LEFT_EYE, MIRRORED, NAMES, RIGHT_EAR, RIGHT_EYE


def test_names_stand_at_their_ids() -> None:
    assert [NAMES[kind] for kind in (BACKGROUND, LEFT_EYE, RIGHT_EAR, HAIR, CLOTH)] == [
        "background",
        "left_eye",
        "right_ear",
        "hair",
        "cloth",
    ]


def test_mirroring_exchanges_left_and_right_and_nothing_else() -> None:
    assert MIRRORED[LEFT_EYE] == RIGHT_EYE
    assert MIRRORED[RIGHT_EAR] == LEFT_EAR
    assert [MIRRORED[kind] for kind in MIRRORED] == list(range(len(NAMES)))
    moved = [NAMES[kind] for kind in range(len(NAMES)) if MIRRORED[kind] != kind]
    assert all(name.startswith(("left_", "right_")) for name in moved)
    assert len(moved) == 6
