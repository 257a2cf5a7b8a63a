"""Broken Unicode made whole by ftfy (Speer 2019, doi:10.5281/zenodo.2591652)."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.cleaners._cleaner import Cleaner


class RepairUnicode(Cleaner):
    """Repair text that was decoded wrongly, such as `schÃ¶n` for `schön`, and other traces of programs.

    Besides: curly quotes and full-width letters become plain, ligatures (`ﬁ`) become letters, line ends `\\n`, pairs of
    surrogates one character; terminal escapes and control characters go; the rest is composed (NFC). Entities stay,
    since they are the work of `strip_html`.

    ```toml
    type = "repair_unicode"
    ```
    """

    kind: ClassVar[str] = "repair_unicode"
    packages: ClassVar[tuple[str, ...]] = ("ftfy",)

    type: Literal["repair_unicode"]
    """The kind of cleaner."""

    def clean(self, text: str) -> str:
        from ftfy import TextFixerConfig, fix_text

        return fix_text(text, TextFixerConfig(unescape_html=False, explain=False))
