"""`python -m runner.serve.pictures RESULTS FOLDER`: the pictures of report and `runner ui` that the documents show.

Chromium draws them without a window; each has at most 256 colours, so that it stays small.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from runner.errors import RunnerError
from runner.report.results import write
from runner.run.reporting import facts
from runner.serve.ui import background, store
from runner.store.query import query

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LARGEST = 150_000  # bytes of a picture
COLOURS = 256
FINISHED = "SELECT run FROM runs WHERE state = 'finished' ORDER BY name = ?, started LIMIT 2"
ASKED = """SELECT run, learning_rate, rank, task, metric, value, low, high
FROM runs_wide ORDER BY value DESC"""


class Picture(NamedTuple):
    """A page and how it is looked at."""

    name: str
    path: str
    width: int
    height: int
    dark: bool = False


def pictures(grid: str, run: str, other: str) -> list[Picture]:
    """What is drawn of a store, of the pages of `runner ui`."""
    board, sides = f"/grid?name={quote(grid)}", f"/compare?a={quote(run)}&b={quote(other)}"
    return [
        Picture("ui-overview", "/", 1100, 580),
        Picture("ui-grid", board, 1340, 1080),
        Picture("ui-run-dark", f"/run?name={quote(run)}", 1100, 1250, dark=True),
        Picture("ui-compare", sides, 1100, 900),
        Picture("ui-phone", board, 390, 844),
    ]


def answered(address: str) -> str:
    """The page of a statement with its rows, which only a form can ask for; it holds all its styles."""
    place, token = address.split("/?")
    web = build_opener(HTTPCookieProcessor())

    def read(path: str, form: bytes | None = None) -> str:
        return str(web.open(Request(place + path, form, {"Origin": place})).read().decode())

    (ours,) = re.findall(r'name="form" value="([^"]+)"', read(f"/sql?{token}"))
    page = read("/sql", urlencode({"form": ours, "sql": ASKED}).encode())
    for link, sheet in re.findall(r'(<link rel="stylesheet" href="([^"]+)">)', page):
        page = page.replace(link, f"<style>{read(sheet)}</style>")
    return page


def browser() -> str | None:
    """The browser of this machine, if it has one that draws without a window."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def browsing(*flags: str) -> Iterator[list[str]]:
    """The command that begins a browser with a profile of its own, to which an address is added."""
    program = browser()
    if program is None:
        raise RunnerError("no chromium is there to draw pictures", "apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        yield [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
               "--disable-background-networking", f"--user-data-dir={profile}", *flags]  # fmt: skip


def shot(address: str, picture: Picture) -> bytes:
    """What the browser draws, as PNG with few colours."""
    from PIL import Image

    colours = [f"--blink-settings=preferredColorScheme={0 if picture.dark else 1}"]
    with tempfile.TemporaryDirectory() as folder, browsing(*colours) as command:
        path = Path(folder) / "shot.png"
        size = f"--window-size={picture.width},{picture.height}"
        words = [*command, size, "--virtual-time-budget=2000", f"--screenshot={path}", address]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        packed = io.BytesIO()
        Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def draw(results: Path, folder: Path) -> None:
    """All pictures over a store that has a grid and two finished runs."""
    folder.mkdir(parents=True, exist_ok=True)
    grid = query(results, "SELECT grid FROM grid_members ORDER BY grid LIMIT 1").to_pylist()[0]["grid"]
    run, other = (row["run"] for row in query(results, FINISHED, [grid]).to_pylist())
    with background(store(results)) as address:
        place, token = address.split("/?")
        for picture in pictures(grid, run, other):
            keep(folder, picture, f"{place}{picture.path}{'&' if '?' in picture.path else '?'}{token}")
        asked = answered(address)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "page.html"
        page.write_text(asked, encoding="utf-8")
        keep(folder, Picture("ui-sql-dark", "", 1100, 760, dark=True), page.as_uri())
        write(page, facts(results, [grid]))
        keep(folder, Picture("report", "", 1340, 1080), page.as_uri())


def keep(folder: Path, picture: Picture, address: str) -> None:
    """Draw one picture into its file."""
    drawn = shot(address, picture)
    if len(drawn) > LARGEST:
        raise RunnerError(f"`{picture.name}.png` would have {len(drawn):,} bytes", "make its height smaller")
    (folder / f"{picture.name}.png").write_bytes(drawn)
    print(f"{picture.name}.png  {len(drawn):,} bytes")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
