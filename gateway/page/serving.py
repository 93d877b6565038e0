"""The web server around the page: uvicorn with little of it switched on, and limits for whoever holds connections open."""

import asyncio
import socket
import ssl
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.page.access import place_of
from gateway.page.messages import Setup
from sync.tls import server_context

FIRST_REQUEST_S: Final = 10.0  # a connection that has asked for nothing by then is closed
GONE_MS: Final = 15_000  # nothing is acknowledged for so long: a tablet that left the wireless network, whose place is needed when it is back
MOST_HEADERS: Final = 16 * 1024  # bytes of a request that has not come whole
MOST_CONNECTIONS, MOST_OF_ONE = 96, 16  # at a time; of one address


class Patient(H11Protocol):
    """As uvicorn's, but nobody may hold a connection open for nothing, or very many of them."""

    _of: ClassVar[Counter[str]] = Counter()  # connections of each address

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        super().connection_made(transport)
        self._address = place_of(str(self.client[0])) if self.client else ""
        self._of[self._address] += 1
        if self._of[self._address] > MOST_OF_ONE:
            transport.abort()
        else:
            self._limit = self.loop.call_later(FIRST_REQUEST_S, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        super().connection_lost(exc)
        self._of[self._address] -= 1
        if self._of[self._address] <= 0:
            del self._of[self._address]
        if (limit := getattr(self, "_limit", None)) is not None:
            limit.cancel()

    def _late(self) -> None:
        if getattr(self, "scope", None) is None:  # until there is a request
            self.transport.abort()


class _Server(uvicorn.Server):
    """Takes no signals: it ends with the gate."""

    def capture_signals(self) -> Any:
        """None."""
        from contextlib import nullcontext

        return nullcontext()


def make_server(setup: Setup, app: ASGIApp) -> uvicorn.Server:
    """A server for one event loop. Raises TlsFileError (OSError)."""
    context = server_context(Path(setup.certificate), Path(setup.key)) if setup.certificate else None
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Patient,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=MOST_HEADERS,
        ssl_context_factory=None if context is None else _given(context),
    )
    return _Server(config)


def _given(context: ssl.SSLContext) -> Any:
    return lambda _config, _default: context


def open_socket(host: str, port: int) -> socket.socket:
    """Listening there. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)  # those that it accepts have it too
    opened.bind((host, port))
    return opened
