"""Figures of matplotlib as SVG that follows a theme: colours are the style sheet's variables, text stays text.

The same figure gives the same bytes: identifiers are hashes of their content, and nothing says when it was drawn.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final
from xml.etree import ElementTree

from mien.runtime.cache import keep_matplotlib_here
from mien_bench.page.html import Markup

THEME: Final = resources.files("mien_bench.page").joinpath("theme.css").read_text()
"""The variables of the light and of the dark theme, as CSS."""
COLOURS: Final[Mapping[str, str]] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", THEME.partition("}")[0]))
"""Of the light theme by name; no two are the same. In the SVG each becomes the variable of its name."""
SERIES: Final = 8
"""Colours for lines, "s1" to "s8"."""
LABEL: Final = 11
"""Size of text that may lie on lines, in pixels; it has a halo on the page."""
_SETTINGS: Final[Mapping[str, Any]] = {
    "svg.fonttype": "none",  # text as text, in the page's own font
    "svg.hashsalt": "mien",
    "text.parse_math": False,  # names may hold a dollar
    "axes.unicode_minus": False,
    "font.size": 12,
    "path.simplify": False,
}
_FONT: Final = 'font-family: system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums'
_NOTHING: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_NAME: Final = re.compile(r"\{.*\}")


def series(index: int) -> str:
    """The colour of the line of that number from 0."""
    return COLOURS[f"s{index % SERIES + 1}"]


def blank(width: float, height: float) -> Any:
    """A `matplotlib.figure.Figure` of so many pixels without a background; a point is a pixel."""
    keep_matplotlib_here()
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), dpi=72, frameon=False)


def svg(figure: Any, title: str, description: str, tips: Mapping[str, Sequence[str]]) -> Markup:
    """The element of a figure.

    Args:
        title, description: of the whole picture, for those who do not see it.
        tips: by an artist's gid, what is shown when it is pointed at: a text for each of its markers, or one text.
    """
    root = _rendered(figure)
    for element in list(root.iter()):
        _add_tips(element, tips)
    used = set(re.findall(r"#([\w-]+)", " ".join(value for one in root.iter() for value in one.attrib.values())))
    name = "chart-" + hashlib.sha256(ElementTree.tostring(root) + title.encode()).hexdigest()[:10]
    for element in root.iter():
        _made_themed(element, used)
    _describe(root, name, title, description)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _describe(root: ElementTree.Element, name: str, title: str, description: str) -> None:
    """Give a picture its title and description, in the form that screen readers expect."""
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    for index, (tag, text) in enumerate({"title": title, "desc": description}.items()):
        element = ElementTree.Element(tag, id=f"{name}-{tag}")
        element.text = text
        root.insert(index, element)


def svg_file(element: str) -> str:
    """A file of its own: an element of `svg` with the theme and a ground."""
    _, _, width, height = re.search(r'viewBox="([^"]*)"', element)[1].split()  # type: ignore[index]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    style = f"<style>\n{THEME}text {{ {_FONT} }}\n</style>"
    ground = '<rect width="100%" height="100%" rx="10" style="fill: var(--surface)" />'
    return element.replace("<svg ", head, 1).replace("</desc>", f"</desc>{style}{ground}", 1) + "\n"


def _rendered(figure: Any) -> ElementTree.Element:
    """The root of matplotlib's own SVG, its elements without namespaces."""
    from matplotlib import rc_context

    written = io.BytesIO()
    with rc_context(dict(_SETTINGS)):
        figure.savefig(written, format="svg", metadata=_NOTHING)
    root = ElementTree.fromstring(written.getvalue())
    for definitions in [*root.findall("*[{*}style]"), *root.findall("*[{*}clipPath]")]:
        root.remove(definitions)  # styles would hold for all of the page; nothing is drawn outside of the axes
    for element in root.iter():
        element.tag = _NAME.sub("", element.tag)
        element.attrib = {_NAME.sub("", key): value for key, value in element.attrib.items() if key != "clip-path"}
        element.text = element.text if element.tag == "text" else None
        element.tail = None
    return root


def _add_tips(element: ElementTree.Element, tips: Mapping[str, Sequence[str]]) -> None:
    texts = tips.get(element.attrib.get("id", ""), ())
    markers = list(element.iter("use"))
    targets = markers if markers and len(markers) == len(texts) else [element]
    for target, text in zip(targets, texts, strict=False):
        title = ElementTree.Element("title")
        title.text = text
        target.insert(0, title)


def _made_themed(element: ElementTree.Element, used: set[str]) -> None:
    """Colours to variables; fonts, and names that nothing refers to, left out."""
    if element.attrib.get("id") not in used:
        element.attrib.pop("id", None)
    style = element.attrib.get("style")
    if style is not None:
        style = re.sub(r"font-family: [^;]*;?\s*", "", style)
        for name, value in COLOURS.items():
            style = style.replace(value, f"var(--{name})")
        if element.tag == "text" and f"font-size: {LABEL}px" in style:
            element.attrib["class"] = "halo"
        element.attrib["style"] = style
