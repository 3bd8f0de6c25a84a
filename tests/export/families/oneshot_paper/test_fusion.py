"""FusionNet's mask: where both pictures show the same part of a face."""

from __future__ import annotations

from typing import Any, cast

import pytest

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")

from mien_export.families.oneshot_paper.graphs import (  # noqa: E402
    FusionNet,
    PaperGenerator,
    exclusive,
    fuse,
)

FACE, EYES, GAZE, TEETH = 0, 2, 3, 7


def face() -> Any:
    """A face with an eye, an iris in it, and a mouth: (1, 9, 16, 16)."""
    out = torch.zeros(1, 9, 16, 16)
    out[:, FACE, 2:14, 2:14] = 1
    out[:, EYES, 4:7, 4:8] = 1
    out[:, GAZE, 4:7, 5:7] = 1
    out[:, TEETH, 10:12, 5:11] = 1
    return out


def test_exclusive_channels_share_the_face() -> None:
    parts = exclusive(face())
    torch.testing.assert_close(parts.sum(1), face()[:, FACE])
    assert parts[0, FACE, 11, 6] == 0
    assert parts[0, EYES, 5, 5] == 0
    assert parts[0, GAZE, 5, 5] == 1


def test_equal_faces_keep_the_warped_one_and_nothing_outside() -> None:
    mask = FusionNet()(face(), face())
    torch.testing.assert_close(mask[:, 0], face()[:, FACE])


def test_where_parts_differ_the_generated_picture_is_taken() -> None:
    closed = face()
    closed[:, TEETH] = 0
    mask = FusionNet()(face(), closed)
    assert mask[0, 0, 11, 6] == 0
    assert mask[0, 0, 8, 8] == 1


def test_soft_edges_lean_to_the_generated_picture() -> None:
    soft = face() * 0.5
    assert FusionNet()(soft, soft).max() == 0.25


def test_fusing_is_equation_3_16() -> None:
    generated, warped = torch.full((1, 3, 2, 2), 0.2), torch.full((1, 3, 2, 2), -0.6)
    mask = torch.tensor([[[[0.0, 1.0], [0.5, 0.25]]]])
    torch.testing.assert_close(fuse(generated, warped, mask), generated * (1 - mask) + warped * mask)


def test_what_was_erased_is_painted() -> None:
    def grey(*_: Any) -> Any:
        return torch.zeros(1, 3, 16, 16)

    warped = torch.full((1, 3, 16, 16), 0.5)
    warped[:, :, 10:12, 5:11] = 0
    _, mask = PaperGenerator(cast(Any, grey))(None, (), face(), warped)
    assert mask[0, 0, 11, 6] == 0
    assert mask[0, 0, 8, 8] == 1
