"""What the pages name is there: links, paths of the tree, and options of commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien import cli

ROOT = Path(__file__).parents[1]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("kernels/*.md")))
OF_THE_TREE = ("ARCHITECTURE.md", "docs/glossary.md")
"""Pages that say where things are; a path in backticks is one of the tree."""
FOLDERS = {"engine": "engine/mien", "kernels": "kernels", "export": "export/mien_export", "bench": "bench/mien_bench"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTIONS = {"reenact": "docs/reenact.md", "parse": "docs/parsing.md", "serve": "docs/serve.md"}
"""Pages with a table of a command's options."""
ROW = re.compile(r"^\| (`--.*?) \|", re.M)
PATH = re.compile(r"`(?:(engine|kernels|export|bench):)?([a-z_0-9/-]+(?:/|\.(?:py|md|h|cpp|cu|svg|npz|js)))`")


def _anchor(title: str) -> str:
    """As GitHub names a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _targets(page: Path) -> Iterator[str]:
    return (target for target in LINK.findall(page.read_text()) if "://" not in target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _targets(page):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        titles = re.findall(r"^#+ (.*)$", file.read_text(), re.M) if anchor and file.is_file() else []
        if not file.exists() or (anchor and anchor not in map(_anchor, titles)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", OF_THE_TREE)
def test_paths_of_the_tree_exist(name: str) -> None:
    named = PATH.findall((ROOT / name).read_text())
    assert named
    missing = [f"{root}:{path}" for root, path in named if not _is_there(root, path)]
    assert missing == []


def _is_there(root: str, path: str) -> bool:
    """Of the root that is named; else from the top of the tree, or of the engine."""
    places = [FOLDERS[root]] if root else [".", FOLDERS["engine"]]
    return any((ROOT / place / path).exists() for place in places)


def test_every_page_is_reached_from_the_readme() -> None:
    """In one step, or by way of another page."""
    seen, new = set[Path](), {ROOT / "README.md"}
    while new:
        seen |= new
        found = {(page.parent / target.partition("#")[0]).resolve() for page in new for target in _targets(page)}
        new = {page for page in found if page.suffix == ".md"} - seen
    assert set(PAGES) - seen == set()


@pytest.mark.parametrize("command", OPTIONS)
def test_options_in_the_tables_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    there = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))
    named = set(re.findall(r"--[a-z][a-z-]*", "".join(ROW.findall((ROOT / OPTIONS[command]).read_text()))))
    assert len(named) > 3
    assert named - there == set()
