"""Extensions by installed packages, found by entry points. Code of model bundles is never loaded."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from mien.errors import BackendError


def added_names(group: str) -> tuple[str, ...]:
    """Names of the entry points of a group, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def added(group: str, name: str) -> object | None:
    """What the entry point `name` of `group` leads to; None: no installed package has one of that name.

    Raises:
        BackendError: the package that has it cannot be imported, or lacks what its entry point names.
    """
    for entry in entry_points(group=group, name=name):
        try:
            return entry.load()  # type: ignore[no-any-return]
        except (ImportError, AttributeError) as error:
            raise BackendError(
                f"{group} {name}: expected {_package(entry)} to bring it, got an error as it was loaded ({error}); "
                "install that package again"
            ) from error
    return None


def _package(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name}" if entry.dist is not None else f"the module {entry.module}"
