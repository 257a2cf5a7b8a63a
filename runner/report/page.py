"""The page of an account: one HTML file without scripts that refers to nothing outside itself.

It takes what `runner data --json` prints. jinja2 escapes every text of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.report import bars, charts

# Control characters would vanish or break the page; each has a picture.
VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {127: 0x2421}


def write(path: Path, name: str, data: Mapping[str, Any]) -> None:
    """Write the page about an experiment's data; its folder is made if need be."""
    if path.is_dir():
        raise RunnerError(f"`{path}` is a folder", f"name a file, such as `{path / 'data.html'}`")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(name, data), encoding="utf-8")


def page(name: str, data: Mapping[str, Any]) -> str:
    """The page as text; `data` holds for each data set its `rows`, `labels`, `steps` and `profile`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("runner.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": "{:,}".format, "percent": "{:.1%}".format, "number": number}
    environment.globals |= {"bars": bars, "charts": charts, "cut": cut}
    return environment.get_template("page.html").render(name=name, data=data)


def visible(value: Any) -> Any:
    """A text whose control characters can be seen; Markup stays what it is."""
    return value.translate(VISIBLE) if type(value) is str else value


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many digits after the point, a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def cut(text: str, width: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= width else text[: width - 1] + "…"
