"""The toy's network, its training and its graph, behind the protocol that mien's own families keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tests.export.toy.contract import GENERATED, HEAT, HEAT_TOY, PICTURE, POINTS, SIDE, heat_maps
from torch import Tensor, nn
from torch.nn import functional as F

from mien.face.crop import SIDE as WHOLE
from mien.face.crop import crop_matrix
from mien.manifest import Bundle, Port, TensorSpec
from mien.manifest.bundle import BATCH
from mien.plane import placed
from mien.runtime.onnxruntime import OnnxRuntimeSession
from mien_export.data.faces import Faces
from mien_export.data.pairs import crop, prepared, render
from mien_export.data.perturb import perturbed
from mien_export.graphs.int8 import Variant
from mien_export.graphs.measure import PICTURES, Example, ran
from mien_export.graphs.parity import Bound
from mien_export.graphs.tracing import Traced
from mien_export.train.course import Asked, Part, Raw, changed

Sample = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Steady(Part):
    """A part with one learning rate."""

    def rate_at(self, step: int) -> float:
        return 2e-3


@dataclass(frozen=True, slots=True)
class Losses:
    """Weights of the terms."""

    painted: float = 1.0


@dataclass(frozen=True, slots=True)
class Config:
    """A run."""

    stages: tuple[Steady, ...] = (Steady(4000, 4),)
    losses: Losses = field(default_factory=Losses)


class Toy(nn.Module):
    """The portrait's picture and where landmarks shall be -> the picture with them there, (N, 3, S, S) in -1..1."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3 + len(POINTS), 24, 5, padding=2)
        self.second = nn.Conv2d(24, 24, 5, padding=2)
        self.last = nn.Conv2d(24, 3, 3, padding=1)

    def forward(self, picture: Tensor, heat: Tensor) -> Tensor:
        h = F.relu(self.first(torch.cat([picture, heat], 1)))
        return torch.tanh(self.last(F.relu(self.second(h))))


class Step:
    """Learns a batch by L1."""

    def __init__(self, config: Config) -> None:
        self.weight = config.losses.painted
        self.networks = Toy()
        self.optimiser = torch.optim.Adam(self.networks.parameters())

    def __call__(self, raw: Raw) -> dict[str, float]:
        loss = (self.networks(raw["picture"], raw["heat"]) - raw["truth"]).abs().mean()
        self.optimiser.zero_grad()
        torch.autograd.backward(self.weight * loss)
        self.optimiser.step()
        return {"painted": float(loss.detach())}

    def set_rate(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def compile(self, backend: str = "inductor") -> None:
        self.networks.compile(backend=backend)

    @torch.no_grad()
    def drawn(self, raw: Raw) -> tuple[Tensor, ...]:
        return raw["picture"], self.networks(raw["picture"], raw["heat"]), raw["truth"]

    def state_dict(self) -> dict[str, Any]:
        return {"networks": self.networks.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.networks.load_state_dict(state["networks"])
        self.optimiser.load_state_dict(state["optimiser"])


@dataclass(frozen=True, slots=True)
class Samples:
    """Callable: number -> a portrait, heat maps of the same face moved, and its picture there."""

    faces: Faces
    seed: int

    def __call__(self, number: int) -> Sample:
        rng = np.random.default_rng([self.seed, number])
        index = int(rng.integers(self.faces.count))
        picture = self.faces.picture(index)
        portrait = prepared(picture, self.faces.landmarks(index, picture.shape[0]))
        moved = perturbed(portrait, rng)
        landmarks = placed(moved.landmarks, crop_matrix(moved.pose, SIDE))
        return {
            "picture": _shrunk(crop(portrait.pixels, crop_matrix(portrait.pose))),
            "heat": heat_maps(landmarks, SIDE),
            "truth": _shrunk(crop(render(portrait, moved), crop_matrix(moved.pose))),
        }


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    tiles = pixels.reshape(SIDE, WHOLE // SIDE, SIDE, WHOLE // SIDE, 3)
    return np.ascontiguousarray(tiles.mean(axis=(1, 3), dtype=np.float32).transpose(2, 0, 1) / 128 - 1)


def collated(samples: list[Sample]) -> Raw:
    """Samples stacked."""
    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}


@dataclass(frozen=True, slots=True)
class Course:
    """All that a run needs."""

    config: Config

    @property
    def parts(self) -> Sequence[Part]:
        return self.config.stages

    @property
    def marks(self) -> dict[str, Any]:
        return {"kind": TOY.kind, "size": "toy"}

    def facts(self, done: int) -> dict[str, Any]:
        return {}

    def said(self) -> str:
        return f"painted {self.config.losses.painted:g}"

    def step(self, device: torch.device) -> Step:
        return Step(self.config)

    def samples(self, faces: Faces, seed: int, part: int) -> Callable[[int], Sample]:
        return Samples(faces, seed)

    @property
    def collate(self) -> Callable[[list[Sample]], Raw]:
        return collated


def _spec(port: Port) -> TensorSpec:
    assert isinstance(port.channels, int)
    return TensorSpec(port.role, port.role, (BATCH, port.channels, SIDE, SIDE), range=port.range)


class ToyFamily:
    """Keeps `mien_export.families.family.NetworkFamily`."""

    kind = family = HEAT_TOY.name
    configs = ("heat-toy",)
    sizes = ("toy",)
    learnt_from = "stills and their moved selves"
    usual_losses = "painted 1"
    measure = PICTURES
    halves_graphs = True
    bounds: Mapping[str, Bound] = {  # never changed
        "fp32": Bound(90, 0.01, "sums in another order"),
        "bf16": Bound(25, None, "8 bits"),
    }

    def course(self, config: str, asked: Asked) -> Course:
        return Course(changed(Config(), asked))

    def networks(self, state: Mapping[str, Any]) -> Toy:
        networks = Toy()
        networks.load_state_dict(state["step"]["networks"])
        return networks

    def side(self, size: str) -> int:
        return SIDE

    def view(self, size: str) -> None: ...

    def graphs(self, networks: Toy, size: str) -> tuple[Traced, ...]:
        operators = frozenset({"Concat", "Conv", "Relu", "Tanh"})
        return (Traced("generator", networks, (_spec(PICTURE), _spec(HEAT)), (_spec(GENERATED),), operators),)

    def int8_variants(self, networks: Toy) -> tuple[Variant, ...]:
        return ()

    def examples(self, bundle: Bundle, faces: Faces, count: int, threads: int) -> Iterator[Example]:
        session = OnnxRuntimeSession(bundle.graph("generator"), threads=threads)
        for sample in map(Samples(faces, 0), range(count)):
            inputs = {"picture": sample["picture"][None], "heat_maps": sample["heat"][None]}
            yield Example({"generator": inputs}, {"generator": ran(session, inputs)}, sample["truth"][None])
        session.close()


TOY: Final = ToyFamily()
