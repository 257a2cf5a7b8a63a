"""The program on its socket, and the pages in a real browser: scripts keep to the policy and do what they shall."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from runner.errors import RunnerError
from runner.serve import pictures
from runner.serve.ui import background, bound, listening
from runner.serve.ui import store as pages_of
from tests.store.conftest import log_of, start

drawn = pytest.mark.skipif(pictures.browser() is None, reason="there is no chromium")
DRIVE = """
document.getElementById("sql").value = "SELECT 40 + 2 AS sum";
document.querySelector("#console button").click();
"""


def dom(address: str, seconds: int = 3) -> str:
    """What a page is after some seconds of its own time."""
    with pictures.browsing() as command:
        words = [*command, f"--virtual-time-budget={seconds * 1000}", "--dump-dom", address]
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout


def test_it_answers_on_loopback_only_who_has_the_token(store: Path) -> None:
    with background(pages_of(store)) as address:
        assert address.startswith("http://127.0.0.1:") and len(address.split("token=")[1]) >= 40
        web = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        assert "grid-1" in web.open(address).read().decode()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.split("?")[0])


def test_many_ask_at_once(store: Path) -> None:
    with background(pages_of(store)) as address:

        def look(name: str) -> None:
            place, token = address.split("?")
            with urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open(f"{place}run?name={name}&{token}") as answer:  # fmt: skip
                found.append(answer.status)

        found: list[int] = []
        threads = [threading.Thread(target=look, args=[f"grid-{place % 3}"]) for place in range(9)]
        for each in threads:
            each.start()
        start(log_of(store, "new"))
        for each in threads:
            each.join()
    assert found == [200] * 9


def test_a_port_that_is_taken_is_said() -> None:
    with bound(0) as taken, pytest.raises(RunnerError, match="cannot listen at port"):
        bound(taken.getsockname()[1])
    with pytest.raises(RunnerError, match="cannot listen at port 99999"):
        bound(99999)


@drawn
def test_a_page_renews_what_is_live(store: Path) -> None:
    with background(pages_of(store)) as address:
        assert ">new</a>" not in dom(address, 1)
        log = log_of(store, "new")
        start(log, name="new", params={"train.epochs": 2})
        log.write("metrics", step=1, epoch=1.0, split="train", values={"loss": 0.5})
        assert "50%" in dom(address, 8)


@drawn
def test_the_console_answers_in_place_and_keeps_what_was_asked(store: Path) -> None:
    import uvicorn
    from fastapi import Response
    from fastapi.responses import HTMLResponse
    from starlette.requests import Request

    with listening(pages_of(store), 0) as (server, sockets, address):
        made = server.config.app

        async def drive(request: Request) -> Response:
            return Response(DRIVE, media_type="text/javascript")

        async def driven(request: Request) -> Response:
            box = next(route for route in made.routes if getattr(route, "name", "") == "box")
            return HTMLResponse(box.endpoint("").replace("</head>", '<script src="/drive.js" defer></script></head>'))

        made.add_route("/drive.js", drive)
        made.add_route("/driven", driven)
        assert isinstance(server, uvicorn.Server)
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
        thread.start()
        try:
            found = dom(address.replace("/?", "/driven?"), 8)
        finally:
            server.should_exit = True
            thread.join()
    answer = found.split('id="answer"')[1].split("</section>")[0]
    assert '<td class="n">42</td>' in answer
    assert "1 row; " in found.split('id="status"')[1].split("</p>")[0]
    assert "<pre>SELECT 40 + 2 AS sum</pre>" in found.split('id="history"')[1]


@drawn
def test_each_picture_shows_a_page_and_is_small(store: Path, tmp_path: Path) -> None:
    from PIL import Image

    with background(pages_of(store)) as address:
        png = pictures.shot(address, pictures.Picture("a", "", 390, 600, dark=True))
    (tmp_path / "a.png").write_bytes(png)
    image = Image.open(tmp_path / "a.png").convert("RGB")
    assert image.size == (390, 600) and len(png) < pictures.LARGEST
    assert image.getpixel((2, 2)) == pytest.approx((20, 23, 28), abs=3)


def test_the_pages_load_no_heavy_library() -> None:
    program = (
        "import sys, runner.serve.app; print(sorted({'torch', 'transformers', 'sklearn', 'datasets'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
