"""`runner ui`: serve the pages on loopback until Ctrl-C, and show them in the browser."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.store.ingest import ingest

HOST = "127.0.0.1"


def serve(results: Path, port: int, show: bool) -> None:
    """Print the address with its token and answer until Ctrl-C."""
    with listening(results, port) as (server, sockets, address):
        print(f"serving {results} at {address}\nCtrl-C ends it", flush=True)
        if show:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        try:
            server.run(sockets=sockets)
        except KeyboardInterrupt:
            print("\nended")


@contextmanager
def background(results: Path) -> Iterator[str]:
    """The pages at a free port while the context lasts, for tests and pictures; the address, with its token."""
    with listening(results, 0) as (server, sockets, address):
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def listening(results: Path, port: int) -> Iterator[tuple[Any, list[socket.socket], str]]:
    """A server with its sockets, which already take connections, and the address."""
    try:
        import uvicorn

        from runner.serve.app import app
    except ImportError as error:
        raise RunnerError(f"`runner ui` needs `{error.name}`", 'pip install "runner[ui]"') from error
    ingest(results)
    token = secrets.token_urlsafe()
    with bound(port) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            app(results, token, port), log_level="warning", access_log=False, server_header=False, ws="none"
        )
        yield uvicorn.Server(config), [listener], f"http://{HOST}:{port}/?token={token}"


def bound(port: int) -> socket.socket:
    """A socket of the loopback at a port, or at a free one for 0."""
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise RunnerError(f"cannot listen at port {port}: {error}", "`--port 0` takes a free one") from error
