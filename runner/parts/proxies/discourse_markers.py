"""How many sentences say in a word how they go on from what stands before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.proxies._words import sentences

# English connectives that the Penn Discourse Treebank marks, those that begin or join clauses.
MARKERS = (
    "accordingly|after|afterward|afterwards|also|alternatively|although|and|as a result|as if|as long as|as soon as|"
    "as though|because|before|besides|but|by comparison|by contrast|consequently|conversely|earlier|else|except|"
    "finally|for example|for instance|further|furthermore|hence|however|if|in addition|in contrast|in fact|"
    "in other words|in particular|in short|in sum|in the end|in turn|indeed|instead|later|likewise|meantime|meanwhile|"
    "moreover|nevertheless|next|nonetheless|nor|on the contrary|on the one hand|on the other hand|once|or|otherwise|"
    "overall|previously|rather|similarly|simultaneously|since|so|so that|specifically|still|then|thereafter|thereby|"
    "therefore|though|thus|till|ultimately|unless|until|when|whereas|while|yet"
)
MARKER = re.compile(rf"\b(?:{MARKERS})\b", re.IGNORECASE)


class DiscourseMarkers(Proxy):
    """Share of the sentences after the first that have a connective of English; none of a single sentence.

    Connectives are those of the Penn Discourse Treebank (Prasad and others 2008).

    ```toml
    type = "discourse_markers"
    ```
    """

    kind: ClassVar[str] = "discourse_markers"

    type: Literal["discourse_markers"]
    """The kind of proxy."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        for text in samples.texts:
            later = sentences(text)[1:]
            marked = [found[0].lower() for each in later if (found := MARKER.search(each))]
            yield Judgement(len(marked) / len(later) if later else None, ", ".join(marked))
