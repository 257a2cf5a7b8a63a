"""Causal language model: the next token of texts, of replies to prompts, or of the assistant in a chat."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from runner.parts.tasks._chat import wrong
from runner.parts.tasks._form import Form
from runner.parts.tasks._generate import Generate
from runner.parts.tasks._language import Language
from runner.parts.tasks._task import Text


class CausalLm(Language):
    """Guess each next token, by cross-entropy on those of the text, of the completion or of the assistant's turns.

    ```toml
    type = "causal_lm"
    data = ["stories"]
    input = "text"
    ```
    """

    kind: ClassVar[str] = "causal_lm"
    speaks: ClassVar[Literal["", "causal", "masked", "seq2seq"]] = "causal"
    nested: ClassVar[bool] = True

    type: Literal["causal_lm"]
    """The kind of task."""
    layout: Literal["text", "completion", "chat"] = "text"
    """What a row is: a `text`, a prompt with its `completion`, or a `chat`. Default text.

    A chat is a column of messages with `role` and `content`, or a prompt with the assistant's reply where `target` is
    another column.
    """
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=8)] = "text"
    """Column of the text or of the messages, or columns of the prompt. Default text."""
    target: Text = ""
    """Column of the completion; of texts and messages the input itself. Default the input, or completion."""
    prompt: str = ""
    """The prompt, with input columns in braces, such as "Explain: {command}"; default one below the other."""
    chat_template: str = ""
    """How chats are laid out (Jinja), the assistant's turns between `generation` marks. Default: the model's own."""
    generate: Generate | None = None
    """Texts to write and score once training is done; left out = none."""

    @model_validator(mode="before")
    @classmethod
    def with_target(cls, given: Any) -> Any:
        if isinstance(given, dict) and "target" not in given and isinstance(given.get("input", "text"), str):
            own = given.get("input", "text")
            return {**given, "target": "completion" if given.get("layout") == "completion" else own}
        return given

    @property
    def form(self) -> Form:
        if self.layout == "text":
            return Form(self.inputs, "blocks")
        columns = self.inputs if self.inputs == (self.target,) else (*self.inputs, self.target)
        kind: Literal["chat", "reply"] = "chat" if self.layout == "chat" else "reply"
        return Form(columns, kind, None, self.chat_template, self.prompt, kind == "chat")

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        """A text; ValueError says why a chat can't be learned from."""
        if self.layout == "chat" and self.inputs == (self.target,):
            try:
                why = wrong(json.loads(value))
            except ValueError:
                why = "a chat is a list of messages"
            if why:
                raise ValueError(why)
        return ("text",)

    def heading(self, outputs: Sequence[str]) -> str:
        told = {"text": "the next token of texts", "completion": "completions", "chat": "the assistant's turns"}
        return told[self.layout]
