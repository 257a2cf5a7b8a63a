"""Sequences that language models write, all or part of them: which tokens there are, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from runner.data.prompt import Opening, laid_out
from runner.data.recipe import Recipe
from runner.data.tokens import Cutter, Tokens
from runner.parts.tokenizer import tokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding

Texts = Sequence[Sequence[str]]


class Spoken:
    """What all of them share: the tokenizer, the token that ends a text, and the longest sequence."""

    def __init__(self, recipe: Recipe) -> None:
        self.form, self.longest, self.marks = recipe.form, recipe.max_length, recipe.marks
        self.end = recipe.marks.end
        self.tokenizer = tokenizer(recipe.tokenizer_file)

    def encoded(self, texts: Sequence[str], *, first: bool) -> list[Encoding]:
        """Each text as tokens; with what a tokenizer puts around a text only where the text is the first."""
        found: list[Encoding] = self.tokenizer.encode_batch(list(texts), add_special_tokens=first)
        return found

    def opened(self, texts: Sequence[str]) -> list[list[int]]:
        """Prompts that are gone on with: as turns of a chat, or without the end that a tokenizer may add."""
        if self.form.chats:
            from runner.data.chat import asked

            turns = [asked(self.form.template, text, self.marks) for text in texts]
            return [each.ids for each in self.encoded(turns, first=False)]
        found = [each.ids for each in self.encoded(texts, first=True)]
        return [ids[:-1] if ids and ids[-1] == self.end else ids for ids in found]

    def ended(self, ids: list[int]) -> list[int]:
        """The tokens with the one that ends a text."""
        return ids if self.end is None or (ids and ids[-1] == self.end) else [*ids, self.end]

    def replied(self, prompt: list[int], reply: Encoding, text: str) -> Tokens:
        """A prompt and its reply, cut at the end; the tokens of the reply count."""
        own = self.ended(reply.ids)
        ids = [*prompt, *own][: self.longest]
        kept = max(len(ids) - len(prompt), 0)
        begin = len(ids) - kept
        judged = [0] * begin + [1] * kept
        size = len(text.encode()) if kept == len(own) else spelled(text, reply.offsets[:kept])
        return Tokens(ids, begin, len(prompt) + len(own), (), judged, size, len(own) - kept)

    def prompts(self, texts: Texts) -> list[str]:
        """The prompt of each row, of its input columns."""
        rows = zip(*texts[: len(texts) - self.answers], strict=True)
        return [laid_out(self.form.prompt, self.named(row)) for row in rows]

    def named(self, row: Sequence[str]) -> dict[str, str]:
        """The columns of a prompt by their names."""
        return dict(zip(self.form.columns, row, strict=False))

    def asking(self, texts: Texts) -> list[list[int]]:
        """Tokens of prompts, of the columns that make them."""
        return self.opened([laid_out(self.form.prompt, self.named(row)) for row in zip(*texts, strict=True)])

    def openings(self, texts: Texts, begun: int) -> Iterator[Opening]:
        """What a model is given of each row to go on with; `begun` tokens of texts that have no prompt."""
        prompts = self.prompts(texts)
        for ids, prompt, gold in zip(self.opened(prompts), prompts, texts[-self.answers], strict=True):
            yield Opening(ids, prompt, gold)

    # How many of the columns are answers; the first of them is the right one.
    answers = 1


class Blocks(Spoken):
    """A text and its end, in pieces of the longest length; each begins with the last token of the one before."""

    def windows(self, texts: Texts) -> Iterator[list[Tokens]]:
        for text, each in zip(texts[0], self.encoded(texts[0], first=True), strict=True):
            ids = self.ended(each.ids)
            ends = [end for _, end in each.offsets] + [len(text)] * (len(ids) - len(each.ids))
            found = []
            for start in range(0, max(len(ids) - 1, 1), max(self.longest - 1, 1)):
                piece = ids[start : start + self.longest]
                size = len(text[ends[start] : ends[start + len(piece) - 1]].encode())
                found.append(Tokens(piece, 0, len(ids), (), [0] + [1] * (len(piece) - 1), size))
            yield found

    def openings(self, texts: Texts, begun: int) -> Iterator[Opening]:
        for text, ids in zip(texts[0], self.opened(texts[0]), strict=True):
            known = self.tokenizer.decode(ids[:begun])
            yield Opening(ids[:begun], known, text[len(known) :])


class Replies(Spoken):
    """A prompt and the reply to it."""

    def windows(self, texts: Texts) -> Iterator[list[Tokens]]:
        replies = self.encoded(texts[-1], first=False)
        for prompt, reply, text in zip(self.opened(self.prompts(texts)), replies, texts[-1], strict=True):
            yield [self.replied(prompt, reply, text)]


class Versus(Spoken):
    """A prompt with the better answer, and again with the worse one."""

    answers = 2

    def windows(self, texts: Texts) -> Iterator[list[Tokens]]:
        prompts = self.opened(self.prompts(texts))
        sides = [zip(self.encoded(column, first=False), column, strict=True) for column in texts[-2:]]
        for prompt, *both in zip(prompts, *sides, strict=True):
            yield [self.replied(prompt, *side) for side in both]


class Sources(Spoken):
    """What an encoder reads, and what its decoder writes."""

    def windows(self, texts: Texts) -> Iterator[list[Tokens]]:
        sources = self.encoded(self.prompts(texts), first=True)
        for source, target, text in zip(sources, self.encoded(texts[-1], first=False), texts[-1], strict=True):
            read = self.read(source.ids)
            own = Tokens(read, len(read), len(self.ended(source.ids)), (), [0] * len(read))
            yield [own, self.replied([], target, text)]

    def read(self, ids: list[int]) -> list[int]:
        """A source with its end, cut before that."""
        whole = self.ended(ids)
        return whole if len(whole) <= self.longest else [*whole[: self.longest - 1], whole[-1]]

    def opened(self, texts: Sequence[str]) -> list[list[int]]:
        """Sources as the encoder reads them."""
        return [self.read(each.ids) for each in self.encoded(texts, first=True)]


class Apart:
    """Each of two texts as a sequence of its own."""

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter

    def windows(self, texts: Texts) -> Iterator[list[Tokens]]:
        sides = [self.cutter.windows([column]) for column in texts]
        for one, other in zip(*sides, strict=True):
            yield [*one, *other]


def spelled(text: str, places: Sequence[tuple[int, int]]) -> int:
    """Bytes of the beginning of a text that tokens spell."""
    return len(text[: places[-1][1]].encode()) if places else 0
