"""Rendering: templates to HTML files without scripts that refer to nothing outside themselves.

jinja2 escapes every text of the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.errors import RunnerError

# Control characters would vanish or break the page; each has a picture.
VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}


def rendered(template: str, **values: Any) -> str:
    """A page as text."""
    return str(environment("runner.report").get_template(template).render(values))


def environment(*packages: str) -> Any:
    """The templates of packages, those of the first before those of the next."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"count": "{:,}".format, "percent": "{:.1%}".format, "number": number}
    made.globals["cut"] = cut
    return made


def written(path: Path, text: str) -> None:
    """Write a page; its folder is made if need be."""
    if path.is_dir():
        raise RunnerError(f"`{path}` is a folder", f"name a file, such as `{path / 'page.html'}`")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def visible(value: Any) -> Any:
    """A text whose control characters can be seen; Markup stays what it is."""
    return value.translate(VISIBLE) if type(value) is str else value


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many digits after the point, a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def cut(text: str, width: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= width else text[: width - 1] + "…"
