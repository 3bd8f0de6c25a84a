"""Names of files with a number in them, as `%05d.png`: read and written by one rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

LONGEST: Final = 255
"""Bytes of a file's name on the file systems there are."""
_NUMBER: Final = re.compile(r"%0?(\d*)d")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A pattern of names, as C's printf has it."""

    before: str
    digits: int
    """That a number has at least, with zeros in front."""
    after: str

    @classmethod
    def of(cls, name: str) -> Self | None:
        """The pattern that a file's name is, by the first number in it; None where it has none."""
        match = _NUMBER.search(name)
        if match is None:
            return None
        digits = match.group(1)
        return cls(name[: match.start()], int(digits[: len(str(LONGEST)) + 1] or 0), name[match.end() :])

    @property
    def is_possible(self) -> bool:
        """Whether it has one number, with no more digits than a name has room for."""
        return self.digits <= LONGEST and _NUMBER.search(self.after) is None

    def name(self, number: int) -> str:
        """The name of the file with a number."""
        return f"{self.before}{number:0{self.digits}d}{self.after}"

    def fits(self, name: str, *, shorter: bool = False) -> bool:
        """Whether it is one of the pattern's names.

        Args:
            shorter: take numbers of fewer digits for such, too.
        """
        rest = name.removeprefix(self.before) if name.startswith(self.before) else ""
        number = rest.removesuffix(self.after) if rest.endswith(self.after) else ""
        return number.isdecimal() and (shorter or len(number) >= self.digits)
