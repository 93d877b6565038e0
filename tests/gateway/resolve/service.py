"""A health-code service on loopback: a real HTTPS server that answers as a test wants."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from gateway.config.settings import ResolverConfig
from tests.certificates import Pair

WAIT_S = 15.0
Behaviour = Callable[["Service", BaseHTTPRequestHandler], None]


def says(answer: object, status: int = 200, **headers: str) -> Behaviour:
    """Answers with this: bytes as they are, everything else as JSON."""

    def behave(_service: "Service", request: BaseHTTPRequestHandler) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return behave


def waits(service: "Service", _request: BaseHTTPRequestHandler) -> None:
    """Never answers."""
    service.over.wait(WAIT_S)


def drips(beginning: bytes, drop: bytes) -> Behaviour:
    """Says the beginning, and then for ever a drop more, each well within any time-out of a socket."""

    def behave(service: "Service", request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(beginning)
        while not service.over.wait(0.02):
            request.wfile.write(drop)
            request.wfile.flush()

    return behave


class Service:
    """The server. `behave` may be changed; `bodies` and `headers`: of what it was asked; `over`: the test is over."""

    def __init__(self, behave: Behaviour, pair: Pair | None, clients: Path | None) -> None:
        self.behave = behave
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.asked = threading.Semaphore(0)
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._scheme = "http" if pair is None else "https"
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair.certificate, pair.key)
            if clients is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(clients)
            # the handshake is for the thread of the connection
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="service", daemon=True)

    @property
    def port(self) -> int:
        """Its port."""
        return int(self._server.server_address[1])

    def config(self, **changes: Any) -> ResolverConfig:
        """A resolver that asks it."""
        settings: dict[str, Any] = {
            "name": "province",
            "pattern": "JKM:{code}",
            "endpoint": f"{self._scheme}://127.0.0.1:{self.port}/api/verify?v=1",
            "request_field": "bizExtData",
            "answer_field": "data.status",
            "timeout_s": 5.0,
        }
        return ResolverConfig(**(settings | changes))

    def __enter__(self) -> "Service":
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_S)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            service.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            service.headers.append({name.lower(): value for name, value in self.headers.items()})
            service.paths.append(self.path)
            service.asked.release()
            service.behave(service, self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
            """Quiet."""

    return Handler


@contextmanager
def serving(behave: Behaviour, pair: Pair | None = None, clients: Path | None = None) -> Iterator[Service]:
    """A service, for as long as it is needed. `clients`: the authority of the gates it lets in; without a pair no TLS."""
    with Service(behave, pair, clients) as service:
        yield service
