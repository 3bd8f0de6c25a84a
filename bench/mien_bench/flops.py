"""How many floating point operations the pieces of arithmetic take that several ops share, counted in their headers.

Additions, multiplications and comparisons of floats count one each; conversions and integer arithmetic nothing.
"""

from __future__ import annotations

from typing import Final

MIX_FLOPS: Final = 3
"""`mixed`: a + (b - a) * weight."""
SAMPLE_FLOPS: Final = 3 * MIX_FLOPS
"""`bilinear`, for each channel."""
PLACE_FLOPS: Final = 2 * 3
"""Two `border_axis`: a position clamped, and its fraction."""
AFFINE_FLOPS: Final = 2 * 4
"""Two rows of a matrix applied to a pixel."""
GREY_FLOPS: Final = 3
"""`grey_level`: clamped, and a half added."""
