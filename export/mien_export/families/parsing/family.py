"""The segmenter as a family that is trained and exported."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mien.face.classes import CLASSES
from mien.face.crop import SIDE, crop_matrix
from mien.face.pose import fit_pose
from mien.manifest import Bundle, TensorSpec
from mien.manifest.bundle import BATCH
from mien.manifest.family import SIGNED
from mien.plane import inverse
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.families.parsing.course import CONFIGS, ParsingCourse, ParsingLosses, course_of, said
from mien_export.families.parsing.label_maker import UNKNOWN, make_labels
from mien_export.families.parsing.measure import LabelMeasure
from mien_export.families.parsing.network import FINE_FOLD, KIND, SIZES, CellMeans, Segmenter
from mien_export.graphs.int8 import MOVERS, Variant
from mien_export.graphs.measure import Example, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.samples.blending import mattes
from mien_export.train.course import Asked
from mien_kernels import ops

Pixels = NDArray[np.uint8]

GRAPH: Final = "segmenter"
OPERATORS: Final = frozenset(
    {"Add", "Concat", "Conv", "DepthToSpace", "Relu", "Reshape", "Resize", "SpaceToDepth", "Transpose"}
)
INPUT: Final = TensorSpec("picture", "picture", (BATCH, 3, SIDE, SIDE), range=SIGNED)
OUTPUT: Final = TensorSpec("labels", "labels", (BATCH, len(CLASSES), SIDE // FINE_FOLD, SIDE // FINE_FOLD))
_INT8: Final = Bound(28, None, "256 steps for each tensor's range; labels lose at most 0.005 of mean IoU")


class ParsingFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = KIND
    family = "parsing"
    configs = tuple(CONFIGS)
    sizes = tuple(SIZES)
    learnt_from = "labels made by mien's label maker"
    measure = LabelMeasure()
    halves_graphs = False
    bounds: Mapping[str, Bound] = {
        "fp32": Bound(90, None, "sums of some hundred terms in another order, through twelve layers"),
        "fp16": Bound(60, None, "11 bits, each layer rounds by 2 ** -12"),
        "bf16": Bound(40, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
        "int8": _INT8,
        "int8+bf16": _INT8,
    }

    @property
    def usual_losses(self) -> str:
        """As `ParsingLosses` begins."""
        return said(ParsingLosses())

    def course(self, config: str, asked: Asked) -> ParsingCourse:
        """A run on made labels, which may begin with a checkpoint of another one."""
        return course_of(config, asked)

    def networks(self, state: Mapping[str, Any]) -> Segmenter:
        """One network."""
        network = Segmenter(SIZES[state["size"]])
        network.load_state_dict(state["step"]["average"])
        return network

    def side(self, size: str) -> int:
        """The same for all sizes."""
        return SIDE

    def view(self, size: str) -> None:
        """All of the crop is labelled."""

    def graphs(self, networks: Segmenter, size: str) -> tuple[Traced, ...]:
        """One, batch normalisation folded into the convolutions before it; it gives the mean logits of cells."""
        plain, exported = CellMeans(networks), CellMeans(folded(networks))
        return (Traced(GRAPH, exported, (INPUT,), (OUTPUT,), OPERATORS, plain=plain),)

    def int8_variants(self, networks: Segmenter) -> tuple[Variant, ...]:
        """Values on their way from the U-Net to the last layers stay in int8, too."""
        return (Variant("all in int8", (), MOVERS), Variant("logits in float32", ("logits.",), MOVERS))

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Crops of portraits, with the label maker's labels."""
        session = OnnxRuntimeSession(bundle.graph(GRAPH), threads=threads)
        try:
            numbers = range(min(count, faces.count))
            shown = (faces.picture(index) / np.float32(255) for index in numbers)
            for index, matte in zip(numbers, mattes(shown), strict=True):
                picture = faces.picture(index)
                landmarks = faces.landmarks(index, picture.shape[0])
                back = inverse(crop_matrix(fit_pose(landmarks)))
                crop = ops.to_tensor(picture, back.astype(np.float32), scale=1 / 127.5, bias=-1.0, size=(SIDE, SIDE))
                inputs = {INPUT.name: crop[None]}
                labels = _in_crop(make_labels(picture, landmarks, matte), back)
                yield Example({GRAPH: inputs}, {GRAPH: ran(session, inputs)}, labels=labels)
        finally:
            session.close()


def _in_crop(labels: Pixels, back: NDArray[np.float64]) -> Pixels:
    """(SIDE, SIDE): labels of a picture where `back` (2, 3) leads from the crop; unknown beyond the picture."""
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(labels, back, (SIDE, SIDE), flags=flags, borderValue=UNKNOWN), np.uint8)


def folded(network: Segmenter) -> Segmenter:
    """A copy for use, equal but for rounding."""
    out = copy.deepcopy(network).eval().requires_grad_(False)
    for unit in [module for module in out.modules() if isinstance(module, nn.Sequential)]:
        convolution, norm = unit[0], unit[1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            unit[0], unit[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return out


PARSING: Final = ParsingFamily()
