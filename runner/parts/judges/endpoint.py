"""A judge behind a URL that speaks OpenAI's protocol of chat completions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.parts.judges._judge import Ask, Judge, Silent
from runner.parts.tasks._task import Text

AGAIN = (408, 429, 500, 502, 503, 504)
LONGEST = 60.0  # seconds waited between two tries, whatever the server asks for
DOWN = 3  # texts in a row without an answer, after which nobody is asked any more


class Endpoint(Judge):
    """Rubric scores by a model behind a URL (Zheng and others 2023, arXiv:2306.05685, tell how such judges err).

    ```toml
    type = "endpoint"
    url = "http://127.0.0.1:8000/v1"
    model = "judge-model"
    key = "JUDGE_API_KEY"
    criteria = { clarity = "One reading is enough to understand it." }
    ```
    """

    kind: ClassVar[str] = "endpoint"

    type: Literal["endpoint"]
    """The kind of judge."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    """Where the server is; `/chat/completions` is put behind. It gets the texts: mind whose they are."""
    model: Text
    """The model's name there."""
    key: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """Environment variable that holds the key, which is never stored; default: no key is sent."""
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Longest answer in tokens. Default 200."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds that one answer may take. Default 60."""
    retries: Annotated[int, Field(ge=0, le=20)] = 3
    """How often a question is asked again after an error of the server, a timeout or a rate limit. Default 3."""

    def asker(self, wait: Callable[[float], None] = time.sleep) -> Ask:
        import httpx

        headers = {"Authorization": f"Bearer {os.environ.get(self.key, '')}"} if self.key else {}
        client = httpx.Client(timeout=self.timeout, headers=headers)
        silent = 0

        def ask(rubric: str, what: str) -> str:
            nonlocal silent
            if silent >= DOWN:
                raise Silent(f"not asked, as {DOWN} texts before got no answer")
            try:
                answer = self.answered(client, self.body(rubric, what), wait)
            except Silent:
                silent += 1
                raise
            silent = 0
            return answer

        return ask

    def body(self, rubric: str, what: str) -> dict[str, Any]:
        """The question as the protocol has it."""
        messages = [{"role": "system", "content": rubric}, {"role": "user", "content": what}]
        limits = {"temperature": 0, "seed": self.seed, "max_tokens": self.max_tokens}
        return {"model": self.model, "messages": messages, **limits}

    def answered(self, client: Any, body: dict[str, Any], wait: Callable[[float], None]) -> str:
        """The answer, asked for again where that may help; Silent where there is none."""
        import httpx

        why = ""
        for tried in range(self.retries + 1):
            pause = min(2.0**tried, LONGEST)
            try:
                reply = client.post(f"{self.url.rstrip('/')}/chat/completions", json=body)
            except httpx.HTTPError as error:
                why = type(error).__name__
            else:
                if reply.status_code not in AGAIN:
                    return content(reply)
                why, pause = f"status {reply.status_code}", asked_for(reply, pause)
            if tried < self.retries:
                wait(pause)
        raise Silent(why)


def content(reply: Any) -> str:
    """The text of a reply; Silent where it is an error, or has none."""
    if reply.status_code != 200:
        raise Silent(f"status {reply.status_code}")
    try:
        text = reply.json()["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise Silent("a reply that is no chat completion") from error
    if not isinstance(text, str):
        raise Silent("a reply without text")
    return text


def asked_for(reply: Any, pause: float) -> float:
    """Seconds to wait, as the server asks for, else as given."""
    try:
        return min(max(float(reply.headers.get("Retry-After", pause)), 0.0), LONGEST)
    except ValueError:  # a date
        return pause
