"""Prints what mien and some of its extras need, one requirement a line.

With these installed, linters run while the kernels still compile.

    requirements.py EXTRA ...
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]
    print(*needed, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
