"""Chats: messages laid out by a model's template, of which the assistant's turns count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from runner.data.prompt import Opening
from runner.data.recipe import Marks
from runner.data.spoken import Spoken, Texts
from runner.data.tokens import Tokens

Messages = list[dict[str, str]]


class Chats(Spoken):
    """A row is a list of messages, or a prompt and the assistant's reply to it."""

    def windows(self, texts: Texts) -> Iterator[list[Tokens]]:
        chats = [json.loads(each) for each in texts[0]] if len(texts) == 1 else self.asked(texts)
        laid = [self.laid_out(each) for each in chats]
        encoded = self.encoded([text for text, _ in laid], first=False)
        for (text, turns), each in zip(laid, encoded, strict=True):
            ids, places = each.ids[: self.longest], each.offsets[: self.longest]
            judged = [counts(place, turns) for place in each.offsets]
            cut = places[-1][1] if places else 0
            size = sum(len(text[start : min(end, cut)].encode()) for start, end in turns)
            kept, lost = judged[: len(ids)], sum(judged[len(ids) :])
            yield [Tokens(ids, begin(kept), len(each.ids), (), kept, size, lost)]

    def openings(self, texts: Texts, begun: int) -> Iterator[Opening]:
        """What stands in front of the last turn of the assistant."""
        chats = [json.loads(each) for each in texts[0]] if len(texts) == 1 else self.asked(texts)
        befores = [prompts(each) for each in chats]
        laid = [render(self.form.template, each, self.marks, reply=True)[0] for each in befores]
        for chat, before, each in zip(chats, befores, self.encoded(laid, first=False), strict=True):
            text = "\n".join(f"{message['role']}: {message['content']}" for message in before)
            yield Opening(each.ids, text, chat[len(before)]["content"])

    def asking(self, texts: Texts) -> list[list[int]]:
        """Tokens of chats that the assistant goes on with: messages as JSON, or columns of a prompt."""
        if len(self.form.columns) > 1:
            return super().asking(texts)
        laid = [render(self.form.template, json.loads(each), self.marks, reply=True)[0] for each in texts[0]]
        return [each.ids for each in self.encoded(laid, first=False)]

    def asked(self, texts: Texts) -> list[Messages]:
        """Chats of one turn each."""
        pairs = zip(self.prompts(texts), texts[-1], strict=True)
        return [
            [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}] for prompt, reply in pairs
        ]

    def laid_out(self, messages: Messages) -> tuple[str, list[tuple[int, int]]]:
        """The text of a chat and the places of the assistant's turns."""
        return render(self.form.template, messages, self.marks)


def asked(template: str, prompt: str, marks: Marks) -> str:
    """A prompt as the user's turn, after which the assistant's begins."""
    return render(template, [{"role": "user", "content": prompt}], marks, reply=True)[0]


def render(
    template: str, messages: Messages, marks: Marks, *, reply: bool = False
) -> tuple[str, list[tuple[int, int]]]:
    """Text and marked turns, as transformers renders them; `reply` begins another one."""
    from transformers.utils.chat_template_utils import render_jinja_template

    made: Any = render_jinja_template(
        [messages],
        chat_template=template,
        return_assistant_tokens_mask=not reply,
        add_generation_prompt=reply,
        bos_token=marks.first,
        eos_token=marks.last,
    )
    (text,), turns = made
    return text, [(start, end) for start, end in turns[0]] if turns else []


def counts(place: tuple[int, int], turns: Sequence[tuple[int, int]]) -> int:
    """1 if a token spells some of an assistant's turn."""
    return int(place[1] > place[0] and any(place[0] < end and start < place[1] for start, end in turns))


def begin(judged: Sequence[int]) -> int:
    """The first token that counts; the length where none does."""
    return judged.index(1) if 1 in judged else len(judged)


def prompts(messages: Messages) -> Messages:
    """A chat up to the last turn of the assistant, which is what a model is asked for."""
    last = max(at for at, each in enumerate(messages) if each["role"] == "assistant")
    return messages[:last]
