"""Pillow's pictures of any mode and profile -> 8-bit sRGB."""

from __future__ import annotations

import io
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageCms

_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
"""The colour space of the profile that fits a mode."""
_BITS = 258
"""TIFF's tag of bits per sample."""
_SAME = 1
"""Levels within which a profile is sRGB's, and left alone."""


class UnreadPixels(ValueError):
    """Samples of a picture that have no range which says what white is."""


def plain(image: Image.Image) -> Image.Image:
    """A decoded picture of any mode in one whose samples are 8-bit colours: it may be shrunk, and `srgb` takes it.

    Raises:
        UnreadPixels: 32-bit samples.
    """
    if image.mode in ("I", "F"):
        raise UnreadPixels("32 bits a sample")
    if image.mode.startswith("I;16"):
        tags = getattr(image, "tag_v2", {})
        bits = max(tags.get(_BITS, (16,)))  # of a TIFF file, which may have 12
        return Image.fromarray((np.asarray(image) >> (bits - 8)).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
    return image if image.mode in _SPACES else image.convert("L" if image.mode == "1" else "RGB")


def srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """What `plain` gave in mode RGB, or RGBA where it may be transparent.

    Args:
        profile: the ICC profile of its colours; None, damaged, or one of another kind of colours: they are sRGB, grey
            levels with its curve, or inks that mix as ideal ones would.
    """
    if image.mode not in ("LA", "RGBA"):
        return _converted(image, profile)
    converted = _converted(image.convert("L" if image.mode == "LA" else "RGB"), profile)
    converted.putalpha(image.getchannel("A"))
    return converted


@lru_cache(maxsize=16)
def is_srgb(profile: bytes) -> bool:
    """Whether a profile leaves the colours of an RGB picture as they are, whatever it is called."""
    return int(np.asarray(ImageChops.difference(_probe(), _converted(_probe(), profile))).max()) <= _SAME


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    source = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        if image.mode == "LAB"
        else _profile(profile, image.mode)
    )
    if source is not None:
        try:
            transform = ImageCms.buildTransform(source, _srgb_profile(), image.mode, "RGB")
            converted = ImageCms.applyTransform(image, transform)
            assert converted is not None
            return converted
        except ImageCms.PyCMSError:  # it has no way to sRGB
            pass
    return image.convert("RGB")


def _profile(data: bytes | None, mode: str) -> ImageCms.ImageCmsProfile | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data)) if data else None
    except (OSError, ValueError, TypeError):
        return None
    fits = profile is not None and profile.profile.xcolor_space == _SPACES[mode]
    return profile if fits else None


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _probe() -> Image.Image:
    """Colours over all of the cube."""
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3))
