"""Label errors: rows whose label a simple classifier, which never saw the row, finds unlikely."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.parts.cleaners._cleaner import Judged, SetCleaner, Split
from runner.parts.cleaners._joined import joined
from runner.parts.cleaners._order import by_id

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FEATURES = 100_000


class LabelErrors(SetCleaner):
    """Flag or drop rows whose label looks wrong, by confident learning over the probabilities of a linear classifier.

    Labels with fewer rows than `folds` are left out. Memory grows with the rows times the labels.

    ```toml
    type = "label_errors"
    action = "drop"
    ```
    """

    kind: ClassVar[str] = "label_errors"
    packages: ClassVar[tuple[str, ...]] = ("cleanlab", "scikit-learn")

    type: Literal["label_errors"]
    """The kind of cleaner."""
    action: Literal["flag", "drop"] = "flag"
    """Whether such rows are only recorded, or go. Default `flag`."""
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    """Parts of the rows, each judged by what the others teach. Default 5."""
    files: Annotated[list[Split], Field(min_length=1)] | None = Field(["train"])  # type: ignore[assignment]
    """Splits whose files it works on. Default `["train"]`."""

    def judge(self, table: pa.Table, inputs: Sequence[str], targets: Sequence[str], scratch: Path) -> Iterator[Judged]:
        order = by_id(table)
        ids = [hashlib.sha256(text.encode()).digest() for text in table["id"].take(order).to_pylist()]
        texts = table.select(list(inputs)).take(order).to_batches()
        features = features_of([text for batch in texts for text in joined(batch).to_pylist()])
        if features is None:
            return
        reasons: dict[int, list[str]] = {}
        for target in targets:
            labels = table[target].take(order).to_pylist()
            for row, likelier in suspects(features, labels, ids, self.folds):
                where = f"`{target}`: " if len(targets) > 1 else ""
                reason = f"{where}label `{labels[row]}` looks wrong: `{likelier}` is likelier"
                reasons.setdefault(row, []).append(reason)
        for row, found in reasons.items():
            yield Judged(int(order[row]), "; ".join(found), flagged=self.action == "flag")


def features_of(texts: Sequence[str]) -> Any:
    """TF-IDF of runs of 2 to 4 characters within words, a sparse row a text; None where there is nothing to count."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(text.strip() for text in texts):
        return None
    weigh = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=FEATURES, dtype=np.float32
    )
    return weigh.fit_transform(texts)


def suspects(features: Any, labels: Sequence[str], ids: Sequence[bytes], folds: int) -> Iterator[tuple[int, str]]:
    """The rows whose label looks wrong, and the likeliest label."""
    import numpy as np
    from cleanlab.filter import find_label_issues

    names, codes, counts = np.unique(np.array(labels, object), return_inverse=True, return_counts=True)
    common = counts >= folds
    if common.sum() < 2:
        return
    rows = np.flatnonzero(common[codes])
    names, codes = names[common], (np.cumsum(common) - 1)[codes[rows]]
    likely = probabilities(features[rows], codes, parts(codes, [ids[row] for row in rows.tolist()], folds))
    wrong = find_label_issues(codes, likely, filter_by="low_self_confidence", n_jobs=1)
    best = likely.argmax(axis=1)
    yield from ((int(rows[place]), names[best[place]]) for place in np.flatnonzero(wrong & (best != codes)).tolist())


def parts(codes: np.ndarray, ids: Sequence[bytes], folds: int) -> np.ndarray:
    """The fold of each row: within a label by turns, in the order of the hashed ids, so that each fold knows it."""
    import numpy as np

    found = np.empty(len(codes), np.int64)
    order = np.array(sorted(range(len(codes)), key=lambda row: (codes[row], ids[row])))
    starts = np.searchsorted(codes[order], codes[order])
    found[order] = (np.arange(len(order)) - starts) % folds
    return found


def probabilities(features: Any, codes: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """How likely each label is for each row, by a logistic regression that learned from the other folds."""
    import numpy as np
    from sklearn.linear_model import SGDClassifier

    found = np.empty((len(codes), codes.max() + 1), np.float32)
    for held in np.unique(fold):
        model = SGDClassifier(loss="log_loss", random_state=0).fit(features[fold != held], codes[fold != held])
        found[fold == held] = model.predict_proba(features[fold == held])
    return found
