"""Fill gaps in texts by a masked language model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runner.errors import RunnerError
from runner.parts.augment._models import load, longest
from runner.parts.padding import groups, padded

BATCH = 16
WINDOW = 96  # words that are looked at together
WORD = re.compile(r"\w+(?:['’-]\w+)*")
PIECE, STARTS = "##", ("Ġ", "▁")  # tokens inside a word; the marks of tokens that begin one


class Gap(NamedTuple):
    """A word to be filled in anew: which word of the text, its first character and the one behind it, the choice."""

    word: int
    start: int
    end: int
    drawn: float


class Filler:
    """A masked language model that fills gaps in texts, all gaps of a window of words at once."""

    def __init__(self, place: Path, top_k: int) -> None:
        self.model, self.tokenizer = load(place, "masked")
        if self.tokenizer.mask_token_id is None:
            raise RunnerError(f"the tokenizer in `{place}` has no mask token", "choose a masked language model")
        self.most = min(longest(self.model, self.tokenizer) - 2, 512)
        self.top_k = top_k
        self.words = words_of(self.tokenizer, self.model.config.vocab_size)

    def fill(self, texts: Sequence[str], gaps: Sequence[Sequence[Gap]]) -> Iterator[str]:
        """The texts with new words in their gaps; the old word stays where the model has no other or can't see it."""
        asked = [
            (at, window)
            for at, (text, each) in enumerate(zip(texts, gaps, strict=True))
            for window in windows(text, each)
        ]
        new: list[dict[Gap, str]] = [{} for _ in texts]
        mask, most = self.tokenizer.mask_token, self.most
        asked = [(at, window) for at, window in asked if mask not in texts[at]]
        hidden = [masked(texts[at], *window, mask) for at, window in asked]
        ids = self.tokenizer(hidden, truncation=True, max_length=most)["input_ids"] if hidden else []
        for group in groups(list(map(len, ids)), BATCH):
            found = self.candidates([ids[each] for each in group])
            for each, likely in zip(group, found, strict=True):
                at, (_, _, inside) = asked[each]
                for gap, (tokens, shares) in zip(inside, likely, strict=False):
                    new[at][gap] = self.choice(texts[at][gap.start : gap.end], tokens, shares, gap.drawn)
        for text, chosen in zip(texts, new, strict=True):
            yield replaced(text, chosen)

    def candidates(self, ids: list[list[int]]) -> list[list[tuple[list[int], list[float]]]]:
        """For each mask in each text, the likeliest words as tokens with their probabilities; one more than asked."""
        import torch

        tokens, mask = padded(ids, self.tokenizer.pad_token_id or 0)
        with torch.inference_mode():
            device = self.model.device
            logits = self.model(input_ids=tokens.to(device), attention_mask=mask.to(device)).logits.cpu().double()
        allowed = torch.tensor([bool(each) for each in self.words])
        found = []
        for row, each in zip(tokens, logits, strict=True):
            at = each[row == self.tokenizer.mask_token_id].masked_fill(~allowed, -torch.inf)
            shares, best = at.softmax(-1).topk(min(self.top_k + 1, len(self.words)))
            found.append(list(zip(best.tolist(), shares.tolist(), strict=True)))
        return found

    def choice(self, old: str, tokens: Sequence[int], shares: Sequence[float], drawn: float) -> str:
        """One of the words, in the letters of the old one, which it is not."""
        pairs = [
            (self.words[token], share)
            for token, share in zip(tokens, shares, strict=True)
            if share > 0 and self.words[token].casefold() != old.casefold()
        ][: self.top_k]
        left = drawn * sum(share for _, share in pairs)
        for word, share in pairs:
            left -= share
            if left < 0:
                return in_letters_of(old, word)
        return in_letters_of(old, pairs[-1][0]) if pairs else old


def words_of(tokenizer: Any, size: int) -> list[str]:
    """By token id: the word where the token is a whole one, else an empty text."""
    vocabulary = tokenizer.get_vocab()
    marks = tuple(mark for mark in STARTS if any(token.startswith(mark) for token in vocabulary))
    whole = {
        id
        for token, id in vocabulary.items()
        if id not in tokenizer.all_special_ids
        and not token.startswith(PIECE)
        and (not marks or token.startswith(marks))
    }
    texts = [tokenizer.decode([id]).strip() if id in whole else "" for id in range(size)]
    return [text if WORD.fullmatch(text) and any(map(str.isalpha, text)) else "" for text in texts]


def windows(text: str, gaps: Sequence[Gap]) -> Iterator[tuple[int, int, list[Gap]]]:
    """Stretches of the text that hold gaps: first character, the one behind the last, and the gaps inside."""
    if not gaps:
        return
    words = list(WORD.finditer(text))
    for first in range(0, len(words), WINDOW):
        inside = [gap for gap in gaps if first <= gap.word < first + WINDOW]
        if inside:
            yield words[first].start(), words[min(first + WINDOW, len(words)) - 1].end(), inside


def masked(text: str, start: int, end: int, gaps: Sequence[Gap], mask: str) -> str:
    """A stretch of a text with the mask in place of each gap."""
    return replaced(text[start:end], {gap._replace(start=gap.start - start, end=gap.end - start): mask for gap in gaps})


def replaced(text: str, new: Mapping[Gap, str]) -> str:
    """A text with new words in its gaps."""
    parts, place = [], 0
    for gap in sorted(new):
        parts += [text[place : gap.start], new[gap]]
        place = gap.end
    return "".join([*parts, text[place:]])


def in_letters_of(old: str, new: str) -> str:
    """The new word in capitals, with a capital first or as it is, as the old one is written."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new
