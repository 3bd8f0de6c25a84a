"""Chains for what a session shows: opened anew, or taking over from the last one where only the degree differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import samples
from mien.chain import Adjustments, ReenactChain
from mien.config import WARP, ReenactSettings
from mien.errors import SettingError, SourceError
from mien.frame import Frame
from mien.live.making import ChainMaker, Shown
from mien.portrait.portrait import Portrait
from mien.portrait.prepare import prepare_to_fit
from mien.runtime.sharing import SharedGraphs
from mien.stats import UNTIMED

SIZE = (128, 128)
ALDO, MIRA, TEO = (str(samples.portraits()[name]) for name in ("aldo", "mira", "teo"))
SETTINGS = ReenactSettings(model=WARP, size=128)


@pytest.fixture
def asked() -> list[str]:
    """Pictures that were prepared, in order."""
    return []


@pytest.fixture
def maker(asked: list[str]) -> Iterator[ChainMaker]:
    def fitted(size: tuple[int, int], *names: Any) -> tuple[Portrait, ...]:
        asked.extend(names)
        return prepare_to_fit(size, *names)

    graphs = SharedGraphs()
    yield ChainMaker(SETTINGS, 1, graphs, Adjustments(0.0, 1.0), fitted)
    graphs.close()


def seen(chain: ReenactChain) -> NDArray[np.uint8]:
    return chain(None, Frame(np.zeros((8, 8, 3), np.uint8), 0, Fraction(1)), "full", UNTIMED)


def test_another_degree_takes_over_and_prepares_nothing(maker: ChainMaker, asked: list[str]) -> None:
    shown = Shown((ALDO,), "keep", morph=TEO, degree=0.0)
    first = maker.begin(shown, prepare_to_fit(SIZE, ALDO))
    assert asked == [TEO]
    pictures = [seen(first)]
    for degree in (0.5, 1.0):
        chain, takes_over = maker.make(replace(shown, degree=degree), SIZE)
        assert takes_over
        pictures.append(seen(chain))
    assert asked == [TEO]
    there, back = (float(np.abs(pictures[1].astype(int) - one).mean()) for one in (pictures[0], pictures[2]))
    whole = float(np.abs(pictures[0].astype(int) - pictures[2]).mean())
    assert 0.2 * whole < there < 0.8 * whole
    assert 0.2 * whole < back < 0.8 * whole


def test_another_background_keeps_the_prepared_ends(maker: ChainMaker, asked: list[str]) -> None:
    shown = Shown((ALDO,), "keep", morph=TEO, degree=0.5)
    maker.begin(shown, prepare_to_fit(SIZE, ALDO))
    chain, takes_over = maker.make(replace(shown, background="white"), SIZE)
    assert not takes_over
    assert asked == [TEO]
    assert seen(chain)[:4, :4].mean() > 250
    _, takes_over = maker.make(replace(shown, background="white", degree=0.4), SIZE)
    assert takes_over
    _, takes_over = maker.make(replace(shown, morph=None), SIZE)
    assert not takes_over
    assert asked == [TEO, ALDO]


def test_what_cannot_be_made_leaves_the_last_one(maker: ChainMaker, asked: list[str]) -> None:
    shown = Shown((ALDO,), "keep", morph=TEO, degree=0.5)
    maker.begin(shown, prepare_to_fit(SIZE, ALDO))
    with pytest.raises(SourceError):
        maker.make(replace(shown, morph=str(samples.driver().parent / "nobody.png")), SIZE)
    with pytest.raises(SettingError, match="expected one picture"):
        maker.make(replace(shown, pictures=(ALDO, MIRA)), SIZE)
    _, takes_over = maker.make(replace(shown, degree=0.3), SIZE)
    assert takes_over
