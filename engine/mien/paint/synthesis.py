"""Runs the graphs of a bundle of the family `spade-video` without a portrait: a picture's code, pictures of maps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bundles import find
from mien.errors import ModelError
from mien.manifest import Bundle, read_bundle
from mien.paint.fillers import BYTE_SCALE
from mien.parsing.maps import FINER, class_shares
from mien.runtime.opening import choose, open_session
from mien.runtime.session import GraphSession
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

MODEL: Final = "spade-video"
ENCODE, PAINT = "encode", "paint"
_SAME: Final = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)


class Synthesis:
    """Pictures of label maps in the style of a picture; for one thread."""

    def __init__(self, bundle: Bundle, encode: GraphSession, paint: GraphSession, threads: int, about: str) -> None:
        """`close` closes the sessions."""
        self.side, self.about = bundle.side, about
        self._encode, self._paint, self._threads = encode, paint, threads

    def code(self, crop: Pixels, labels: Pixels) -> Floats:
        """(1, L): what a picture gives to those that are made in its style.

        Args:
            crop: (side, side, 3), as `mien.face.crop.crop_matrix` cuts it.
            labels: (2 side, 2 side), the class of each quarter of its pixels.
        """
        inputs = self._encode.inputs
        ops.to_tensor(crop, _SAME, inputs["picture"][0], 1 / BYTE_SCALE, -1.0, threads=self._threads)
        class_shares(labels, inputs["portrait_classes"][0])
        self._encode.run()
        return self._encode.outputs["code"].astype(np.float32)

    def __call__(self, labels: Pixels, code: Floats) -> Pixels:
        """(side, side, 3) of labels (2 side, 2 side)."""
        class_shares(labels, self._paint.inputs["classes"][0])
        self._paint.inputs["code"][...] = code
        self._paint.run()
        made = self._paint.outputs["generated"][0].astype(np.float32, copy=False)
        return ops.to_image(made, scale=BYTE_SCALE, bias=BYTE_SCALE, threads=self._threads)

    @property
    def fine_side(self) -> int:
        """Of label maps."""
        return FINER * self.side

    def close(self) -> None:
        """Let go of the networks."""
        self._encode.close()
        self._paint.close()


@contextlib.contextmanager
def open_synthesis(threads: int, model: str = MODEL) -> Iterator[Synthesis]:
    """The packaged networks or those of another bundle; closed on leaving.

    Raises:
        ModelError: the bundle is missing or broken, or of another family.
        BackendError: no runtime is installed.
    """
    bundle = read_bundle(find(model))
    if bundle.family != MODEL:
        raise ModelError(f"model {model}: expected one of the family {MODEL}, got {bundle.family}")
    choice = choose(bundle, PAINT, threads=threads)
    encode = open_session(bundle, ENCODE, "auto", None, threads)
    paint = open_session(bundle, PAINT, choice.backend, choice.precision, threads)
    synthesis = Synthesis(bundle, encode, paint, threads, f"{bundle.name} {bundle.size} on {choice}")
    try:
        yield synthesis
    finally:
        synthesis.close()
