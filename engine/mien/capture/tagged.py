"""Colours that a picture file describes by numbers instead of a profile: PNG's chunks, AVIF's and HEIC's box."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from mien.capture import png
from mien.capture.colour import is_srgb, srgb
from mien.capture.grading import BT709, FORMAT, Encoding, Grading, encoding_of
from mien.capture.still import Kind

_WITHOUT_RGB = ("1", "L", "LA", "I;16", "CMYK", "LAB")
"""Modes whose profile is not one of red, green and blue."""
_BOX = b"colrnclx"
_HEADERS = 1 << 16
"""Bytes in which the box is looked for."""
_SRGB_POWER = 1 / 2.2
_NEAR = 0.01
"""Of a power or a coordinate: sRGB, written in another way."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What the numbers of a picture mean."""

    profile: bytes | None
    """ICC; None: sRGB, grey with its curve, or ideal inks."""
    encoding: Encoding | None
    """In place of a profile; None: none."""

    @classmethod
    def of(cls, image: ImageFile, data: bytes, kind: Kind) -> Self:
        """Of a picture's file, opened as `image`."""
        overruled = kind == "PNG" and _named(data) is not None
        profile = None if overruled else image.info.get("icc_profile")
        if not isinstance(profile, bytes) or (image.mode not in _WITHOUT_RGB and is_srgb(profile)):
            profile = None
        return cls(profile, _encoding(image, data, kind))

    @property
    def are_converted(self) -> bool:
        """Whether they may be others than sRGB."""
        return self.profile is not None or self.encoding is not None

    def converted(self, picture: Image.Image) -> NDArray[np.uint8]:
        """A picture in a mode that `plain` gives -> (H, W, 3), or (H, W, 4) where it may be transparent, in sRGB."""
        pixels = np.array(srgb(picture, self.profile))
        if self.encoding is not None:
            colours = np.ascontiguousarray(pixels[:, :, :3])
            frame = VideoFrame.from_ndarray(colours, format="rgb24").reformat(format=FORMAT)
            pixels[:, :, :3] = Grading(self.encoding).apply(frame).reformat(format="rgb24").to_ndarray()
        return pixels


def _encoding(image: ImageFile, data: bytes, kind: Kind) -> Encoding | None:
    if kind == "PNG":
        return _of_png(image, data)
    at = data.find(_BOX, 0, _HEADERS)
    if kind not in ("AVIF", "HEIC") or at < 0 or "icc_profile" in image.info:
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + len(_BOX))
    return encoding_of(primaries, transfer)


def _of_png(image: ImageFile, data: bytes) -> Encoding | None:
    """By the chunks in the order in which the standard prefers them (PNG, third edition, 4.3)."""
    named = _named(data)
    if named is not None:
        return encoding_of(*named)
    if "icc_profile" in image.info or "srgb" in image.info:
        return None
    power, points = image.info.get("gamma", _SRGB_POWER), image.info.get("chromaticity")
    if not 0.1 < power < 2 or (points and min(points[1::2]) <= 0):
        return None
    white, red, green, blue = zip(points[::2], points[1::2], strict=True) if points else BT709[3:] + BT709[:3]
    encoding = Encoding((red, green, blue, white), 1 / power)
    return None if _is_near_srgb(encoding, power) else encoding


def _named(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of a PNG file by their numbers in H.273."""
    body = png.body_of(data, b"cICP")
    return (body[0], body[1]) if body is not None and len(body) == 4 else None


def _is_near_srgb(encoding: Encoding, power: float) -> bool:
    apart = np.abs(np.array(encoding.primaries) - np.array(BT709)).max()
    return abs(power - _SRGB_POWER) < _NEAR and float(apart) < _NEAR
