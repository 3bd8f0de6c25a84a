"""The U-Net on landmarks as a family that is trained and exported: one graph, with a fusion mask of the parsing map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mien.face.crop import crop_matrix
from mien.face.topology import PARTS
from mien.manifest import Bundle, TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED, UNIT
from mien.paint.heat_maps import heat_maps
from mien.paint.parsing import parsing_map
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.data.pairs import prepared
from mien_export.data.views import view_of
from mien_export.families.landmark_unet.course import CONFIGS, UnetCourse, course_of, terms_said
from mien_export.families.landmark_unet.losses import UnetLosses
from mien_export.families.landmark_unet.network import KIND, POINTS, SIZES, LandmarkUnet
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import Arrays, Example, PictureMeasure, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given

GENERATOR: Final = "generator"
EDGE: Final = 5
"""Width in pixels of 64 of the fusion mask's edge."""
OPERATORS: Final = frozenset(
    {"Add", "AveragePool", "Concat", "Conv", "LeakyRelu", "Relu", "Resize", "Slice", "Sub", "Tanh"}
)
_INT8: Final = Bound(24, None, "256 steps for each tensor's range; pictures lose at most half a decibel")


class Generator(nn.Module):
    """A frame's picture, and where it shows: inside of the face's contour."""

    def __init__(self, network: LandmarkUnet) -> None:
        super().__init__()
        self.network = network
        self.edge = EDGE * network.size.side // 64 // 2 * 2 + 1

    def forward(self, picture: Tensor, landmarks: Tensor, parsing: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, S, S) in -1..1 and (N, 1, S, S) in 0..1, 0 in the face, of pictures, heat maps and parsing maps."""
        face = parsing[:, :1]
        mask = 1 - functional.avg_pool2d(face, self.edge, 1, self.edge // 2)
        return self.network(picture, landmarks), mask


assert PARTS[0] == "face"


def graphs_of(network: LandmarkUnet) -> tuple[Traced, ...]:
    """One."""
    side = network.size.side

    def spec(role: str, channels: int, limits: tuple[float, float]) -> TensorSpec:
        return TensorSpec(role, role, (BATCH, channels, side, side), range=limits)

    given = (spec("picture", 3, SIGNED), spec("landmarks", POINTS, UNIT), spec("parsing", len(PARTS), UNIT))
    made = (spec("generated", 3, SIGNED), spec("mask", 1, UNIT))
    return (Traced(GENERATOR, Generator(network), given, made, OPERATORS),)


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
