"""The binary BCH code (127, 64): 64 bits become 127, of which any ten may be wrong.

After S. Lin and D. J. Costello, "Error Control Coding", 2nd edition, chapter 6: generator polynomial from the
cyclotomic cosets of GF(2^7), decoding by syndromes, Berlekamp-Massey and Chien's search.
"""

from __future__ import annotations

from typing import Final

LENGTH: Final = 127
"""Bits of a code word."""
DATA: Final = 64
"""Bits that it carries: its highest."""
CORRECTED: Final = 10
"""Bits that may be wrong."""
_FIELD: Final = 0b10001001
"""x^7 + x^3 + 1, which is primitive."""


def _powers() -> tuple[list[int], list[int]]:
    """Powers of the primitive element, twice over, and logarithms."""
    powers, logarithms, value = [0] * (2 * LENGTH), [0] * (LENGTH + 1), 1
    for exponent in range(LENGTH):
        powers[exponent] = powers[exponent + LENGTH] = value
        logarithms[value] = exponent
        value <<= 1
        if value > LENGTH:
            value ^= _FIELD
    return powers, logarithms


_POWER, _LOG = _powers()


def _times(a: int, b: int) -> int:
    return _POWER[_LOG[a] + _LOG[b]] if a and b else 0


def _minimal(exponent: int) -> int:
    """The minimal polynomial of a power of the primitive element, its coefficients as bits."""
    coset, at = list[int](), exponent
    while at not in coset:
        coset.append(at)
        at = 2 * at % LENGTH
    product = [1]
    for root in coset:
        shifted = [0, *product]
        product = [*(_times(value, _POWER[root]) for value in product), 0]
        product = [a ^ b for a, b in zip(product, shifted, strict=True)]
    return sum(value << place for place, value in enumerate(product))


def _generator() -> int:
    found, polynomial = set[int](), 1
    for exponent in range(1, 2 * CORRECTED, 2):
        factor = _minimal(exponent)
        if factor not in found:
            found.add(factor)
            polynomial = _product(polynomial, factor)
    return polynomial


def _product(a: int, b: int) -> int:
    """Of polynomials over GF(2)."""
    result = 0
    while b:
        if b & 1:
            result ^= a
        a, b = a << 1, b >> 1
    return result


GENERATOR: Final = _generator()


def encode(data: int) -> int:
    """The code word of 64 bits."""
    word = data << (LENGTH - DATA)
    rest = word
    for place in range(LENGTH - 1, LENGTH - DATA - 1, -1):
        if rest >> place & 1:
            rest ^= GENERATOR << (place - (LENGTH - DATA))
    return word | rest


def decode(word: int) -> int | None:
    """The 64 bits of a word of 127; None where more than ten are wrong and this is seen."""
    places = [place for place in range(LENGTH) if word >> place & 1]
    syndromes = [0] * (2 * CORRECTED)
    for number in range(2 * CORRECTED):
        for place in places:
            syndromes[number] ^= _POWER[(number + 1) * place % LENGTH]
    if any(syndromes):
        locator = _locator(syndromes)
        wrong = [place for place in range(LENGTH) if not _value(locator, _POWER[-place % LENGTH])]
        if len(wrong) != len(locator) - 1:
            return None
        for place in wrong:
            word ^= 1 << place
    return word >> (LENGTH - DATA)


def _locator(syndromes: list[int]) -> list[int]:
    """Coefficients, lowest first, of the polynomial whose roots are the inverses of the places that are wrong."""
    locator, before, apart, scale = [1], [1], 1, 1
    for number in range(len(syndromes)):
        off = syndromes[number]
        for place in range(1, min(len(locator), number + 1)):
            off ^= _times(locator[place], syndromes[number - place])
        if not off:
            apart += 1
            continue
        factor = _times(off, _POWER[LENGTH - _LOG[scale]])
        change = [0] * apart + [_times(factor, value) for value in before]
        longer = _sum(locator, change)
        if 2 * (len(locator) - 1) <= number:
            before, scale, apart = locator, off, 1
        else:
            apart += 1
        locator = longer
    while len(locator) > 1 and not locator[-1]:
        locator.pop()
    return locator


def _sum(a: list[int], b: list[int]) -> list[int]:
    length = max(len(a), len(b))
    return [x ^ y for x, y in zip(a + [0] * (length - len(a)), b + [0] * (length - len(b)), strict=True)]


def _value(polynomial: list[int], at: int) -> int:
    result = 0
    for coefficient in reversed(polynomial):
        result = _times(result, at) ^ coefficient
    return result
