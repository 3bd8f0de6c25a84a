"""As much of hypothesis as the kernels' tests use, for machines that lack it: seeded examples, nothing shrunk.

kernels/check_gpu.sh puts this on the path where hypothesis is not installed.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Generic, TypeVar

__version__ = "stand-in"
EXAMPLES = 100

Test = Callable[..., None]
T = TypeVar("T")
U = TypeVar("U")

strategies = sys.modules[__name__]


@dataclass(frozen=True, slots=True)
class SearchStrategy(Generic[T]):
    """Draws examples."""

    draw: Callable[[Random], T]

    def map(self, change: Callable[[T], U]) -> SearchStrategy[U]:
        """What `change` makes of the examples."""
        return SearchStrategy(lambda rng: change(self.draw(rng)))


def integers(low: int, high: int) -> SearchStrategy[int]:
    """low..high, the ends more often than others."""
    return SearchStrategy(lambda rng: rng.choice((low, high, *[rng.randint(low, high) for _ in range(6)])))


def floats(low: float, high: float) -> SearchStrategy[float]:
    """low..high, the ends more often than others."""
    return SearchStrategy(lambda rng: rng.choice((low, high, *[rng.uniform(low, high) for _ in range(6)])))


def booleans() -> SearchStrategy[bool]:
    """Either."""
    return SearchStrategy(lambda rng: rng.random() < 0.5)


def sampled_from(values: Sequence[T]) -> SearchStrategy[T]:
    """One of `values`."""
    return SearchStrategy(lambda rng: rng.choice(values))


def one_of(*strategies: SearchStrategy[T]) -> SearchStrategy[T]:
    """An example of one of `strategies`."""
    return SearchStrategy(lambda rng: rng.choice(strategies).draw(rng))


def tuples(*strategies: SearchStrategy[Any]) -> SearchStrategy[tuple[Any, ...]]:
    """An example of each of `strategies`."""
    return SearchStrategy(lambda rng: tuple(strategy.draw(rng) for strategy in strategies))


def lists(strategy: SearchStrategy[T], max_size: int) -> SearchStrategy[list[T]]:
    """Up to `max_size` examples."""
    return SearchStrategy(lambda rng: [strategy.draw(rng) for _ in range(rng.randint(0, max_size))])


def settings(max_examples: int = EXAMPLES, **_: Any) -> Callable[[Test], Test]:
    """How many examples a test is given; the rest is ignored."""

    def mark(test: Test) -> Test:
        test.__dict__["max_examples"] = max_examples
        return test

    return mark


def given(**drawn: SearchStrategy[Any]) -> Callable[[Test], Test]:
    """Run a test with examples of `drawn` for the arguments of these names."""

    def wrap(test: Test) -> Test:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            for seed in range(run.__dict__.get("max_examples", EXAMPLES)):
                rng = Random(f"{test.__name__} {seed}")
                example = {name: strategy.draw(rng) for name, strategy in drawn.items()}
                try:
                    test(**fixtures, **example)
                except Exception as error:
                    error.add_note(f"example: {example}")
                    raise

        left = [p for name, p in inspect.signature(test).parameters.items() if name not in drawn]
        run.__dict__["__signature__"] = inspect.Signature(left)
        return run

    return wrap
