"""HTML to the text that a reader sees, with its block breaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.entities import html5
from pathlib import Path
from typing import ClassVar, Literal

from runner.parts.cleaners._cleaner import Cleaner
from runner.parts.cleaners._encodable import encodable

ELEMENTS = """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br
    button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed
    fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img
    input ins isindex kbd label layer legend li link listing main map mark marquee math menu meta meter nav nobr noembed
    noframes noscript object ol optgroup option output p param picture pre progress q rp rt ruby s samp script search
    section select slot small source span strike strong style sub summary sup svg table tbody td template textarea tfoot
    th thead time title tr track tt u ul var video wbr xmp
"""
# A tag of a known, prefixed (`o:p`) or hyphenated element, a closed comment, or a declaration. Any other `<` is text:
# `a <b and c`, `List<String>`, `<joe@example.org>`. Each part ends at the next tag or is bounded: the time is linear.
# Groups are atomic by `(?>...)`, since early 3.11 loses matches of possessive groups (python/cpython#106052).
MARKUP = re.compile(
    rf"""
    </?(?:{"|".join(ELEMENTS.split())}|[a-z][a-z0-9]*[:-][a-z][a-z0-9-]*)(?=[\s/>])
        (?>(?:[^<>"']++|"[^"]{{0,4000}}"|'[^']{{0,4000}}'|["']){{0,200}})>
    | <!--(?>(?:[^<-]++|(?!-->|<!--).)*)-->
    | <!(?:doctype|\[cdata\[|\[?(?:end)?if)[^<>]*+>
    | <\?xml[^<>]*+>
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
LESS = re.compile(rf"{MARKUP.pattern} | (?P<bare><)", MARKUP.flags)
REFERENCE = re.compile(r"&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)


class StripHtml(Cleaner):
    """Turn HTML into text: blocks on lines of their own, entities decoded, scripts and styles left out.

    Fragments and broken pages are read as browsers do. A text without tags keeps its line ends and every `<` in it.
    Nothing is added that nobody wrote, such as bullets; the text in place of a picture (`alt`) counts as text.

    ```toml
    type = "strip_html"
    main_content = true
    ```
    """

    kind: ClassVar[str] = "strip_html"
    packages: ClassVar[tuple[str, ...]] = ("resiliparse",)

    type: Literal["strip_html"]
    """The kind of cleaner."""
    main_content: bool = False
    """Leave out what looks like navigation, sidebars and footers of a whole page. Default false."""

    def ready(self, tokenizer_file: Path | None) -> Callable[[str], str]:
        from resiliparse.extract.html2text import extract_plain_text

        def clean(text: str) -> str:
            if not MARKUP.search(text):
                return REFERENCE.sub(referred, text)
            html = LESS.sub(lambda found: "&lt;" if found["bare"] else found[0], encodable(text))
            return str(extract_plain_text(html, main_content=self.main_content, list_bullets=False))

        return clean

    def clean(self, text: str) -> str:
        return self.ready(None)(text)


def referred(found: re.Match[str]) -> str:
    """The character that a reference stands for; a name nobody knows stays."""
    return unescape(found[0]) if found[0].startswith("&#") else html5.get(found[0][1:], found[0])
