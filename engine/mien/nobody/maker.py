"""Makes portraits of nobody by the graphs of a bundle of the family `scgan`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bundles import find
from mien.errors import ModelError
from mien.face import topology
from mien.face.contacts import close_lips
from mien.face.traits import INDEX, TRAITS
from mien.manifest import Bundle, read_bundle
from mien.nobody.asking import TONES, Looks
from mien.nobody.colours import table
from mien.nobody.drawing import MeanFace, Person, label_map, painted, scaled
from mien.paint.fillers import BYTE_SCALE
from mien.parsing.maps import FINER, class_shares
from mien.runtime.opening import choose, open_session
from mien.runtime.session import GraphSession
from mien_kernels import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

MODEL: Final = "scgan"
LOOKS, PEOPLE, PORTRAIT = "looks", "people", "portrait"
LATENT: Final = 96
"""Length of a style."""
CLOSED: Final = 0.1
"""Trait of an open mouth below which the lips meet."""
SPREAD: Final = 0.4
"""Standard deviation of latents: full-size ones over-sharpen."""


class Maker:
    """People and pictures of them; for one thread."""

    def __init__(self, bundle: Bundle, sessions: Mapping[str, GraphSession], threads: int, about: str) -> None:
        """`sessions`: by the names of the graphs; `close` closes them."""
        self.side, self.about = bundle.side, about
        self._sessions, self._threads = sessions, threads
        inputs = sessions[PORTRAIT].inputs
        self.layers = inputs["styles"].shape[1] // LATENT
        self._length = sessions[LOOKS].inputs["mixture"].shape[1]
        self.looks = self._probed()
        self.frame = MeanFace.of(self.person(np.zeros(self._length, np.float32)).landmarks)

    def person(self, mixture: Floats) -> Person:
        """Somebody, of a mixture (L,); glasses are worn wholly or not at all."""
        session = self._sessions[PEOPLE]
        session.inputs["mixture"][0] = mixture
        session.run()
        found = {name: array[0].astype(np.float32) for name, array in session.outputs.items()}
        looks = self.looks.mean + self.looks.matrix @ mixture
        traits, tones = looks[: len(TRAITS)].astype(np.float32), looks[len(TRAITS) :].astype(np.float32)
        traits[INDEX["glasses"]] = float(traits[INDEX["glasses"]] > 0.5)
        landmarks = found["landmarks"].reshape(topology.COUNT, 3).astype(np.float64)
        return Person(
            close_lips(landmarks) if traits[INDEX["open-mouth"]] < CLOSED else landmarks,
            found["regions"],
            np.ascontiguousarray(found["texture"].transpose(1, 2, 0)),
            np.clip(tones.reshape(-1, 3), 0, 1),
            traits,
        )

    @cached_property
    def shape(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Landmarks as a linear map of mixtures, which they are: the mean (1434,) and a matrix (1434, L)."""
        mean = self._landmarks(np.zeros(self._length, np.float32))
        columns = [self._landmarks(row) - mean for row in np.eye(self._length, dtype=np.float32)]
        return mean, np.stack(columns, axis=1)

    def _landmarks(self, mixture: Floats) -> NDArray[np.float64]:
        session = self._sessions[PEOPLE]
        session.inputs["mixture"][0] = mixture
        session.run()
        return np.asarray(session.outputs["landmarks"][0], np.float64)

    def picture(
        self, person: Person, backdrop: Floats, rng: np.random.Generator, labels: Pixels | None = None
    ) -> Pixels:
        """(side, side, 3): somebody's portrait.

        Args:
            backdrop: (3,) in 0..1.
            rng: draws the latent of hair and cloth, and noise.
            labels: (2 side, 2 side) in place of the person's own map.
        """
        session = self._sessions[PORTRAIT]
        latent = SPREAD * rng.standard_normal(LATENT)
        noise = rng.standard_normal((self.side, self.side))
        fill(session.inputs, self.frame, person, backdrop, latent, noise, labels, self._threads)
        session.run()
        made = session.outputs["generated"][0].astype(np.float32, copy=False)
        return ops.to_image(made, scale=BYTE_SCALE, bias=BYTE_SCALE, threads=self._threads)

    def close(self) -> None:
        """Let go of the networks."""
        for session in self._sessions.values():
            session.close()

    def _probed(self) -> Looks:
        """The graph of looks as a matrix, which it is: its values at nothing and at each direction."""
        session = self._sessions[LOOKS]

        def at(mixture: Floats) -> NDArray[np.float64]:
            session.inputs["mixture"][0] = mixture
            session.run()
            return np.concatenate([session.outputs[name][0].astype(np.float64) for name in ("traits", "tones")])

        mean = at(np.zeros(self._length, np.float32))
        if len(mean) != len(TRAITS) + TONES:
            raise ModelError(f"graph {LOOKS}: expected {len(TRAITS)} traits and {TONES} tones, got {len(mean)} in all")
        columns = [at(row) - mean for row in np.eye(self._length, dtype=np.float32)]
        return Looks(mean, np.stack(columns, axis=1))


def fill(
    inputs: Mapping[str, NDArray[np.float32]],
    frame: MeanFace,
    person: Person,
    backdrop: Floats,
    latent: NDArray[np.float64],
    noise: NDArray[np.float64],
    labels: Pixels | None = None,
    threads: int = 1,
) -> None:
    """Write what the graph of portraits takes for somebody into its inputs.

    Args:
        backdrop: (3,) in 0..1.
        latent: (96,), which becomes the style of every layer.
        noise: (S, S).
        labels: (2 S, 2 S) in place of the person's own map.
    """
    side = inputs["noise"].shape[-1]
    kinds = label_map(person, FINER * side) if labels is None else labels
    colours = table(person.colours, backdrop)
    class_shares(kinds, inputs["classes"][0])
    if "painted" in inputs:
        shown = painted(kinds, scaled(person.landmarks, side), person.texture, frame, colours)
        same = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)
        ops.to_tensor(shown, same, inputs["painted"][0], 1 / BYTE_SCALE, -1.0, threads=threads)
    if "tones" in inputs:
        inputs["tones"][0] = colours.ravel() * 2 - 1
    inputs["styles"][0] = np.tile(latent, inputs["styles"].shape[1] // LATENT)
    inputs["traits"][0] = person.traits
    inputs["noise"][0, 0] = noise


@contextlib.contextmanager
def open_maker(threads: int, model: str = MODEL) -> Iterator[Maker]:
    """The packaged networks or those of another bundle; closed on leaving.

    Raises:
        ModelError: the bundle is missing or broken, or of another family.
        BackendError: no runtime is installed.
    """
    bundle = read_bundle(find(model))
    if bundle.family != MODEL:
        raise ModelError(f"model {model}: expected one of the family {MODEL}, got {bundle.family}")
    choice = choose(bundle, PORTRAIT, threads=threads)
    with contextlib.ExitStack() as stack:
        sessions = {name: open_session(bundle, name, "onnxruntime", "fp32", threads) for name in (LOOKS, PEOPLE)}
        sessions[PORTRAIT] = open_session(bundle, PORTRAIT, choice.backend, choice.precision, threads)
        for session in sessions.values():
            stack.callback(session.close)
        yield Maker(bundle, sessions, threads, f"{bundle.name} {bundle.size} on {choice}")
