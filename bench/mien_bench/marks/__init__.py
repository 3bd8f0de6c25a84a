"""How well the invisible mark is found again, and how little it is seen."""
