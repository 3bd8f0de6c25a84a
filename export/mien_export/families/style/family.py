"""Styles as a family that is trained and exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from mien.face.crop import crop_matrix
from mien.face.pose import fit_pose
from mien.manifest import Bundle
from mien.plane import inverse
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.families.style.course import CONFIGS, StyleCourse, course_of, said
from mien_export.families.style.graphs import PATCH, SIDE, graphs_of
from mien_export.families.style.losses import StyleLosses
from mien_export.families.style.network import KIND, SIZES, StyleNetwork
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import Example, PictureMeasure, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked
from mien_export.train.extractors.given import Given
from mien_kernels import ops


class StyleFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = KIND
    family = "style"
    configs = tuple(CONFIGS)
    sizes = tuple(SIZES)
    learnt_from = "paintings in the public domain, and portraits in pairs of moments"
    measure = PictureMeasure(role="strokes")
    halves_graphs = True
    bounds: Mapping[str, Bound] = {
        "fp32": Bound(80, None, "sums of some hundred terms in another order, through twelve layers"),
        "fp16": Bound(45, None, "11 bits, each layer rounds by 2 ** -12; normalisation by small variances enlarges it"),
        "bf16": Bound(25, None, "8 bits: 3 bits, which are 18 dB, less than fp16"),
    }

    @property
    def usual_losses(self) -> str:
        """As `StyleLosses` begins."""
        return said(StyleLosses(), Given())

    def course(self, config: str, asked: Asked) -> StyleCourse:
        """A run on a folder of paintings and a folder of faces."""
        return course_of(config, asked)

    def networks(self, state: Mapping[str, Any]) -> StyleNetwork:
        """One network."""
        network = StyleNetwork(SIZES[state["size"]], len(state["attributes"]))
        network.load_state_dict(state["step"]["average"]["values"])
        return network

    def side(self, size: str) -> int:
        """Of the canvas of a whole picture."""
        return SIDE

    def view(self, size: str) -> None:
        """A patch may lie anywhere."""

    def graphs(self, networks: StyleNetwork, size: str) -> tuple[Traced, ...]:
        """Two, with one set of weights."""
        return graphs_of(networks)

    def int8_variants(self, networks: StyleNetwork) -> tuple[Variant, ...]:
        """None."""
        return ()

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        """Portraits in each style in turn, and patches of them."""
        whole = OnnxRuntimeSession(bundle.graph("whole"), threads=threads)
        patch = OnnxRuntimeSession(bundle.graph("patch"), threads=threads)
        try:
            for index in range(min(count, faces.count)):
                picture = faces.picture(index)
                back = inverse(crop_matrix(fit_pose(faces.landmarks(index, picture.shape[0])))).astype(np.float32)
                mix = np.eye(len(bundle.attributes), dtype=np.float32)[None, index % len(bundle.attributes)]
                canvas = ops.to_tensor(picture, back, scale=1 / 127.5, bias=-1.0, size=(SIDE, SIDE))[None]
                given = np.zeros(bundle.graph("whole").outputs[1].sized(1), np.float32)
                asked = {"picture": canvas, "mix": mix, "given": given, "fixed": np.zeros((1, 1), np.float32)}
                answered = ran(whole, asked)
                top, left = (SIDE - PATCH[0]) // 2, (SIDE - PATCH[1]) // 2
                piece = np.ascontiguousarray(canvas[:, :, top : top + PATCH[0], left : left + PATCH[1]])
                inputs = {"picture": piece, "look": answered["look"]}
                yield Example(
                    inputs={"whole": asked, "patch": inputs},
                    outputs={"whole": answered, "patch": ran(patch, inputs)},
                )
        finally:
            whole.close()
            patch.close()


STYLE: Final = StyleFamily()
