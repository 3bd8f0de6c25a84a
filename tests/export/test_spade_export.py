"""A torch module with the operator, exported: one node, whose function body gives the module's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

REASON = (
    "not installed: torch, onnx and onnxscript (extra `train`) and onnxruntime (extra `cpu`) are needed to run this"
)
torch: Any = pytest.importorskip("torch", reason=f"torch is {REASON}")
onnx: Any = pytest.importorskip("onnx", reason=f"onnx is {REASON}")
pytest.importorskip("onnxscript", reason=f"onnxscript is {REASON}")
runtime: Any = pytest.importorskip("onnxruntime", reason=f"onnxruntime is {REASON}")
modulate: Any = pytest.importorskip("mien_export.spade").spade_modulate
spade_export: Any = pytest.importorskip("mien_export.spade_onnx")

TOLERANCE = 1e-5
"""Of results around 1, from float32 sums in another order."""


def block() -> Any:
    class Block(torch.nn.Module):  # type: ignore[misc]  # torch may be missing
        def __init__(self) -> None:
            super().__init__()
            self.gamma, self.beta = (torch.nn.Conv2d(3, 8, 1) for _ in range(2))

        def forward(self, x: Any, parsing: Any) -> Any:
            return modulate(x, self.gamma(parsing), self.beta(parsing), slope=0.2)

    torch.manual_seed(0)
    return Block().eval()


@pytest.mark.filterwarnings("ignore")  # of the exporter, about itself
def test_an_exported_module_keeps_its_values() -> None:
    module = block()
    given = torch.randn(2, 8, 12, 10), torch.randn(2, 3, 12, 10)
    table = spade_export.translations()
    program = torch.onnx.export(module, given, dynamo=True, custom_translation_table=table, verbose=False)
    model = spade_export.completed(program)
    onnx.checker.check_model(model)
    (node,) = (node for node in model.graph.node if node.domain == "mien")
    assert node.op_type == "SpadeModulate"
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    (got,) = session.run(None, dict(zip(names, (value.numpy() for value in given), strict=True)))
    with torch.no_grad():
        expected = module(*given).numpy()
    np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE)
