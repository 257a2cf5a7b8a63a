"""`runner ui` and `runner review`: serve pages on loopback until Ctrl-C, and show them in the browser."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.run.reviewing import Review
from runner.store.ingest import ingest

HOST = "127.0.0.1"


Make = Callable[[str, int], Any]  # of the token and the port


def store(results: Path) -> Make:
    """What makes the pages over a store."""

    def made(token: str, port: int) -> Any:
        from runner.serve.app import app

        ingest(results)
        return app(results, token, port)

    return made


def one(review: Review) -> Make:
    """What makes the page of one reviewer."""

    def made(token: str, port: int) -> Any:
        from runner.serve.review import app

        return app(review, token, port)

    return made


def serve(make: Make, what: str, port: int, show: bool) -> None:
    """Print the address with its token and answer until Ctrl-C."""
    with listening(make, port) as (server, sockets, address):
        print(f"serving {what} at {address}\nCtrl-C ends it", flush=True)
        if show:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        try:
            server.run(sockets=sockets)
        except KeyboardInterrupt:
            print("\nended")


@contextmanager
def background(make: Make) -> Iterator[str]:
    """The pages at a free port while the context lasts, for tests and pictures; the address, with its token."""
    with listening(make, 0) as (server, sockets, address):
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def listening(make: Make, port: int) -> Iterator[tuple[Any, list[socket.socket], str]]:
    """A server with its sockets, which already take connections, and the address."""
    token = secrets.token_urlsafe()
    with bound(port) as listener:
        port = listener.getsockname()[1]
        try:
            import uvicorn

            made = make(token, port)
        except ImportError as error:
            raise RunnerError(f"the pages need `{error.name}`", 'pip install "runner[ui]"') from error
        config = uvicorn.Config(made, log_level="warning", access_log=False, server_header=False, ws="none")
        yield uvicorn.Server(config), [listener], f"http://{HOST}:{port}/?token={token}"


def bound(port: int) -> socket.socket:
    """A socket of the loopback at a port, or at a free one for 0."""
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise RunnerError(f"cannot listen at port {port}: {error}", "`--port 0` takes a free one") from error
