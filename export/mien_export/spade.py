"""`mien::spade_modulate`: the kernel of that name as an operator of torch, with gradients.

On CUDA, and on the CPU in float32, it is `mien_kernels.ops.spade_modulate`; for other types on the CPU plain torch
computes the same. Statistics of reduced precision are float32. Results keep the memory format of `x`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mien_kernels import ops

_PLANE = (2, 3)
_NATIVE_TYPES = {"cpu": (torch.float32,), "cuda": (torch.float32, torch.float16, torch.bfloat16)}


def spade_modulate(x: Tensor, gamma: Tensor, beta: Tensor, slope: float = 1.0, epsilon: float = 1e-5) -> Tensor:
    """act((1 + gamma) * (x - mean) / sqrt(variance + epsilon) + beta), act(v) = v where v >= 0, slope * v elsewhere.

    x, gamma, beta: (N, C, H, W), floating point, on one device; of different types the wider is computed in. Mean and
    (biased) variance are taken over H and W. slope: 0..1; 1 no activation, 0 ReLU. Differentiable in all three.

    Raises:
        ValueError: shapes or devices differ, or slope or epsilon is out of range.
    """
    kind = torch.promote_types(torch.promote_types(x.dtype, gamma.dtype), beta.dtype)
    result: Tensor = _modulate(x.to(kind), gamma.to(kind), beta.to(kind), slope, epsilon)
    return result


@torch.library.custom_op("mien::spade_modulate", mutates_args=())
def _modulate(x: Tensor, gamma: Tensor, beta: Tensor, slope: float, epsilon: float) -> Tensor:
    _check(x, gamma, beta, slope, epsilon)
    x, gamma, beta = (value.contiguous(memory_format=_format(x)) for value in (x, gamma, beta))
    if x.dtype not in _NATIVE_TYPES.get(x.device.type, ()):
        return _in_torch(x, gamma, beta, slope, epsilon)
    out = torch.empty_like(x)
    _native(x, gamma, beta, out, slope, epsilon)
    return out


def _native(x: Tensor, gamma: Tensor, beta: Tensor, out: Tensor, slope: float, epsilon: float) -> None:
    last = _format(x) is torch.channels_last
    a, b, c, d = (_array(value, last) for value in (x, gamma, beta, out))
    layout: ops.Layout = "nhwc" if last else "nchw"
    ops.spade_modulate(a, b, c, d, slope, epsilon, layout, torch.get_num_threads())


@_modulate.register_fake
def _(x: Tensor, gamma: Tensor, beta: Tensor, slope: float, epsilon: float) -> Tensor:
    _check(x, gamma, beta, slope, epsilon)
    return torch.empty_like(x, memory_format=_format(x))


def _check(x: Tensor, gamma: Tensor, beta: Tensor, slope: float, epsilon: float) -> None:
    if x.dim() != 4 or not x.is_floating_point():
        raise ValueError(f"x: expected (N, C, H, W) of a floating-point type, got {tuple(x.shape)} of {x.dtype}")
    for name, value in (("gamma", gamma), ("beta", beta)):
        if value.shape != x.shape or value.dtype != x.dtype or value.device != x.device:
            raise ValueError(
                f"{name}: expected {tuple(x.shape)} of {x.dtype} on {x.device} as x, "
                f"got {tuple(value.shape)} of {value.dtype} on {value.device}"
            )
    if not 0.0 <= slope <= 1.0 or not epsilon > 0.0:
        raise ValueError(f"expected slope in 0..1 and epsilon above 0, got {slope} and {epsilon}")


def _format(x: Tensor) -> torch.memory_format:
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format


def _array(value: Tensor, last: bool) -> Any:
    """The same memory, in the order of its axes."""
    ordered = value.detach().permute(0, 2, 3, 1) if last else value.detach()
    return ordered.numpy() if value.device.type == "cpu" else ordered


def _wide(value: Tensor) -> Tensor:
    return value if value.dtype is torch.float64 else value.float()


def _normalised(x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """The planes of `x` at mean 0 and variance 1, and what they were multiplied by: (N, C, 1, 1)."""
    variance, mean = torch.var_mean(x, _PLANE, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + epsilon)
    return (x - mean) * scale, scale


def _in_torch(x: Tensor, gamma: Tensor, beta: Tensor, slope: float, epsilon: float) -> Tensor:
    if x.numel() == 0:
        return torch.empty_like(x)
    normalised, _ = _normalised(_wide(x), epsilon)
    value = torch.addcmul(normalised + _wide(beta), normalised, _wide(gamma))
    return torch.where(value >= 0, value, value * slope).to(x.dtype)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, gamma, _, ctx.slope, ctx.epsilon = inputs
    ctx.save_for_backward(x, gamma, *((output,) if ctx.slope != 1.0 else ()))


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
    """With n the normalised x, s its scale and g the gradient before the activation: dbeta = g, dgamma = g * n, and
    dx = s * (d - mean(d) - n * mean(d * n)) for d = g * (1 + gamma), as mean and variance depend on x as well.
    """
    x, gamma, *output = ctx.saved_tensors
    to_beta = _wide(gradient)
    if output:  # of the sign of what was activated
        to_beta = torch.where(output[0] > 0, to_beta, to_beta * ctx.slope)
    if x.numel() == 0:
        return gradient, gradient, gradient, None, None
    normalised, scale = _normalised(_wide(x), ctx.epsilon)
    to_normalised = torch.addcmul(to_beta, to_beta, _wide(gamma))
    means = to_normalised.mean(_PLANE, keepdim=True), (to_normalised * normalised).mean(_PLANE, keepdim=True)
    to_x = (to_normalised - means[0] - normalised * means[1]) * scale
    return to_x.to(x.dtype), (to_beta * normalised).to(x.dtype), to_beta.to(x.dtype), None, None


_modulate.register_autograd(_backward, setup_context=_save)
