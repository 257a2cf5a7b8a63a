"""What all augmentations share whose texts a model writes: an answer is a variant only if it says the same anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import Field

from runner.parts.augment._augmentation import Augmentation, Parent, Places, Refused, Variants
from runner.parts.augment._encoder import Encoder
from runner.parts.tasks._task import Text

Similarity = Annotated[float, Field(ge=-1, le=1)]
Write = Callable[[Sequence[Parent]], list[str | Refused]]
EMPTY = Refused("an empty answer")
SAME = Refused("the same as its parent")
ECHO = Refused("repeats the instruction")
LABEL = re.compile(r"^[^\n:]{1,80}:[ \t]*\n\s*")  # "Here is another way to say it:" in a line of its own
QUOTES = {'"': '"', "“": "”", "'": "'", "«": "»"}
INSTRUCTION = 20  # characters of a prompt that no answer holds by chance


class Written(Augmentation):
    """The filter by similarity, and `writer` for a kind to do."""

    embedder: Text | None = None
    """Encoder that compares each new text with its parent: folder, `package:NAME` or hub id; default none."""
    min_similarity: Similarity = 0.7
    """Least cosine similarity of a new text with its parent, where an `embedder` compares them. Default 0.7."""
    max_similarity: Similarity = 0.99
    """Greatest such similarity: what lies above is a mere echo. Default 0.99."""

    def writer(self, places: Places) -> Write:
        """The function that writes a variant of each parent's text."""
        raise NotImplementedError

    def ready(self, places: Places) -> Variants:
        write = self.writer(places)
        encoder = Encoder(places["embedder"]) if "embedder" in places else None

        def variants(parents: Iterable[Parent]) -> Iterator[str | Refused]:
            asked = list(parents)
            answers = [anew(each, parent.text) for each, parent in zip(write(asked), asked, strict=True)]
            yield from self.compared(encoder, asked, answers) if encoder else answers

        return variants

    def compared(
        self, encoder: Encoder, parents: Sequence[Parent], answers: Sequence[str | Refused]
    ) -> Iterator[str | Refused]:
        """The answers, refused where they are too unlike their parents or too like them."""
        pairs = [(each, p.text) for each, p in zip(answers, parents, strict=True) if isinstance(each, str)]
        found = iter(encoder.similarities([new for new, _ in pairs], [old for _, old in pairs]))
        for answer in answers:
            if isinstance(answer, Refused):
                yield answer
                continue
            similarity = next(found)
            unlike, alike = similarity < self.min_similarity, similarity > self.max_similarity
            if unlike:
                yield Refused(f"similarity with its parent below {self.min_similarity:g}")
            else:
                yield Refused(f"similarity with its parent above {self.max_similarity:g}") if alike else answer


def anew(answer: str | Refused, parent: str) -> str | Refused:
    """The answer, refused where it is empty or its parent in other letters, spaces or punctuation."""
    if isinstance(answer, Refused):
        return answer
    if not answer.strip():
        return EMPTY
    return SAME if plain(answer) == plain(parent) else answer


def plain(text: str) -> str:
    """The words of a text in small letters."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def told(answer: str, parent: str, prompt: str) -> str | Refused:
    """What a model said, without the label, the quotes and the further lines that chat models add; or why not.

    `prompt` is the template: an answer that repeats a sentence of it, or its whole parent and more, is an echo.
    """
    text = LABEL.sub("", answer.strip(), count=1)
    for label in re.findall(r"[^\n.:]+:", prompt):
        text = text[len(label) :].strip() if text.casefold().startswith(label.casefold()) else text
    if "\n" not in parent.strip():
        text = text.partition("\n")[0].strip()
    if len(text) > 1 and QUOTES.get(text[0]) == text[-1] and parent.strip()[:1] != text[0]:
        text = text[1:-1].strip()
    said = [plain(each) for each in re.split(r"[\n.:!?]", prompt.replace("{text}", "\n"))]
    if any(len(each) >= INSTRUCTION and each in plain(text) for each in said):
        return ECHO
    inside = f" {plain(parent)} " in f" {plain(text)} " and plain(parent) != plain(text)
    return Refused("repeats its parent and adds to it") if plain(parent) and inside else text
