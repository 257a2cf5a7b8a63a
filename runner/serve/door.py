"""The door: who may ask the pages at all, as ASGI middleware; nothing behind it sees a stranger's request.

Other programs of this machine, and any page that a browser shows, can reach a loopback port. So a request must name
this very host (against DNS rebinding) and bring the token, at first in the address, then in a cookie that no other
site's request carries. What runs SQL comes by POST from a page of ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

LARGEST = 64 * 1024  # bytes of a form
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Door:
    """Lets in who knows the token and came by the right address; adds the headers that keep a page to itself."""

    def __init__(self, app: App, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {name if port == 80 else f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.cookie = f"runner-{port}"  # cookies of all ports of a host share one jar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.http(scope, receive, kept(send))

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        fault = self.fault(scope["method"], headers)
        if fault:
            await answer(send, *fault)
        elif "token" in asked and same(asked.pop("token"), self.token) and scope["method"] == "GET":
            more = f"?{urlencode(asked)}" if asked else ""
            kept_in = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
            path = "/" + scope["path"].lstrip("/\\")  # `//elsewhere` would be another host
            await answer(send, 303, "", location=f"{path}{more}", **{"set-cookie": kept_in})
        elif not same(self.brought(headers), self.token):
            await answer(send, 403, "The token is missing or wrong: open the address that `runner ui` printed.")
        else:
            await self.app(scope, receive, send)

    def fault(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        """Why a request is refused whoever sent it."""
        host = headers.get("host", "")
        if host not in self.hosts:
            return 421, "This host is not served here: open the address that `runner ui` printed."
        if method not in ("GET", "HEAD", "POST"):
            return 405, "Only GET and POST are answered."
        if method == "POST" and headers.get("origin") != f"http://{host}":
            return 403, "This form comes from another origin."
        if method == "POST" and not headers.get("content-length", "").isdecimal():
            return 411, "The length of the form is missing."
        if method == "POST" and int(headers["content-length"]) > LARGEST:
            return 413, f"A form has at most {LARGEST:,} bytes."
        return None

    def brought(self, headers: dict[str, str]) -> str:
        """The token of the cookie."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return found.value if found else ""


def same(given: str, right: str) -> bool:
    """Whether two tokens are equal, in a time that tells nothing."""
    return secrets.compare_digest(given.encode(), right.encode())


def kept(send: Send) -> Send:
    """The same, with the headers of every answer."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *ours]
        await send(message)

    return sending


async def answer(send: Send, status: int, text: str, **headers: str) -> None:
    """A short answer in plain text."""
    named = {"content-type": "text/plain; charset=utf-8", **headers}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": text.encode()})
