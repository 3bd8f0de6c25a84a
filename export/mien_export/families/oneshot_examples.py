"""Evaluation examples of the one-shot families: pairs, and the reference outputs of their float32 graphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch.nn import functional as F

from mien.face.crop import SIDE
from mien.manifest import Bundle, Graph
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.data.pairs import Pair
from mien_export.data.sampler import Sampler, Sampling
from mien_export.families.oneshot_pairs import Batch, collate, to_batch, warp_features
from mien_export.graphs.measure import Arrays, Example, ran


def examples_of(bundle: Bundle, faces: Faces, count: int, threads: int, seed: int = 0) -> Iterator[Example]:
    """Examples of the first pairs that a seed draws of `faces`.

    Raises:
        BackendError: ONNX Runtime is not there or refuses a graph.
    """
    sampler = Sampler(faces, Sampling(seed=seed, side=SIDE))
    return examples_of_pairs(bundle, map(sampler, range(count)), threads)


def examples_of_pairs(bundle: Bundle, pairs: Iterable[Pair], threads: int) -> Iterator[Example]:
    """What the graphs make of pairs of whole crops, one by one.

    Raises:
        BackendError: as `examples_of`.
    """
    appearance = OnnxRuntimeSession(bundle.graph("appearance"), threads=threads)
    generator = OnnxRuntimeSession(bundle.graph("generator"), threads=threads)
    try:
        for pair in pairs:
            batch = to_batch(collate([pair]), torch.device("cpu"))
            portrait = _of_portrait(bundle, batch)
            features = ran(appearance, portrait)
            frame = _of_frame(bundle, batch) | _moved(bundle, features, batch)
            yield Example(
                inputs={"appearance": portrait, "generator": frame},
                outputs={"appearance": features, "generator": ran(generator, frame)},
                truth=_seen(bundle, batch.target).contiguous().numpy(),
                under=frame["warped"],
            )
    finally:
        appearance.close()
        generator.close()


def _of_portrait(bundle: Bundle, batch: Batch) -> Arrays:
    pictures = {"picture": batch.source, "portrait_parsing": batch.source_parsing}
    crops = {role: _shrunk(picture, bundle.side) for role, picture in pictures.items()}
    return _sized(crops, bundle.graph("appearance"))


def _of_frame(bundle: Bundle, batch: Batch) -> Arrays:
    given = {"parsing": batch.parsing, "warped": batch.warped, "hint": batch.hint}
    return _sized({role: _seen(bundle, picture) for role, picture in given.items()}, bundle.graph("generator"))


def _seen(bundle: Bundle, picture: torch.Tensor) -> torch.Tensor:
    """The part of a pair's picture that the bundle's generator sees, as large as in the bundle's crop."""
    rows, columns = bundle.seen.area
    return _shrunk(picture, bundle.side)[..., rows, columns]


def _moved(bundle: Bundle, features: Arrays, batch: Batch) -> Arrays:
    """What appearance gives, as generator takes it: warped where the manifest says so."""
    out = dict(features)
    for spec in bundle.graph("generator").inputs:
        if spec.warped:
            (moved,) = warp_features((torch.from_numpy(features[spec.name]),), batch.flow)
            cell = bundle.side // moved.shape[-1]
            rows, columns = (slice(part.start // cell, part.stop // cell) for part in bundle.seen.area)
            out[spec.name] = moved[..., rows, columns].contiguous().numpy()
    return out


def _sized(pictures: dict[str, torch.Tensor], graph: Graph) -> Arrays:
    """Those of the pictures that the graph takes, by its names, in its sizes."""
    wanted = [spec for spec in graph.inputs if spec.role in pictures]
    sized = {spec.name: _shrunk(pictures[spec.role], spec.sized(1)[-1]) for spec in wanted}
    return {name: tensor.contiguous().numpy() for name, tensor in sized.items()}


def _shrunk(picture: torch.Tensor, width: int) -> torch.Tensor:
    return F.avg_pool2d(picture, picture.shape[-1] // width)
