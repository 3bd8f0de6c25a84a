"""Libraries to compare with: those that are installed, and a list of those that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien_bench.harness import Side

GRID_OPSET: Final = 16


@dataclass(frozen=True, slots=True)
class Peers:
    """What can be compared with here."""

    threads: int
    compiled: bool
    """Whether torch.compile takes part, which takes its time to compile."""
    missing: set[str] = field(default_factory=set)

    def has(self, *names: str) -> bool:
        """Whether all of these can be imported; those that cannot are noted."""
        absent = [name for name in names if find_spec(name) is None]
        self.missing.update(absent)
        return not absent

    def torch(self) -> Any:
        """torch, with our number of threads."""
        torch = import_module("torch")
        torch.set_num_threads(self.threads)
        return torch

    def cv2(self) -> Any:
        """OpenCV, with our number of threads."""
        cv2 = import_module("cv2")
        cv2.setNumThreads(self.threads)
        return cv2


def torch_sides(peers: Peers, names: tuple[str, str], run: Callable[..., Any], *args: Any) -> list[tuple[str, Any]]:
    """(name, call) of an expression in torch, eager and compiled; it writes into its last argument."""
    torch = peers.torch()

    def eager() -> None:
        with torch.no_grad():
            run(*args)

    found = [(names[0], eager)]
    if peers.compiled:
        fast = torch.compile(run)

        def compiled() -> None:
            with torch.no_grad():
                fast(*args)

        found.append((names[1], compiled))
    return found


def grid_of(flow: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """(1, h, w, 2): an absolute flow as other libraries' grid, -1 and 1 at the outermost pixels' centres."""
    ends = np.array([width - 1, height - 1], np.float32)
    return np.asarray(flow[None] * (2 / ends) - 1, dtype=np.float32)


def onnx_grid_sample(source: NDArray[np.float32], grid: NDArray[np.float32], threads: int) -> Side:
    """GridSample of ONNX Runtime on (1, C, H, W), bound to given memory."""
    onnx, runtime = import_module("onnx"), import_module("onnxruntime")
    helper = onnx.helper
    shapes = {"source": source.shape, "grid": grid.shape, "out": (*source.shape[:2], *grid.shape[1:3])}
    infos = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    node = helper.make_node("GridSample", ["source", "grid"], ["out"], align_corners=1, padding_mode="border")
    graph = helper.make_graph([node], "grid", infos[:2], infos[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", GRID_OPSET)], ir_version=8)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding, value = session.io_binding(), runtime.OrtValue.ortvalue_from_numpy
    out = value(np.zeros(shapes["out"], np.float32))
    binding.bind_ortvalue_input("source", value(source))
    binding.bind_ortvalue_input("grid", value(grid))
    binding.bind_ortvalue_output("out", out)
    return Side(
        "ONNX Runtime GridSample",
        lambda: session.run_with_iobinding(binding),
        lambda: out.numpy()[0].transpose(1, 2, 0),
    )
