"""The U-Net on landmarks as a family that is trained and exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.face.crop import crop_matrix
from mien.manifest import Bundle
from mien.paint.heat_maps import heat_maps
from mien.paint.parsing import parsing_map
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.data.pairs import prepared
from mien_export.data.views import view_of
from mien_export.families.landmark_unet.course import CONFIGS, UnetCourse, course_of, terms_said
from mien_export.families.landmark_unet.graphs import GENERATOR, graphs_of
from mien_export.families.landmark_unet.losses import UnetLosses
from mien_export.families.landmark_unet.network import KIND, POINTS, SIZES, LandmarkUnet
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import Arrays, Example, PictureMeasure, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given

_INT8: Final = Bound(24, None, "256 steps for each tensor's range; pictures lose at most half a decibel")


class LandmarkUnetFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = KIND
    family = "landmark-unet"
    configs = tuple(CONFIGS)
    sizes = tuple(SIZES)
    learnt_from = "triplets of views of one portrait"
    measure = PictureMeasure()
    halves_graphs = True
    bounds: Mapping[str, Bound] = {
        "fp32": Bound(90, None, "sums of some hundred terms in another order, through eleven layers"),
        "fp16": Bound(50, None, "11 bits, each layer rounds by 2 ** -12"),
        "bf16": Bound(25, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
        "int8": _INT8,
        "int8+bf16": _INT8,
    }

    @property
    def usual_losses(self) -> str:
        """The paper's."""
        return terms_said(UnetLosses(), Given())

    def course(self, config: str, asked: Asked) -> UnetCourse:
        """A run on views of portraits."""
        return course_of(config, asked)

    def networks(self, state: Mapping[str, Any]) -> LandmarkUnet:
        """The generator."""
        network = LandmarkUnet(SIZES[state["size"]])
        network.load_state_dict(state["step"]["average"])
        return network

    def side(self, size: str) -> int:
        """Of pictures and maps."""
        return SIZES[size].side

    def view(self, size: str) -> None:
        """All of the crop is painted."""

    def graphs(self, networks: LandmarkUnet, size: str) -> tuple[Traced, ...]:
        """One."""
        return graphs_of(networks)

    def int8_variants(self, networks: LandmarkUnet) -> tuple[Variant, ...]:
        """The colours stay in float32, or the layer before them, too."""
        return (
            Variant("colours in float32", ("network.colours",)),
            Variant("full side in float32", ("network.colours", "network.up.3")),
        )

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Portraits from a view of theirs that was animated."""
        generator = OnnxRuntimeSession(bundle.graph(GENERATOR), threads=threads)
        try:
            for index in range(min(count, faces.count)):
                inputs, truth = _example(faces, index, bundle.side)
                yield Example({GENERATOR: inputs}, {GENERATOR: ran(generator, inputs)}, truth=truth)
        finally:
            generator.close()


def _example(faces: Faces, index: int, side: int) -> tuple[Arrays, NDArray[np.float32]]:
    """Inputs of the graph for a portrait, and the portrait."""
    picture = faces.picture(index)
    portrait = prepared(picture, faces.landmarks(index, picture.shape[0]))
    truth, points = view_of(portrait, None, side)
    source, _ = view_of(portrait, np.random.default_rng(index), side)
    maps = np.empty((1, POINTS, side, side), np.float32)
    heat_maps(points.astype(np.float64) * side - 0.5, maps[0])
    parsing = parsing_map(portrait.landmarks, crop_matrix(portrait.pose, side), (side, side))
    return {"picture": _signed(source), "landmarks": maps, "parsing": parsing[None]}, _signed(truth)


def _signed(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1, 3, S, S) in -1..1."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1))


LANDMARK_UNET: Final = LandmarkUnetFamily()
