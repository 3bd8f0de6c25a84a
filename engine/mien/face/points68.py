"""The 68 points of a face by which data sets are annotated (the Multi-PIE scheme), among the landmarks of the mesh."""

from __future__ import annotations

from typing import Final

MESH: Final = (
    *(127, 234, 93, 132, 172, 150, 149, 176, 152, 400, 378, 379, 397, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 81, 13, 311, 308, 402, 14, 178),
)
"""The landmark of MediaPipe's mesh that is nearest to each of the points."""
MIRROR: Final = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""The point that each becomes when the picture is mirrored."""
