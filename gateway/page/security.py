"""What every request passes first: which host is asked for, from where, how large it is; and what every answer bears."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.page.scanning import MOST_PICTURE

MAX_BODY: Final = 8 * 1024  # bytes
MAX_FIELDS: Final = 16
BODY_S: Final = 5.0
PICTURE_S: Final = 20.0  # a picture of 0.5 MB over a poor wireless network
CSRF_HEADER: Final = "x-csrf"
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class BadForm(Exception):
    """What came is no form of this page. `status`: of the answer; `reason`: in one machine word."""

    def __init__(self, status: int, reason: str = "not-understood") -> None:
        super().__init__(str(status))
        self.status = status
        self.reason = reason


class Guarded:
    """Around the application."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...], *, tls: bool) -> None:
        self._app = app
        self._names = frozenset((*names, "localhost"))
        self._strict = {"Strict-Transport-Security": "max-age=31536000"} if tls else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return

        async def bearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, **self._strict})
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refused(Request(scope))
        await (refused or self._app)(scope, receive, bearing)

    def _refused(self, request: Request) -> Response | None:
        """Why it is not even looked at: a name that is not ours (DNS rebinding), or another site's form."""
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("This gate is opened by its address, or by a name of [page] names.\n", 421)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("no\n", 405)
        if request.method == "POST" and not _same_site(request, host):
            return PlainTextResponse("another site's form\n", 403)
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _same_site(request: Request, host: str) -> bool:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{host}"


def new_cookie() -> str:
    """For a browser that has none yet."""
    return secrets.token_urlsafe(32)


def csrf_of(cookie: str) -> str:
    """The word that each form of this browser bears. Nobody who cannot read the cookie can make it."""
    return hashlib.blake2s(cookie.encode(), person=b"csrf").hexdigest()


async def read_form(request: Request, cookie: str) -> dict[str, str]:
    """The fields of a form that this browser was given, without the word that shows it. Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise BadForm(415)
    body = b"".join([chunk async for chunk in _body(request, MAX_BODY, BODY_S)])
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MAX_FIELDS,
            encoding="utf-8", errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise BadForm(400) from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise BadForm(400)
    _check_word(fields.pop("csrf", ""), cookie)
    return fields


def read_picture(request: Request, cookie: str) -> AsyncIterator[bytes]:
    """The picture that a script of this page sends, as it comes; the word that shows it is in a header, which no other site's script may
    set. Raises BadForm, at once or while it comes."""
    _check_word(request.headers.get(CSRF_HEADER, ""), cookie)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if not (kind.startswith("image/") or kind == "application/octet-stream"):
        raise BadForm(415, "no-picture")
    _check_length(request, MOST_PICTURE, "picture-too-large")
    return _body(request, MOST_PICTURE, PICTURE_S, "picture-too-large")


def _check_word(given: str, cookie: str) -> None:
    if not cookie or not hmac.compare_digest(given.encode(), csrf_of(cookie).encode()):
        raise BadForm(403, "stale")


def _check_length(request: Request, most: int, reason: str) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise BadForm(413, reason)


async def _body(request: Request, most: int, within_s: float, reason: str = "not-understood") -> AsyncIterator[bytes]:
    """What comes, of at most so many bytes and within so long. Raises BadForm."""
    _check_length(request, most, reason)
    got = 0
    stream = request.stream()
    deadline = asyncio.get_running_loop().time() + within_s
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            got += len(chunk)
            if got > most:
                raise BadForm(413, reason)
            yield chunk
    except (TimeoutError, ClientDisconnect) as error:
        raise BadForm(408, reason="too-slow") from error
