"""Makes the chains of a live session: for another portrait all of it, for another degree of a morph what that needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mien.chain import Adjustments, ReenactChain, open_chain
from mien.config import ReenactSettings
from mien.morphing.mesh_morph import MeshMorph
from mien.morphing.pictures import open_morph
from mien.morphing.sequence import MorphSequence
from mien.portrait.portrait import Portrait
from mien.runtime.sharing import SharedGraphs

Fitted = Callable[..., tuple[Portrait, ...]]
"""As `mien.portrait.prepare.prepare_to_fit`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures, background, style, morph and model that a session shows."""

    pictures: tuple[str, ...]
    background: str
    """See `ReenactSettings.background`."""
    style: str | None = None
    """See `ReenactSettings.style`."""
    morph: str | None = None
    """See `ReenactSettings.morph`; `degree` likewise."""
    degree: float = ReenactSettings().degree
    model: str | None = None
    """See `ReenactSettings.model`; None: the one that the session began with."""

    @classmethod
    def by(cls, pictures: tuple[str, ...], settings: ReenactSettings) -> Shown:
        """What settings ask for."""
        return cls(pictures, settings.background, settings.style, settings.morph, settings.degree)

    def of(self, settings: ReenactSettings) -> ReenactSettings:
        """The settings with what is shown."""
        model = settings.model if self.model is None else self.model
        shown = replace(settings, background=self.background, style=self.style, model=model)
        return replace(shown, morph=self.morph, degree=self.degree)


class ChainMaker:
    """Used by one thread at a time."""

    def __init__(
        self,
        settings: ReenactSettings,
        threads: int,
        graphs: SharedGraphs,
        adjustments: Adjustments,
        fitted: Fitted,
    ) -> None:
        """`settings` but for what is shown; `threads`, `graphs` and `adjustments` as `open_chain` takes them."""
        self._settings, self._threads = settings, threads
        self._graphs, self._adjustments, self._fitted = graphs, adjustments, fitted
        self._shown: Shown | None = None
        self._morph: tuple[tuple[str, ...], str, MeshMorph] | None = None
        self._sequence: MorphSequence | None = None

    def begin(self, shown: Shown, portraits: tuple[Portrait, ...]) -> ReenactChain:
        """The first chain, for portraits that decide the size of all later ones.

        Raises:
            MienError: as `open_chain` and `open_morph`.
        """
        return self._opened(shown, portraits)

    def make(self, shown: Shown, size: tuple[int, int]) -> tuple[ReenactChain, bool]:
        """A chain for pictures in a size (width, height), and whether it has taken over what the last one holds, which
        then must not be closed.

        Raises:
            MienError: as `begin`.
        """
        before = self._shown
        if self._sequence is not None and before is not None and replace(shown, degree=before.degree) == before:
            chain = self._sequence.at(shown.degree)
            self._shown = shown
            return chain, True
        if self._morph is not None and self._morph[:2] == (shown.pictures, shown.morph):
            return self._opened(shown, self._morph[2].ends[:1]), False
        return self._opened(shown, self._fitted(size, *shown.pictures)), False

    def _opened(self, shown: Shown, portraits: tuple[Portrait, ...]) -> ReenactChain:
        settings, morph = shown.of(self._settings), None
        if shown.morph is not None:
            morph = self._morph_of(shown.pictures, portraits, shown.morph)
            portraits = (morph(shown.degree),)
        chain = open_chain(portraits, settings, self._threads, graphs=self._graphs, adjustments=self._adjustments)
        self._shown, self._sequence = shown, None
        if morph is not None and settings.style is None:  # a style is drawn anew for each degree
            self._sequence = MorphSequence(morph, chain, self._threads)
        return chain

    def _morph_of(self, pictures: tuple[str, ...], portraits: tuple[Portrait, ...], second: str) -> MeshMorph:
        if self._morph is None or self._morph[:2] != (pictures, second):
            self._morph = pictures, second, open_morph(portraits, second, self._fitted)
        return self._morph[2]
