"""The channels of a parsing map."""

from __future__ import annotations

from typing import Final

PARTS: Final = ("face", "brows", "eyes", "gaze", "nose", "upper_lip", "lower_lip", "teeth", "nose_bridge")
"""Names of the channels, in their order; `teeth` is all of the inner mouth, `gaze` what the lids show of the irises."""
