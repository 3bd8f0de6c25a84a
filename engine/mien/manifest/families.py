"""The families that mien knows: its own, and those that installed packages add by entry points.

A package adds one as an entry point of the group `mien.families` whose name is the family's and which leads to a
`Family`. What fills new roles, and how networks are trained and exported, come by groups of their own: see
`mien.paint.fillers` and `mien_export.families`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mien import plugins
from mien.errors import BackendError, ModelError
from mien.face.classes import NAMES
from mien.face.points68 import MESH
from mien.face.topology import COUNT, PARTS
from mien.face.traits import TRAITS
from mien.manifest.family import SIGNED, UNIT, Family, GraphRule, Link, Port

GROUP: Final = "mien.families"

_FEATURE: Final = Port("feature", many=True, warped=True)
_LATENT: Final = Port("latent", needed=False)

ONESHOT: Final = Family(
    "oneshot",
    kinds=("oneshot-live", "oneshot-paper"),
    graphs=(
        GraphRule(
            "appearance",
            "once",
            inputs=(
                Port("picture", 3, "crop", SIGNED),
                Port("portrait_parsing", len(PARTS), "crop", UNIT, needed=False),
            ),
            outputs=(_FEATURE, _LATENT),
        ),
        GraphRule(
            "generator",
            "frame",
            inputs=(
                Port("parsing", len(PARTS), "view", UNIT, coarser=True),
                Port("warped", 3, "view", SIGNED),
                Port("hint", 3, "view", SIGNED, needed=False),
                _FEATURE,
                _LATENT,
            ),
            outputs=(Port("generated", 3, "view", SIGNED), Port("mask", 1, "view", UNIT)),
        ),
    ),
    links=(Link("appearance", "generator", frozenset({"feature", "latent"})),),
    classes=PARTS,
)
"""One-shot reenactment: the portrait's features once, then for every frame a painted picture and its fusion mask."""

PARSING: Final = Family(
    "parsing",
    graphs=(
        GraphRule(
            "segmenter",
            "request",
            inputs=(Port("picture", 3, "crop", SIGNED),),
            outputs=(Port("labels", len(NAMES), "crop", coarser=True),),
        ),
    ),
    classes=NAMES,
    stage="portrait",
)
"""Face parsing: a logit of each of 19 classes for each pixel of a crop, or cell of pixels. Their softmax is left to
whoever needs it: ONNX Runtime takes ten times as long for one over channels as for the network."""

_LOOK: Final = Port("look", extent="vector")
_STROKES: Final = Port("strokes", 3, range=SIGNED)

STYLE: Final = Family(
    "style",
    graphs=(
        GraphRule(
            "whole",
            "request",
            inputs=(
                Port("picture", 3, "crop", SIGNED),
                Port("mix", "attributes", "vector", UNIT),
                Port("given", extent="vector"),
                Port("fixed", 1, "vector", UNIT),
            ),
            outputs=(_STROKES, _LOOK, Port("transfer", 12, "vector")),
        ),
        GraphRule("patch", "frame", inputs=(Port("picture", 3, range=SIGNED), _LOOK), outputs=(_STROKES,)),
    ),
    links=(Link("whole", "patch", frozenset({"look"})),),
    attributes=None,
    stage="style",
)
"""Artistic styles, which a bundle names as its attributes: strokes of a whole picture with a colour transfer, and
strokes of a patch for every frame."""

_CODE: Final = Port("code", extent="vector")

SPADE_VIDEO: Final = Family(
    "spade-video",
    graphs=(
        GraphRule(
            "encode",
            "once",
            inputs=(Port("picture", 3, "crop", SIGNED), Port("portrait_classes", len(NAMES), "crop", UNIT)),
            outputs=(_CODE,),
        ),
        GraphRule(
            "paint",
            "frame",
            inputs=(Port("classes", len(NAMES), "view", UNIT), _CODE),
            outputs=(Port("generated", 3, "view", SIGNED), Port("mask", 1, "view", UNIT)),
        ),
    ),
    links=(Link("encode", "paint", frozenset({"code"})),),
    classes=NAMES,
)
"""Synthesis from label maps: a picture's code and the colours of its classes once, then for every frame a picture of
that frame's map, and its fusion mask."""

