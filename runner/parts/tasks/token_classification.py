"""Token classification: a tag for each word, such as its part of speech or the BIO tag of a named entity."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.answers.answers import Answers, Shape
from runner.answers.tags import Tags, spans_of, words_of
from runner.kinds import Family
from runner.parts.tasks._task import Counts, Fault, Place, Task, Text
from runner.parts.tasks._words import firsts, marked, spaced

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading

IGNORED = -100
SHOWN = 5  # unknown tags that a message lists
OUTSIDE = "O"


class TokenClassification(Task):
    """Tag each word, by cross-entropy on its first token, or with `crf` by that of all tags of a text together.

    The target is a list of tags, one for each of the words that single spaces part, or a list of spans: tables with
    `start` and `end`, characters of the text, and a label. The input may be a list of words, such as the column
    `tokens` of the formats conll and conllu. In texts with spans a word is a run of letters and digits, or one mark.

    ```toml
    type = "token_classification"
    data = ["news"]
    target = "tags"
    ```
    """

    kind: ClassVar[str] = "token_classification"
    later: ClassVar[tuple[str, ...]] = ("words", "crf")
    shape: ClassVar[Shape] = Tags
    level: ClassVar[Literal["text", "token", "language", "reply"]] = "token"
    nested: ClassVar[bool] = True
    surveyed: ClassVar[bool] = True
    nothing: ClassVar[frozenset[str]] = frozenset({OUTSIDE})

    type: Literal["token_classification"]
    """The kind of task."""
    input: Text = "text"
    """Column of the text, or of its words in a list. Default text."""
    target: Text = "tags"
    """Column of the tags or spans. Default tags."""
    scheme: Literal["bio", "plain"] = "bio"
    """`bio`: B-TYPE begins a span, I-TYPE goes on with it, O is outside; `plain`: tags without order. Default bio."""
    broken: Literal["repair", "error"] = "repair"
    """An I-TYPE that goes on with nothing becomes B-TYPE, of spans in one word the first stays; or both are refused."""
    span_label: Text = "label"
    """Key of the label in tables of spans. Default label."""
    words: Literal["spaces", "marks"] | None = None
    """What parts the words of texts without targets: single spaces, or any mark; default as in validation."""
    crf: bool = False
    """Whether tags are judged in their order, by a linear-chain CRF; in bio no broken scheme is said. Default false."""
    labels: Annotated[list[Text], Field(min_length=2)] | None = None
    """The tags in the order of the head's outputs; default: those of train, sorted."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["micro_f1", "tag_accuracy"]
    )
    """Scores to compute; the first one enters `combined`; in bio F1 counts spans. Default micro_f1 and tag_accuracy."""

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        return self.tags(value, texts[0])[1]

    def tags(self, value: str, text: str) -> tuple[list[tuple[int, int]], list[str]]:
        """Places of the words, and their tags; ValueError says what is wrong with the value."""
        found = json.loads(value) if value.startswith("[") else None
        if not isinstance(found, list):
            raise ValueError("the target is no list of tags or spans")
        if (found and isinstance(found[0], dict)) or not found:
            words = marked(text)
            if self.scheme == "plain" and not found:
                raise ValueError(f"0 tags for {len(words)} words")
            return words, self.of_spans([self.span(each, text) for each in found], words, text)
        words = spaced(text)
        if len(found) != len(words):
            raise ValueError(f"{len(found)} tags for {len(words)} words")
        if not all(isinstance(tag, str | int) and str(tag) for tag in found):
            raise ValueError("a tag is missing")
        return words, self.sound([str(tag) for tag in found])

    def span(self, table: Any, text: str) -> tuple[int, int, str]:
        """One span of a table."""
        try:
            start, end, label = int(table["start"]), int(table["end"]), str(table[self.span_label])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"a span needs `start`, `end` and `{self.span_label}`: {json.dumps(table)[:60]}") from None
        if table[self.span_label] in (None, ""):
            raise ValueError(f"span {start} to {end} has no `{self.span_label}`")
        if not 0 <= start < end <= len(text):
            raise ValueError(f"span {start} to {end} lies outside of the text, which has {len(text)} characters")
        return start, end, label

    def of_spans(self, spans: Sequence[tuple[int, int, str]], words: Sequence[tuple[int, int]], text: str) -> list[str]:
        """BIO tags of the words; a span that begins or ends within a word has the whole word."""
        tags = [OUTSIDE] * len(words)
        before = 0
        for start, end, label in sorted(spans):
            inside = [place for place, (first, last) in enumerate(words) if first < end and last > start]
            if not inside:
                raise ValueError(f"span {start} to {end} holds no word")
            if start < before:
                raise ValueError(f"span {start} to {end} (`{text[start:end][:40]}`) overlaps the one before")
            before = end
            if any(tags[place] != OUTSIDE for place in inside):
                if self.broken == "error":
                    raise ValueError(f"span {start} to {end} (`{text[start:end][:40]}`) shares a word with another one")
                continue
            for place in inside:
                tags[place] = f"I-{label}"
            tags[inside[0]] = f"B-{label}"
        return tags

    def sound(self, tags: list[str]) -> list[str]:
        """The tags, mended where the scheme is broken."""
        if self.scheme == "plain":
            return tags
        for place, tag in enumerate(tags):
            mark, _, type = tag.partition("-")
            if tag != OUTSIDE and (mark not in ("B", "I") or not type):
                raise ValueError(f"`{tag}` is none of B-TYPE, I-TYPE and O; write `scheme` = `plain` for other tags")
            before = tags[place - 1] if place else OUTSIDE
            if mark == "I" and before[2:] != type:
                if self.broken == "error":
                    raise ValueError(f"`{tag}` follows `{before}`: nothing to go on with")
                tags[place] = f"B-{type}"
        return tags

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        """The tags; in bio with all that the types of train need, O first."""
        if self.labels:
            return tuple(self.labels)
        if self.scheme == "plain":
            return tuple(sorted(train))
        types = sorted({tag[2:] for tag in train if tag != OUTSIDE})
        return (OUTSIDE, *(f"{mark}-{type}" for type in types for mark in "BI"))

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        at = ("labels",) if self.labels else ("target",)
        if len(outputs) < 2:
            yield Fault(at, f"`{name}` has {len(outputs)} tag in train: nothing to learn", "check `target`")
        for split, seen in counts.items():
            unknown = sorted(set(seen) - set(outputs))
            if unknown:
                told = ", ".join(f"`{tag}` ({seen[tag]} words)" for tag in unknown[:SHOWN])
                lacking = "`labels` lacks" if self.labels else "train lacks"
                yield Fault(at, f"{split} has tags that {lacking}: {told}", "add rows to train, or list the `labels`")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """A number a token, int64: of the first token of each word, tag + outputs * word; -100 of the others."""
        import numpy as np

        assert reading.starts is not None and reading.ends is not None
        found = np.full(len(reading.starts), IGNORED, np.int64)
        code = {tag: index for index, tag in enumerate(outputs)}
        for row, (value, text) in enumerate(zip(values, reading.texts[0], strict=True)):
            if value is None:
                words, tags = self.parted(text), list[str]()
            else:
                words, tags = self.tags(value, text)
            here = slice(reading.offsets[row], reading.offsets[row + 1])
            for word, token in firsts(words, reading.starts[here], reading.ends[here]):
                found[here.start + token] = (code[tags[word]] if tags else 0) + len(outputs) * word
        return found

    def parted(self, text: str) -> list[tuple[int, int]]:
        """Places of the words of a text without a target."""
        return spaced(text) if self.words == "spaces" else marked(text)

    def written(self, values: Sequence[str], reading: Reading) -> Sequence[str]:
        """The tags of each text as JSON, after whether single spaces part its words."""
        found = []
        for value, text in zip(values, reading.texts[0], strict=True):
            words, tags = self.tags(value, text)
            found.append(json.dumps([words == spaced(text), tags], ensure_ascii=False))
        return found

    def follows(self, outputs: Sequence[str]) -> list[list[bool]]:
        """Which tag may stand after each tag and, last, at the beginning."""
        before = (*outputs, OUTSIDE)
        free = self.scheme == "plain"
        return [[free or not tag.startswith("I-") or each[2:] == tag[2:] for tag in outputs] for each in before]

    def layer(self, hidden: int, outputs: Sequence[str]) -> torch.nn.Module:
        if not self.crf:
            return super().layer(hidden, outputs)
        from runner.parts.tasks._crf import Chain

        return Chain(hidden, self.follows(outputs))

    def parameters(self, hidden: int, outputs: Sequence[str]) -> int:
        tags = len(outputs)
        return super().parameters(hidden, outputs) + (tags * (tags + 2) if self.crf else 0)

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Cross-entropy of each word that has a token, shape [words], in nats; with `crf` its part of its text's."""
        import torch.nn.functional as F

        if self.crf:
            from runner.parts.tasks import _crf

            return _crf.losses(output.head, _crf.words(output))
        logits, target = output.logits, output.target
        judged = target >= 0
        return F.cross_entropy(logits[judged].float(), target[judged] % logits.shape[-1], reduction="none")

    def answer(self, output: Output) -> Sequence[Any]:
        """Of each example the numbers of its words that have a token, and the tags of these."""
        import numpy as np

        logits = output.logits
        assert output.lengths is not None
        likeliest = logits.argmax(-1)
        if self.crf:
            from runner.parts.tasks import _crf

            likeliest[output.target >= 0] = _crf.best(output.head, _crf.words(output))
        ends = np.cumsum(output.lengths.cpu().numpy())[:-1]
        both = (np.split(each.cpu().numpy(), ends) for each in (likeliest, output.target))
        found = []
        for said, told in zip(*both, strict=True):
            judged = told >= 0
            found.append(((told[judged] // logits.shape[-1]).tolist(), said[judged].tolist()))
        return found

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Tags:
        bio = self.scheme == "bio"
        gold, predicted, spaces = [], [], True
        for value, (words, codes) in zip(values, said, strict=True):
            by_space, tags = json.loads(value)
            spaces = spaces and by_space
            right = tuple(tags)
            guess = [OUTSIDE if bio else ""] * len(right)
            for word, code in zip(words, codes, strict=True):
                guess[word] = place.labels[code]
            gold.append(right)
            predicted.append(tuple(guess))
        return Tags(*place, tuple(gold), tuple(predicted), bio, spaces)

    def tuned(self, answers: Answers) -> dict[str, Any]:
        """How the words of the data are parted."""
        assert isinstance(answers, Tags)
        return {"words": self.words or ("spaces" if answers.spaces else "marks")}

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> list[dict[str, Any]]:
        """The spans, or in the plain scheme the words, with their places and labels."""
        places = self.parted(texts[0])
        tags = [OUTSIDE if self.scheme == "bio" else ""] * len(places)
        for word, code in zip(*said, strict=True):
            tags[word] = outputs[code]
        spans = spans_of(tags) if self.scheme == "bio" else words_of(tags)
        found = []
        for span in (span for span in spans if span.type):
            start, end = places[span.start][0], places[span.end - 1][1]
            found.append({"start": start, "end": end, "label": span.type, "text": texts[0][start:end]})
        return found
