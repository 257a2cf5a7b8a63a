"""Meeting: threads of which one works at a time, and which get answers to what all of them ask together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any


class Meeting:
    """Every thread works until it asks something or ends; when all have, `together` answers all questions at once.

    So nothing of what threads do in between has to know of the others, and the order of all of it is always the same.
    """

    def __init__(self, together: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self.together = together
        self.back = threading.Semaphore(0)
        self.turns: list[threading.Semaphore] = []
        self.questions: dict[int, Any] = {}
        self.answers: dict[int, Any] = {}
        self.ended: set[int] = set()
        self.broken: BaseException | None = None  # what everybody gets for an answer, once it is set

    def ask(self, place: int, question: Any) -> Any:
        """The answer to a question, for the thread of a place; what went wrong with all of them is raised in each."""
        self.questions[place] = question
        self.back.release()
        self.turns[place].acquire()
        answer = self.answers.pop(place)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def conduct(self, works: Sequence[Callable[[], None]]) -> None:
        """Let each work have a thread, and see all of them to their end."""
        self.turns = [threading.Semaphore(0) for _ in works]
        for place, work in enumerate(works):
            threading.Thread(target=self.life, args=(place, work), daemon=True).start()
        while len(self.ended) < len(works):
            self.round()

    def life(self, place: int, work: Callable[[], None]) -> None:
        """What a thread does."""
        self.turns[place].acquire()
        try:
            work()
        finally:
            self.ended.add(place)
            self.back.release()

    def round(self) -> None:
        """Everyone's turn, one after the other, then the answers."""
        for place, turn in enumerate(self.turns):
            if place not in self.ended:
                turn.release()
                self.back.acquire()
        places = sorted(self.questions)
        asked = [self.questions.pop(place) for place in places]
        self.answers = dict(zip(places, self.answered(asked), strict=True))

    def answered(self, asked: Sequence[Any]) -> Sequence[Any]:
        """An answer for each question, or what went wrong."""
        if self.broken is not None or not asked:
            return [self.broken] * len(asked)
        try:
            return self.together(asked)
        except Exception as error:
            return [error] * len(asked)
