"""The page's code is the same as ours: each side reads what the other one draws."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mien_bench.latency.timecode import Code, decode, draw, encode, read
from mien_bench.latency.webrtc_paths import SCRIPT, page_of

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
CODES = [Code(0, 0), Code(5, 123_456), Code((1 << 18) - 1, (1 << 30) - 1)]
DRAWN = """([width, height, number, milliseconds]) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    mienBench.draw(context, width, height, number, milliseconds);
    return [...context.getImageData(0, 0, width, Math.round(height / 15)).data];
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with page_of("about:blank") as page:
        page.evaluate(SCRIPT.read_text())
        yield page


@pytest.mark.parametrize("code", CODES)
def test_it_encodes_and_decodes_as_we_do(page: Any, code: Code) -> None:
    cells = page.evaluate("([n, t]) => mienBench.encode(n, t)", [code.number, code.time / 10])
    assert decode(np.array(cells, np.bool_).reshape(2, 40)) == code
    ours = [int(cell) for cell in encode(code).reshape(-1)]
    assert page.evaluate("cells => mienBench.decode(cells)", ours) == [code.number, code.time]
    ours[7] ^= 1
    assert page.evaluate("cells => mienBench.decode(cells)", ours) is None


@pytest.mark.parametrize("size", [(320, 240), (256, 256), (202, 360)])
def test_each_reads_what_the_other_one_draws(page: Any, size: tuple[int, int]) -> None:
    width, height = size
    rows = round(height / 15)
    pixels = np.full((height, width, 4), 255, np.uint8)
    drawn = page.evaluate(DRAWN, [width, height, 77, 4321.0])
    pixels[:rows] = np.array(drawn, np.uint8).reshape(rows, width, 4)
    assert read(pixels) == Code(77, 43_210)
    draw(Code(78, 999), pixels)
    given = [pixels[:rows].reshape(-1).tolist(), width, rows]
    assert page.evaluate("([pixels, width, rows]) => mienBench.read(pixels, width, rows)", given) == [78, 999]
