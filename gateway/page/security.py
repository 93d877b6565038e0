"""What every request passes first: which host is asked for, from where, how large it is; and what every answer bears."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY: Final = 8 * 1024  # bytes
MAX_FIELDS: Final = 16
BODY_S: Final = 5.0
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
    """What came is no form of this page. `status`: of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


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
    try:
        async with asyncio.timeout(BODY_S):
            body = await _body(request)
    except (TimeoutError, ClientDisconnect) as error:
        raise BadForm(408) from error
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
    given = fields.pop("csrf", "")
    if not cookie or not hmac.compare_digest(given.encode(), csrf_of(cookie).encode()):
        raise BadForm(403)
    return fields


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        raise BadForm(413)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadForm(413)
    return body