LANDMARK_UNET: Final = Family(
    "landmark-unet",
    graphs=(
        GraphRule(
            "generator",
            "frame",
            inputs=(
                Port("picture", 3, "crop", SIGNED),
                Port("landmarks", len(MESH), "view", UNIT),
                Port("parsing", len(PARTS), "view", UNIT, needed=False, coarser=True),
            ),
            outputs=(Port("generated", 3, "view", SIGNED), Port("mask", 1, "view", UNIT, needed=False)),
        ),
    ),
    classes=PARTS,
)
"""A generator conditioned on landmarks: the portrait's picture and heat maps of 68 target landmarks give the picture.
The parsing map, where a bundle takes it, says where the face is: the fusion mask is made of it."""

_MIXTURE: Final = Port("mixture", extent="vector")
_TRAITS: Final = Port("traits", "attributes", "vector")

SCGAN: Final = Family(
    "scgan",
    kinds=("scgan", "scgan-paper"),
    graphs=(
        GraphRule("looks", "request", inputs=(_MIXTURE,), outputs=(_TRAITS, Port("tones", extent="vector"))),
        GraphRule(
            "people",
            "request",
            inputs=(_MIXTURE,),
            outputs=(Port("landmarks", extent="vector"), Port("regions"), Port("texture", 3)),
        ),
        GraphRule(
            "portrait",
            "request",
            inputs=(
                Port("classes", len(NAMES), "crop", UNIT),
                Port("painted", 3, "crop", SIGNED, needed=False),
                Port("styles", extent="vector"),
                _TRAITS,
                Port("tones", extent="vector", needed=False),
                Port("noise", 1, "crop"),
            ),
            outputs=(Port("generated", 3, "crop", SIGNED),),
        ),
    ),
    classes=NAMES,
    attributes=TRAITS,
    stage="portrait",
)
"""Portraits of nobody: of a mixture, which is a standard normal vector, somebody's traits and colours (a linear map),
and face, regions around it and texture; then a picture of a label map, of the map in colours with the texture laid on
it, of a style for each layer, and of traits."""

_DETECTIONS: Final = (Port("boxes", extent="vector"), Port("scores", extent="vector", range=UNIT))

LANDMARKS: Final = Family(
    "landmarks",
    graphs=(
        GraphRule(
            "landmarks",
            "frame",
            inputs=(Port("face", 3, "crop", UNIT),),
            outputs=(Port("landmarks", 3 * COUNT, "vector"), Port("presence", 1, "vector", UNIT)),
        ),
        GraphRule("detector", "request", inputs=(Port("picture", 3, range=SIGNED),), outputs=_DETECTIONS),
        GraphRule("far_detector", "request", inputs=(Port("picture", 3, range=SIGNED),), outputs=_DETECTIONS),
    ),
    stage="parse",
)
"""Landmarks of the face in a crop, x, y and z of each in pixels of the crop, with the probability that a face is there;
and two detectors of faces, one for near and one for small faces: a box with six points and a score at each anchor."""

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family for family in (ONESHOT, LANDMARK_UNET, LANDMARKS, PARSING, SCGAN, SPADE_VIDEO, STYLE)
}
"""Those of mien itself, by name."""


def family_named(name: str) -> Family:
    """The family of this name, mien's own or one that an installed package adds.

    Raises:
        ModelError: there is none, or what a package calls so is no family.
    """
    if name in FAMILIES:
        return FAMILIES[name]
    try:
        found = plugins.added(GROUP, name)
    except BackendError as error:
        raise ModelError(str(error)) from error
    if found is None:
        known = ", ".join(dict.fromkeys([*FAMILIES, *plugins.added_names(GROUP)]))
        raise ModelError(f"family must be one of {known}, got {name!r}; install the package that adds it to mien")
    if not isinstance(found, Family) or found.name != name:
        raise ModelError(f"family {name}: expected the entry point of {GROUP} to lead to this Family, got {found!r}")
    return found
