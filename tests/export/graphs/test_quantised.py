"""What is quantised stays quantised from one convolution to the next, so that runtimes fuse it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, numpy_helper

from mien.manifest import Bundle
from mien_export.families.oneshot_live.family import LIVE
from mien_export.families.oneshot_live.step import LiveNetworks
from mien_export.graphs.int8 import OPERATORS, Quantiser
from mien_export.graphs.measure import Arrays, Example
from mien_export.graphs.tidy import ending

VARIANTS = LIVE.int8_variants(LiveNetworks("xs"))


def inputs_of(examples: list[Example]) -> list[Arrays]:
    return [example.inputs["generator"] for example in examples]


@pytest.fixture(scope="module")
def models(bundle: Bundle, examples: list[Example]) -> dict[str, ModelProto]:
    """Every variant."""
    graph = bundle.graph("generator")
    quantiser = Quantiser(onnx.load_model(graph.path), graph.inputs, inputs_of(examples))
    made = {variant.name: quantiser(variant) for variant in VARIANTS}
    quantiser.close()
    return made


def makers(model: ModelProto) -> dict[str, NodeProto]:
    return {name: node for node in model.graph.node for name in node.output}


def weight_of(node: NodeProto, model: ModelProto) -> str:
    maker = makers(model).get(node.input[1])
    return str(node.input[1] if maker is None else maker.input[0])


def in_int8(model: ModelProto) -> list[NodeProto]:
    """Operators all of whose operands are dequantised right before."""
    known = {name: node.op_type for name, node in makers(model).items()}
    operands = {"Conv": 2, "Add": 2, "Mul": 2, "Resize": 1}
    return [
        node
        for node in model.graph.node
        if {known.get(name) for name in node.input[: operands.get(node.op_type, 0)]} == {"DequantizeLinear"}
    ]


def test_all_is_quantised_but_what_a_variant_keeps(models: dict[str, ModelProto]) -> None:
    for variant in VARIANTS:
        model = models[variant.name]
        last = ending(model)
        kept = [
            node
            for node in model.graph.node
            if node.op_type in OPERATORS and node not in in_int8(model) and node not in last
        ]
        for node in kept:
            assert node.op_type == "Conv", node.name
            assert weight_of(node, model).startswith(variant.exact), node.name
        assert bool(kept) == bool(variant.exact)


def test_relu_is_in_the_rounding(models: dict[str, ModelProto]) -> None:
    for model in models.values():
        assert "Relu" not in {node.op_type for node in model.graph.node}


def test_between_quantised_operators_nothing_is_float(models: dict[str, ModelProto]) -> None:
    model = models["all in int8"]
    users: dict[str, set[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, set()).add(node.op_type)
    for node in in_int8(model):
        assert users[node.output[0]] == {"QuantizeLinear"}, node.name


def test_what_enters_loses_nothing(models: dict[str, ModelProto], examples: list[Example]) -> None:
    """Pictures and parsing maps were bytes: their scales are the bytes' own."""
    model = models["all in int8"]
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    made, scales = makers(model), []
    for node in model.graph.node:
        source = made.get(node.input[0]) if node.op_type == "QuantizeLinear" else None
        if source is not None and source.op_type in ("SpaceToDepth", "AveragePool"):
            scales.append((source.op_type, float(values[node.input[1]])))
    assert {kind for kind, _ in scales} == {"SpaceToDepth", "AveragePool"}
    for kind, scale in scales:
        assert scale == pytest.approx(1 / 128 if kind == "SpaceToDepth" else 1 / 255, rel=1e-6)
    picture = examples[0].inputs["generator"]["warped"]
    np.testing.assert_array_equal(picture * 128, np.rint(picture * 128))


def test_what_follows_the_last_convolution_is_exact(models: dict[str, ModelProto]) -> None:
    for variant in VARIANTS:
        after = [node.op_type for node in ending(models[variant.name])]
        heads = 0 if "head." in variant.exact else 1
        assert (after.count("QuantizeLinear"), after.count("DequantizeLinear")) == (heads, heads), variant.name


def test_weights_have_a_scale_per_channel(models: dict[str, ModelProto]) -> None:
    model = models["all in int8"]
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    made = makers(model)
    for node in model.graph.node:
        if node.op_type == "Conv":
            weight, scale, zero = (values[name] for name in made[node.input[1]].input)
            assert weight.dtype == np.int8
            assert scale.shape == weight.shape[:1]
            assert not zero.any()


def test_the_same_pairs_give_the_same_bytes(
    models: dict[str, ModelProto], bundle: Bundle, examples: list[Example]
) -> None:
    graph, variant = bundle.graph("generator"), VARIANTS[1]
    quantiser = Quantiser(onnx.load_model(graph.path), graph.inputs, inputs_of(examples))
    assert quantiser(variant).SerializeToString() == models[variant.name].SerializeToString()
    quantiser.close()
