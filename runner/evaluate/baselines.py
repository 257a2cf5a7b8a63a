"""Simple models beside the trained one: the majority class, and TF-IDF with logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runner.parts.answers import Answers

Indices = npt.NDArray[np.int64]


def majority(
    train: Indices, ids: tuple[str, ...], gold: Indices, labels: tuple[str, ...], task: str, split: str
) -> Answers:
    """Always the most frequent label of train; probabilities are the frequencies there."""
    shares = np.bincount(train, minlength=len(labels)) / len(train)
    probabilities = np.tile(shares, (len(gold), 1))
    return Answers(task, split, labels, ids, gold, probabilities.argmax(-1), probabilities)


def tfidf(
    texts: Sequence[str],
    train: Indices,
    asked: Sequence[str],
    ids: tuple[str, ...],
    gold: Indices,
    labels: tuple[str, ...],
    task: str,
    split: str,
) -> Answers:
    """Logistic regression over TF-IDF of words and word pairs, learnt from `texts`; deterministic."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if not len(asked) or len(np.unique(train)) == 1:
        return majority(train, ids, gold, labels, task, split)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        features = vectorizer.fit_transform(texts)
    except ValueError:  # no text holds a word
        return majority(train, ids, gold, labels, task, split)
    model = LogisticRegression(C=10.0, max_iter=300, tol=1e-3).fit(features, train)
    probabilities = np.zeros((len(gold), len(labels)))
    probabilities[:, model.classes_] = model.predict_proba(vectorizer.transform(asked))
    return Answers(task, split, labels, ids, gold, probabilities.argmax(-1), probabilities)
