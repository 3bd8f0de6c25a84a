"""Runs the graph of a frame, and reads what it painted: with arrays on the host, or with arrays on a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.device.device import ON_HOST, Workspace
from mien.manifest import Bundle
from mien.paint.fillers import BYTE_SCALE, ON_DEVICE, ONCE
from mien.runtime.session import DeviceSession, GraphSession
from mien_kernels import ops
from mien_kernels.device import DeviceError, native

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class OutputNames:
    """Names of a generator's outputs."""

    generated: str
    mask: str | None


class Run(Protocol):
    """Where a painter's inputs are filled, and how its graphs run on them."""

    @property
    def workspace(self) -> Workspace:
        """Of the device that has the inputs."""
        ...

    def inputs(self, session: GraphSession) -> Mapping[str, Any]:
        """Arrays (N, C, h, w) to be filled, by name."""
        ...

    def run(self, session: GraphSession) -> None:
        """Compute a graph's outputs, or enqueue that."""
        ...

    def painted(self) -> tuple[Pixels, Floats | None]:
        """On the host: the picture (h, w, 3) in a new array; the mask (h, w), or None, valid until the next run."""
        ...


class HostRun:
    """Inputs on the host; a session on a GPU carries them there itself."""

    workspace = ON_HOST

    def __init__(self, session: GraphSession, names: OutputNames, threads: int) -> None:
        """`session`: of the generator."""
        self._generated = session.outputs[names.generated]
        self._mask = None if names.mask is None else session.outputs[names.mask]
        self._threads = threads

    def inputs(self, session: GraphSession) -> Mapping[str, Any]:
        """See Run."""
        return session.inputs

    def run(self, session: GraphSession) -> None:
        """See Run."""
        session.run()

    def painted(self) -> tuple[Pixels, Floats | None]:
        """See Run."""
        made = self._generated[0].astype(np.float32, copy=False)
        picture = ops.to_image(made, scale=BYTE_SCALE, bias=BYTE_SCALE, threads=self._threads)
        return picture, None if self._mask is None else self._mask[0, 0].astype(np.float32, copy=False)


class DeviceRun:
    """Inputs on the session's GPU. Up go vertices, outlines and the drawn mouth hint, down the picture and its mask."""

    def __init__(self, session: DeviceSession, names: OutputNames) -> None:
        """`session`: of the generator, the only graph of a frame."""
        device = session.device
        self.workspace = Workspace(device)
        self._session = session
        self._generated = session.device_outputs[names.generated]
        self._mask = None if names.mask is None else session.device_outputs[names.mask]
        _, channels, height, width = self._generated.shape
        self._picture = device.zeros((height, width, channels), np.uint8)
        self._picture_here = device.staging((height, width, channels), np.uint8)
        mask = None if names.mask is None else session.outputs[names.mask]
        self._mask_here = None if mask is None else device.staging(mask.shape, mask.dtype)

    def inputs(self, session: GraphSession) -> Mapping[str, Any]:
        """See Run."""
        return self._session.device_inputs

    def run(self, session: GraphSession) -> None:
        """See Run."""
        self._session.enqueue()

    def painted(self) -> tuple[Pixels, Floats | None]:
        """See Run."""
        device = self.workspace.device
        ops.to_image(self._generated[0], self._picture, BYTE_SCALE, BYTE_SCALE)
        device.download(self._picture, self._picture_here)
        if self._mask_here is not None:
            device.download(self._mask, self._mask_here)
        device.wait()
        mask = None if self._mask_here is None else self._mask_here[0, 0].astype(np.float32, copy=False)
        return self._picture_here.copy(), mask


def run_of(
    bundle: Bundle, sessions: Mapping[str, GraphSession], names: OutputNames, threads: int
) -> tuple[Run, str | None]:
    """On the GPU where a frame's only graph runs there and all of its inputs can be filled there; else on the host.

    Also returns why a GPU's inputs are filled on the host, where that is so.
    """
    session = sessions[bundle.main]
    if not isinstance(session, DeviceSession):
        return HostRun(session, names, threads), None
    fault = _fault(bundle, session)
    if fault is None:
        return DeviceRun(session, names), None
    return HostRun(session, names, threads), f"{session.backend}: inputs are filled on the processor: {fault}"


def _fault(bundle: Bundle, session: DeviceSession) -> str | None:
    if len(bundle.names("frame")) > 1:
        return "the model has several graphs for a frame"
    for spec in bundle.graph(bundle.main).inputs:
        if not (spec.warped or spec.role in ON_DEVICE or spec.role in ONCE):
            return f"{spec.role} cannot be filled elsewhere"
        dtype = session.inputs[spec.name].dtype
        if spec.role == "parsing" and dtype != np.float32:
            return f"parsing is {dtype}, which no kernel draws"
    try:
        native()
    except DeviceError as error:
        return str(error)
    return None
