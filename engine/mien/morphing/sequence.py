"""Chains of one morph at one degree after another: a new one shares with the last what the degree does not change.

So a change takes no longer than blending two pictures, and what a frame computes stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mien.morphing.mesh_morph import MeshMorph
from mien.paint.blending import WarpedEnd, blended_appearance
from mien.paint.painter import Paint
from mien.paint.scene import Appearance
from mien.portrait.portrait import Portrait
from mien.reenact.reenact import Reenact

if TYPE_CHECKING:
    from mien.chain import ReenactChain


class MorphSequence:
    """Makes chains of a morph for other degrees. By one thread at a time, beside the one that runs a chain."""

    def __init__(self, morph: MeshMorph, chain: ReenactChain, threads: int) -> None:
        """`chain` was opened for the morph at some degree, without a style. Whoever closes the last chain of the
        sequence closes what all share."""
        self.morph = morph
        self.chain = chain
        self._threads = threads
        self._looks: tuple[Appearance, Appearance] | None = None
        if chain.paint is not None:
            painter = chain.paint.painter
            self._looks = painter.appearance(morph.ends[0]), painter.appearance(morph.ends[1])

    def at(self, degree: float) -> ReenactChain:
        """The chain for a degree in 0..1, ready to take the place of the one before between two frames."""
        last, portrait = self.chain, self.morph(degree)
        reenact = Reenact((portrait,), self._threads, last.reenact.relax)
        fuse = last.fuse.emptied()
        fuse.prepare(reenact(None, 0.0))
        reenact.goes_on_from(last.reenact)
        smooth = last.smooth.emptied()
        self.chain = replace(last, reenact=reenact, paint=self._paint(portrait, degree), fuse=fuse, smooth=smooth)
        return self.chain

    def _paint(self, portrait: Portrait, degree: float) -> Paint | None:
        before = self.chain.paint
        if before is None or self._looks is None:
            return None
        painter = before.painter
        if portrait in self.morph.ends:
            return Paint.seen(self._looks[self.morph.ends.index(portrait)], painter)
        first, second = (
            WarpedEnd(look, mesh.vertices, mesh.texture, mesh.triangles)
            for look, mesh in zip(self._looks, self.morph.meshes(degree), strict=True)
        )
        return Paint.seen(blended_appearance(portrait, (first, second), degree, painter.bundle.side), painter)
