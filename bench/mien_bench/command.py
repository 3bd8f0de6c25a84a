"""`mien bench [NAME]`: the benches, each a module of its own that is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from mien.errors import SettingError

BENCHES: Final = {
    "stages": "how long each stage of one frame takes (default)",
    "follow": "how portraits follow drivers, in what is found again in the output",
    "still": "how still a portrait is when its driver is",
    "kernels": "how fast each kernel is, beside what else could do it",
    "quality": "how near to the truth models come, and to the thesis's figures",
    "live": "whether a live run is in time, and stays so when it is disturbed",
    "long": "whether memory stays constant over a long driver",
}


def main(arguments: list[str]) -> int:
    """Run the bench that the first argument names.

    Raises:
        MienError: it is none, or what the bench raises.
    """
    if arguments and arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    if not arguments or arguments[0].startswith("-"):
        arguments = ["stages", *arguments]
    name, *rest = arguments
    if name not in BENCHES:
        raise SettingError(f"bench must be one of {', '.join(BENCHES)}, got {name!r}")
    result: int = import_module(f"mien_bench.{name}").main(rest)
    return result


def _usage() -> str:
    rows = [f"  {name:<8}{about}" for name, about in BENCHES.items()]
    return "\n".join(["usage: mien bench [NAME] [OPTIONS]; NAME --help lists the options", "", *rows])
