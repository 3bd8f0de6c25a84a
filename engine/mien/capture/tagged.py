"""Colours that a picture file describes by numbers instead of a profile: PNG's chunks, AVIF's and HEIC's box."""

from __future__ import annotations

import struct

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image
from PIL.ImageFile import ImageFile

from mien.capture import png
from mien.capture.grading import BT709, FORMAT, Encoding, Grading, encoding_of
from mien.capture.still import Kind

_BOX = b"colrnclx"
_HEADERS = 1 << 16
"""Bytes in which the box is looked for."""
_SRGB_POWER = 1 / 2.2
_NEAR = 0.01
"""Of a power or a coordinate: sRGB, written in another way."""


def recoloured(picture: Image.Image, image: ImageFile, data: bytes, kind: Kind) -> Image.Image:
    """A picture in mode RGB or RGBA, brought to sRGB where its file, opened as `image`, has it otherwise."""
    encoding = _encoding(image, data, kind)
    if encoding is None:
        return picture
    pixels = np.array(picture)
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:, :, :3]), format="rgb24").reformat(format=FORMAT)
    pixels[:, :, :3] = Grading(encoding).apply(frame).reformat(format="rgb24").to_ndarray()
    return Image.fromarray(pixels)


def profile_of(image: ImageFile, data: bytes, kind: Kind) -> bytes | None:
    """The ICC profile that counts for a picture."""
    overruled = kind == "PNG" and _named(data) is not None
    profile = None if overruled else image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else None


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
