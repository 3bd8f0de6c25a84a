"""Face synthesis from label maps as a family that is trained and exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.face.crop import crop_matrix
from mien.face.pose import fit_pose
from mien.manifest import Bundle
from mien.parsing.maps import FINER, class_shares
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.families.parsing.label_maker import make_labels
from mien_export.families.spade_video.code import SIDE
from mien_export.families.spade_video.course import CONFIGS, SpadeCourse, course_of
from mien_export.families.spade_video.graphs import ENCODE, PAINT, graphs_of
from mien_export.families.spade_video.losses import SpadeLosses
from mien_export.families.spade_video.network import KIND, SIZES, SpadeVideo
from mien_export.families.spade_video.samples import View, without_unknown
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import Example, PictureMeasure, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.samples.blending import mattes
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given, terms_said

Floats = NDArray[np.float32]

_INT8: Final = Bound(24, None, "256 steps for each tensor's range; pictures lose at most half a decibel")


class SpadeVideoFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = KIND
    family = "spade-video"
    configs = tuple(CONFIGS)
    sizes = tuple(SIZES)
    learnt_from = "portraits with label maps"
    measure = PictureMeasure()
    halves_graphs = True
    bounds: Mapping[str, Bound] = {
        "fp32": Bound(80, None, "sums of some hundred terms in another order, through twelve layers"),
        "fp16": Bound(45, None, "11 bits, each layer rounds by 2 ** -12; products of modulations enlarge it"),
        "bf16": Bound(25, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
        "int8": _INT8,
        "int8+bf16": _INT8,
    }

    @property
    def usual_losses(self) -> str:
        """As `SpadeLosses` begins."""
        return terms_said(asdict(SpadeLosses()), Given())

    def course(self, config: str, asked: Asked) -> SpadeCourse:
        """A run on labelled portraits."""
        return course_of(config, asked)

    def networks(self, state: Mapping[str, Any]) -> SpadeVideo:
        """Encoder and generator."""
        network = SpadeVideo(SIZES[state["size"]])
        network.load_state_dict(state["step"]["average"])
        return network

    def side(self, size: str) -> int:
        """Of pictures and maps."""
        return SIZES[size].side

    def view(self, size: str) -> None:
        """All of the crop is painted."""

    def graphs(self, networks: SpadeVideo, size: str) -> tuple[Traced, ...]:
        """Two."""
        return graphs_of(networks)

    def int8_variants(self, networks: SpadeVideo) -> tuple[Variant, ...]:
        """The last layers stay in float32, or those that the map goes through, too."""
        return (
            Variant("colours in float32", ("network.generator.head.colours",)),
            Variant("head in float32", ("network.generator.head", "network.generator.embedded")),
        )

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Portraits with the label maker's labels, made again from their own codes."""
        encode, paint = (OnnxRuntimeSession(bundle.graph(name), threads=threads) for name in (ENCODE, PAINT))
        try:
            numbers = range(min(count, faces.count))
            shown = (faces.picture(index) / np.float32(255) for index in numbers)
            for index, matte in zip(numbers, mattes(shown), strict=True):
                picture, own = _crop(faces, index, matte, bundle.side)
                asked = {"picture": picture, "portrait_classes": own}
                found = ran(encode, asked)
                inputs = {"classes": own, "code": found["code"]}
                yield Example({ENCODE: asked, PAINT: inputs}, {ENCODE: found, PAINT: ran(paint, inputs)}, truth=picture)
        finally:
            encode.close()
            paint.close()


def _crop(faces: Faces, index: int, matte: Floats, side: int) -> tuple[Floats, Floats]:
    """(1, 3, S, S) in -1..1 and (1, 19, S, S): a portrait's crop and its label map."""
    picture = faces.picture(index)
    landmarks = faces.landmarks(index, picture.shape[0])
    labels = without_unknown(make_labels(picture, landmarks, matte))
    view = View(crop_matrix(fit_pose(landmarks), SIDE), side, mirror=False)
    crop = np.ascontiguousarray(view.picture(picture).transpose(2, 0, 1))[None]
    return crop.astype(np.float32) / 127.5 - 1, class_shares(view.labels(labels, FINER))[None]


SPADE_VIDEO: Final = SpadeVideoFamily()
