"""The torch operator: the reference's values, gradients by differences, and what torch asks of an operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mien_kernels import reference

torch: Any = pytest.importorskip("torch", reason="torch is not installed: it comes with the extra `train`")
modulate: Any = pytest.importorskip("mien_export.spade").spade_modulate

TOLERANCE = {"float64": 1e-6, "float32": 2e-5, "bfloat16": 0.05}
"""Of results around 1: the reference answers in float32, whose sums differ in the last places; bfloat16 has 8 bits."""

slopes = pytest.mark.parametrize("slope", [1.0, 0.2, 0.0])
formats = pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])


def tensors(*shape: int, kind: Any = torch.float64, format: Any = torch.contiguous_format, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    values = (rng.normal(mean, spread, shape) for mean, spread in ((2, 1), (0, 0.5), (0, 0.5)))
    return tuple(torch.from_numpy(value).to(kind).contiguous(memory_format=format) for value in values)


def expected_of(given: Any, slope: float) -> Any:
    x, gamma, beta = (value.float().contiguous().numpy() for value in given)
    return reference.spade_modulate(x, gamma, beta, slope)


@slopes
@formats
@pytest.mark.parametrize("kind", list(TOLERANCE))
def test_values_are_the_references(slope: float, format: Any, kind: str) -> None:
    given = tensors(2, 5, 9, 11, kind=getattr(torch, kind), format=format)
    got = modulate(*given, slope=slope)
    expected = expected_of(given, slope)
    assert got.dtype == given[0].dtype
    assert got.stride() == given[0].stride()
    np.testing.assert_allclose(got.float().numpy(), expected, rtol=TOLERANCE[kind], atol=TOLERANCE[kind])


@slopes
@formats
@pytest.mark.parametrize("shape", [(2, 3, 3, 4), (1, 2, 1, 3), (1, 2, 1, 1)])
def test_gradients_are_those_of_differences(slope: float, format: Any, shape: tuple[int, ...]) -> None:
    given = tuple(value.requires_grad_() for value in tensors(*shape, format=format))
    assert torch.autograd.gradcheck(lambda *values: modulate(*values, slope=slope), given)


def test_gradients_have_gradients() -> None:
    given = tuple(value.requires_grad_() for value in tensors(1, 2, 2, 3))
    assert torch.autograd.gradgradcheck(lambda *values: modulate(*values, slope=0.2), given)


@slopes
def test_gradients_in_float32_are_those_in_float64(slope: float) -> None:
    gradients = []
    for kind in (torch.float64, torch.float32):
        given = tuple(value.requires_grad_() for value in tensors(2, 4, 16, 16, kind=kind))
        result = modulate(*given, slope=slope)
        gradients.append(
            torch.autograd.grad(result, given, torch.cos(torch.arange(2048.0, dtype=kind)).view_as(result))
        )
    for exact, got in zip(*gradients, strict=True):
        np.testing.assert_allclose(got.numpy(), exact.numpy(), rtol=1e-3, atol=1e-4)


@formats
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_torch_accepts_the_operator(format: Any, kind: Any) -> None:
    given = tuple(value.requires_grad_() for value in tensors(2, 3, 4, 4, kind=kind, format=format))
    torch.library.opcheck(torch.ops.mien.spade_modulate.default, (*given, 0.2, 1e-5))


def test_shapes_are_known_without_values() -> None:
    given = torch.empty(2, 3, 4, 5, device="meta", memory_format=torch.channels_last)
    result = modulate(given, given, given)
    assert result.shape == given.shape
    assert result.stride() == given.stride()


def test_the_wider_type_is_computed_in() -> None:
    x, gamma, beta = tensors(1, 2, 4, 4, kind=torch.float32)
    assert modulate(x, gamma.bfloat16(), beta.bfloat16()).dtype == torch.float32


def test_a_large_mean_keeps_its_variance() -> None:
    x, gamma, beta = tensors(1, 3, 64, 64, kind=torch.float32)
    x = 1000 + 0.01 * x
    expected = reference.spade_modulate(x.numpy(), gamma.numpy(), beta.numpy())
    np.testing.assert_allclose(modulate(x, gamma, beta).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 3, 0, 4)])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_empty(shape: tuple[int, ...], kind: Any) -> None:
    given = tuple(value.requires_grad_() for value in tensors(*shape, kind=kind))
    result = modulate(*given, slope=0.2)
    result.sum().backward()
    assert result.shape == given[0].grad.shape == shape


def test_what_does_not_fit_is_refused() -> None:
    x, gamma, beta = tensors(1, 2, 4, 4)
    with pytest.raises(ValueError, match=r"gamma: expected \(1, 2, 4, 4\) of torch.float64 on cpu as x, got"):
        modulate(x, gamma[:, :1], beta)
    with pytest.raises(ValueError, match=r"expected slope in 0..1 and epsilon above 0, got 2.0 and"):
        modulate(x, gamma, beta, slope=2.0)
    with pytest.raises(ValueError, match=r"x: expected \(N, C, H, W\)"):
        modulate(x[0], gamma[0], beta[0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@slopes
@formats
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_cuda_agrees_with_the_reference_on_the_callers_stream(slope: float, format: Any, kind: Any) -> None:
    given = tensors(2, 32, 40, 40, kind=kind, format=format)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        got = modulate(*(value.cuda(non_blocking=True) for value in given), slope=slope)
    stream.synchronize()
    expected = expected_of(given, slope)
    tolerance = TOLERANCE["float32"] if kind is torch.float32 else TOLERANCE["bfloat16"]
    np.testing.assert_allclose(got.float().cpu().numpy(), expected, rtol=tolerance, atol=tolerance)
