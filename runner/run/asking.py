"""Asking: a review in a terminal, one card after the other, by single words."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Sequence

from runner.run.deck import Card
from runner.run.reviewing import SCALE, Review

SIDES = {"1": "left", "2": "right", "0": "tie"}
QUIT = ("q", "quit")

Read = Callable[[str], str]
Write = Callable[[str], None]


def ask(review: Review, read: Read, write: Write) -> int:
    """Show each card that is left and record what the reviewer says; how many were judged before they left."""
    left = review.left()
    write(f"{len(left)} of {len(review.deck.cards)} are left; q ends, s skips, and all that was said is kept")
    for number, card in enumerate(left, 1):
        write("\n" + shown(card, number, len(left)))
        if not all(asked(review, card, criterion, read, write) for criterion in review.criteria):
            return number - 1
    return len(left)


def asked(review: Review, card: Card, criterion: str, read: Read, write: Write) -> bool:
    """Ask by one criterion until the answer is one; False where the reviewer leaves."""
    low, high = SCALE
    choices = "1 or 2 is better, 0 a tie" if review.compares else f"{low} to {high}"
    began = time.monotonic()
    while True:
        try:
            word = read(f"{criterion} ({choices}): ").strip().lower()
        except EOFError:
            return False
        if word in QUIT:
            return False
        if word == "s":
            return True
        if review.compares and word in SIDES:
            review.judge(card, criterion, SIDES[word], seconds=time.monotonic() - began)
            return True
        if not review.compares and word.isdigit() and low <= int(word) <= high:
            review.judge(card, criterion, int(word), seconds=time.monotonic() - began)
            return True
        write(f"say {choices}, s or q")


def shown(card: Card, number: int, total: int) -> str:
    """A card as text."""
    parts: Sequence[tuple[str, str]] = [
        (f"{number} of {total}", card.prompt),
        *(((str(at) if len(card.sides) > 1 else "answer"), side.text) for at, side in enumerate(card.sides, 1)),
    ]
    return "\n".join(f"── {name}\n{wrapped(text)}" for name, text in parts)


def wrapped(text: str) -> str:
    """Lines that fit, without what a terminal would obey."""
    plain = "".join(each if each.isprintable() or each == "\n" else "�" for each in text)
    return "\n".join(textwrap.fill(line, 100) for line in plain.splitlines()) or "(nothing)"
