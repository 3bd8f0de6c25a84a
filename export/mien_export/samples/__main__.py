"""Make the packaged samples: `python -m mien_export.samples portraits|avatar|clip|poster --out DIR [--data DIR]`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np

from mien_export.samples.album import Picture

QUALITY = 92


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m mien_export.samples", description=__doc__)
    parser.add_argument("what", choices=["portraits", "avatar", "clip", "poster"])
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--data", type=Path, default=os.environ.get("MIEN_DATA"), help="default: $MIEN_DATA")
    chosen = parser.parse_args()
    if chosen.what == "portraits":
        if chosen.data is None:
            parser.error("portraits: expected --data or $MIEN_DATA, got neither; name the folder that holds faces/")
        make_portraits(chosen.data / "faces", chosen.out)
    if chosen.what == "avatar":
        make_avatar(chosen.out)
    if chosen.what == "clip":
        make_driver(chosen.out)
    if chosen.what == "poster":
        make_poster(chosen.out)


def make_portraits(faces: Path, out: Path) -> None:
    """Write the photographic portraits of nobody to `out`."""
    from mien_export.samples.album import look_at, open_album
    from mien_export.samples.nobody import shape_space
    from mien_export.samples.portrait import PLANS, blend, composed, developed

    album = open_album(faces)
    looks, space = look_at(album), shape_space(album)
    for name, plan in PLANS.items():
        head = blend(album, looks, name)
        _write(out / f"{name}.jpg", developed(composed(head, plan), head.points, plan, space))


def make_avatar(out: Path) -> None:
    """Write the drawn face to `out`."""
    from mien_export.samples.avatar import draw_avatar

    _write(out / "avatar.png", draw_avatar())


def make_driver(out: Path) -> None:
    """Write the driver clip to `out`, acted by one of the portraits there."""
    from mien_export.samples.clip import ACTOR, make_clip

    make_clip(out / f"{ACTOR}.jpg", out / "driver.mp4")


def make_poster(out: Path) -> None:
    """Write the README's picture to `out`, from the samples that are packaged."""
    from mien_export.samples.poster import draw_poster

    _write(out / "poster.jpg", draw_poster())


def _write(path: Path, picture: Picture) -> None:
    pixels = np.ascontiguousarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)[:, :, ::-1])
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
