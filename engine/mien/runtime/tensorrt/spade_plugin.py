"""TensorRT plug-in `mien::SpadeModulate` (TensorRT 10 and 11), with a kernel compiled ahead of time.

An engine built with it contains the kernel and does not need this module at run time. Without it, the same ONNX node is
built from its function body. TensorRT reads the annotations below as objects, so they cannot be postponed strings.
"""

import struct
from functools import cache
from importlib.resources import files
from typing import Final

import numpy.typing  # noqa: F401  # tensorrt.plugin 11.4 uses it for attributes, and does not import it
import tensorrt as trt
import tensorrt.plugin as trtp

from mien.errors import BackendError

PLUGIN: Final = "mien::SpadeModulate"
THREADS: Final = 512
"""In a block, as in kernels/cuda/spade_modulate_plugin.cu."""

TYPES: Final = ("FP32", "FP16", "BF16")

_KERNELS: Final = {
    trt.float32: "mien_spade_modulate_fp32",
    trt.float16: "mien_spade_modulate_fp16",
    trt.bfloat16: "mien_spade_modulate_bf16",
}


@cache
def kernel_image() -> bytes:
    """The compiled kernels (PTX); their bytes belong into the key of an engine cache.

    Raises:
        BackendError: this build has none.
    """
    image = files("mien_kernels").joinpath("spade_modulate.ptx")
    if not image.is_file():
        raise BackendError(
            "TensorRT plug-in SpadeModulate: mien was built without nvcc; install a CUDA toolkit and build again, "
            "or build the engine without the plug-in"
        )
    return image.read_bytes()


@cache
def register() -> None:
    """Make the plug-in known to this process, once; to be called before a network with the node is parsed.

    Raises:
        BackendError: this build has no kernel for it.
    """
    kernel_image()
    trtp.register(PLUGIN)(_describe)
    trtp.autotune(PLUGIN)(_combinations)
    trtp.aot_impl(PLUGIN)(_kernel)


def _describe(
    x: trtp.TensorDesc, gamma: trtp.TensorDesc, beta: trtp.TensorDesc, slope: float, epsilon: float
) -> trtp.TensorDesc:
    return x.like()


def _combinations(
    x: trtp.TensorDesc, gamma: trtp.TensorDesc, beta: trtp.TensorDesc, outputs: tuple[trtp.TensorDesc]
) -> list[trtp.AutoTuneCombination]:
    return [trtp.AutoTuneCombination(", ".join([kind] * 4), "LINEAR") for kind in TYPES]


def _kernel(
    x: trtp.TensorDesc,
    gamma: trtp.TensorDesc,
    beta: trtp.TensorDesc,
    slope: float,
    epsilon: float,
    outputs: tuple[trtp.TensorDesc],
    tactic: int,
) -> tuple[str, bytes, trtp.KernelLaunchParams, trtp.SymIntExprs]:
    """A block for every plane; numbers are 32-bit integers, floats among them by their bits."""
    batch, channels, height, width = (x.shape_expr[axis] for axis in range(4))
    launch = trtp.KernelLaunchParams()
    launch.grid_x = batch * channels
    launch.block_x = THREADS
    numbers = (height * width, float_bits(slope), float_bits(epsilon))
    arguments = trtp.SymIntExprs.from_tuple([trtp.SymInt32(number) for number in numbers])
    return _KERNELS[x.dtype], kernel_image(), launch, arguments


def float_bits(value: float) -> int:
    """The bits of a float32, as an int32."""
    bits: int = struct.unpack("<i", struct.pack("<f", value))[0]
    return bits
