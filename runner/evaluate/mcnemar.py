"""McNemar: whether one of two models is right more often than the other on the same examples."""

from __future__ import annotations


def mcnemar(first: int, second: int) -> float:
    """The exact two-sided p where only the first is right `first` times and only the second `second` times.

    Under the null hypothesis each of these is the fair toss of a coin (McNemar 1947); without any of them it is 1.
    """
    tosses, term, total = first + second, 1, 0
    for heads in range(min(first, second) + 1):
        total += term
        term = term * (tosses - heads) // (heads + 1)
    p: float = 2 * total / 2**tosses
    return min(1.0, p)
