"""How long things take: the numbers in the README come from here."""
