"""Opens a styler: finds its bundle, chooses a runtime."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

from mien.bundles import find, installed_bundles
from mien.errors import MienError, ModelError, SettingError
from mien.manifest import Bundle, read_bundle, read_manifest
from mien.runtime.opening import choose, open_session
from mien.runtime.sharing import SharedGraphs
from mien.style.styler import PATCH, WHOLE, Styler
from mien.style.wish import StyleWish, read_wish

MODEL: Final = "style"


@contextlib.contextmanager
def open_styler(threads: int, model: str = MODEL, graphs: SharedGraphs | None = None) -> Iterator[Styler]:
    """The packaged styler or that of another bundle; closed on leaving.

    Args:
        graphs: whose weights it takes; None: it loads its own.

    Raises:
        ModelError: the bundle is missing or broken.
        BackendError: no runtime is installed.
    """
    bundle = style_bundle(model) if graphs is None else graphs.bundle(model, style_bundle)
    choice = choose(bundle, PATCH, threads=threads)
    load = open_session if graphs is None else graphs.session
    whole = load(bundle, WHOLE, "auto", None, threads)
    patch = load(bundle, PATCH, choice.backend, choice.precision, threads)
    styler = Styler(bundle, whole, patch, threads, f"{bundle.name} {bundle.size} on {choice}")
    try:
        yield styler
    finally:
        styler.close()


def style_bundle(model: str = MODEL) -> Bundle:
    """A bundle of styles; its `attributes` name them.

    Raises:
        ModelError: it is missing or broken.
    """
    bundle = read_bundle(find(model))
    if bundle.family != MODEL:
        raise ModelError(f"model {model}: expected one of the family {MODEL}, got {bundle.family}")
    return bundle


def installed_styles() -> dict[str, tuple[str, ...]]:
    """Names of styles, by the name of the installed bundle that holds them: the packaged one, then the user's."""
    found = {}
    for place in sorted(installed_bundles(), key=lambda place: not place.packaged):
        with contextlib.suppress(MienError):  # `mien models` says what is wrong with it
            bundle = read_manifest(place.folder)
            if bundle.family == MODEL:
                found[place.name] = bundle.attributes
    return found


def style_names() -> tuple[str, ...]:
    """Of all installed bundles, each once."""
    return tuple(dict.fromkeys(name for names in installed_styles().values() for name in names))


def need_style(wish: str | None, picture: str | None) -> None:
    """Refuse a style that is in no installed bundle, or a drawn portrait that is no file, before the work begins.

    Raises:
        SettingError: as said.
    """
    if wish is not None:
        model_with(read_wish(wish))
    if picture is not None and not os.path.isfile(picture):
        raise SettingError(f"style_picture {picture}: expected a picture of the portrait in that style, got no file")


def model_with(wish: StyleWish) -> str:
    """The first installed bundle that has all styles that are asked for.

    Raises:
        SettingError: a style is in none, or they are in several.
    """
    asked = [name for name, _ in wish.shares]
    installed = installed_styles()
    for model, names in installed.items():
        if set(asked) <= set(names):
            return model
    for name in asked:
        if name not in style_names():
            raise SettingError(f"style must be one of {', '.join(style_names()) or 'none'}, got {name!r}")
    raise SettingError(f"style: expected names of one model to blend, got {', '.join(asked)}, which are in several")
