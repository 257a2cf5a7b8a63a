"""Simple models beside the trained one: the most frequent answer, and words with a linear model.

What they say has the form of what a head says, so that a task makes Answers of it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runner.answers.choices import codes
from runner.parts.tasks._words import marked, spaced

Indices = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Rows = Mapping[str, Sequence[str]]


def simple(name: str, train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Any:
    """What the baseline says of the asked texts; None where it has nothing to say about answers of that shape.

    Both have the columns `text` and `gold`; `train` those of the rows that the trained model had.
    """
    model = MODELS.get((name, task.shape.shape))
    return None if model is None else model(train, asked, task, labels)


def majority_choice(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Values:
    """Probabilities are the frequencies in train."""
    return majority(codes(task.shown(train["gold"]), labels), len(labels), len(asked["text"]))


def tfidf_choice(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Values:
    """Probabilities by words."""
    gold = codes(task.shown(train["gold"]), labels)
    return tfidf(words(train["text"], asked["text"]), gold, len(asked["text"]), len(labels))


def majority(gold: Indices, labels: int, asked: int) -> Values:
    """Probabilities [asked, labels]: how frequent each label is."""
    return np.tile(np.bincount(gold, minlength=labels) / len(gold), (asked, 1))


def tfidf(features: tuple[Any, Any] | None, gold: Indices, asked: int, labels: int) -> Values:
    """Probabilities [asked, labels] of a logistic regression over what `words` gave; deterministic."""
    from sklearn.linear_model import LogisticRegression

    if features is None or len(np.unique(gold)) == 1:
        return majority(gold, labels, asked)
    model = LogisticRegression(C=10.0, max_iter=300, tol=1e-3).fit(features[0], gold)
    probabilities = np.zeros((asked, labels))
    probabilities[:, model.classes_] = model.predict_proba(features[1])
    return probabilities


def words(texts: Sequence[str], asked: Sequence[str]) -> tuple[Any, Any] | None:
    """TF-IDF of words and word pairs of both; None where there is nothing to ask or no text holds a word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        return (vectorizer.fit_transform(texts), vectorizer.transform(asked)) if len(asked) else None
    except ValueError:
        return None


def majority_set(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Values:
    """Probabilities are the frequencies in train."""
    return np.tile(task.targets(train["gold"], labels, None).mean(0, np.float64), (len(asked["text"]), 1))


def tfidf_set(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Values:
    """A model of words for each label."""
    gold = task.targets(train["gold"], labels, None).astype(np.int64)
    features = words(train["text"], asked["text"])
    each = [tfidf(features, gold[:, label], len(asked["text"]), 2)[:, 1] for label in range(len(labels))]
    return np.stack(each, axis=1)


def mean_quantity(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Values:
    """The mean of train, which is 0 on the head's scale."""
    return np.zeros(len(asked["text"]))


def tfidf_quantity(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> Values:
    """Ridge regression over words."""
    from sklearn.linear_model import Ridge

    features = words(train["text"], asked["text"])
    if features is None:
        return np.zeros(len(asked["text"]))
    found: Values = Ridge(alpha=1.0).fit(features[0], task.targets(train["gold"], labels, None)).predict(features[1])
    return found


def usual_tags(train: Rows, asked: Rows, task: Any, labels: Sequence[str]) -> list[Any]:
    """The most frequent tag of each word in train; of words that are not there, of all words."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for text, gold in zip(train["text"], train["gold"], strict=True):
        for (start, end), tag in zip(*tagged(text, gold), strict=True):
            seen[text[start:end].lower()][tag] += 1
            seen[""][tag] += 1
    usual = {word: min(counts, key=lambda tag: (-counts[tag], tag)) for word, counts in seen.items()}
    place = {label: index for index, label in enumerate(labels)}
    found = []
    for text, gold in zip(asked["text"], asked["gold"], strict=True):
        words = tagged(text, gold)[0]
        tags = [usual.get(text[start:end].lower(), usual[""]) for start, end in words]
        found.append((list(range(len(tags))), [place[tag] for tag in tags]))
    return found


def tagged(text: str, gold: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Places of the words of a text, and their tags."""
    by_space, tags = json.loads(gold)
    return spaced(text) if by_space else marked(text), tags


MODELS: dict[tuple[str, str], Callable[[Rows, Rows, Any, Sequence[str]], Any]] = {
    ("majority", "choices"): majority_choice,
    ("tfidf", "choices"): tfidf_choice,
    ("majority", "sets"): majority_set,
    ("tfidf", "sets"): tfidf_set,
    ("majority", "quantities"): mean_quantity,
    ("tfidf", "quantities"): tfidf_quantity,
    ("majority", "tags"): usual_tags,
}
