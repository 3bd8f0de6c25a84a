from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from tests.engine.pipeline.fakes import FedSource, frame

from mien.errors import SourceError
from mien.frame import Frame
from mien.serve.peering import SwitchableSource
from mien.sound.sound import Sound


def shades(items: Iterator[Frame | Sound]) -> list[int]:
    return [int(item.pixels[0, 0, 0]) for item in items if isinstance(item, Frame)]


def test_one_source_follows_another_until_the_whole_is_closed() -> None:
    first, second = FedSource(frame(1), frame(2)), FedSource(frame(3))
    whole = SwitchableSource(first)
    items = iter(whole)
    assert shades(iter([next(items), next(items)])) == [1, 2]
    first.end()
    whole.follow(second)
    assert shades(iter([next(items)])) == [3]
    whole.close()
    assert list(items) == []
    assert first.ended.is_set()
    assert second.ended.is_set()


def test_a_reader_waits_for_the_next_source() -> None:
    first, second, read = FedSource(frame(1)), FedSource(frame(2)), list[int]()
    first.end()
    whole = SwitchableSource(first)
    reading = Thread(target=lambda: read.extend(shades(iter(whole))))
    reading.start()
    whole.follow(second)
    second.end()
    whole.close()
    reading.join(60)
    assert not reading.is_alive()
    assert read in ([], [1], [1, 2], [2]), "what came before each was closed"


def test_a_source_that_comes_after_the_end_is_closed_at_once() -> None:
    whole = SwitchableSource(FedSource())
    whole.close()
    late = FedSource(frame(1))
    whole.follow(late)
    assert late.ended.is_set()
    assert list(whole) == []


def test_broken_frames_are_counted_over_all() -> None:
    first, second = FedSource(), FedSource()
    first.broken_frames, second.broken_frames = 2, 3
    whole = SwitchableSource(first)
    whole.follow(second)
    assert whole.broken_frames == 5
    assert whole.info == second.info
    with pytest.raises(SourceError):
        whole.sample(1)
