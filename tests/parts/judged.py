"""A judge on loopback that speaks the protocol, and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = str | int | float | bytes  # what is said, a status, seconds of silence, or a body


class Fake(ThreadingHTTPServer):
    """Asks `answer` what to say to each question, in order; keeps all questions with their headers."""

    daemon_threads = True

    def __init__(self, answer: Callable[[int, dict[str, Any]], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked: list[tuple[dict[str, Any], dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((body, dict(self.headers)))
        said = self.server.answer(len(self.server.asked) - 1, body)
        if isinstance(said, float):
            time.sleep(said)
            said = "too late"
        whole = {"choices": [{"message": {"role": "assistant", "content": said}}]}
        content = said if isinstance(said, bytes) else json.dumps(whole if isinstance(said, str) else {}).encode()
        self.send_response(said if isinstance(said, int) else 200)
        self.send_header("Content-Length", str(len(content)))
        if said == 429:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def fake(answer: Callable[[int, dict[str, Any]], Answer]) -> Iterator[Fake]:
    server = Fake(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
