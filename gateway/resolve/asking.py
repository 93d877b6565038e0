"""One question to one server over HTTPS: what is sent, what comes back, and how long that may take. Nothing of what it
means, and nothing of it in a log or an error: those have one word, the reason.

Theory of operation. Each question has a thread and a connection of its own. Whoever asks waits for it no longer than the time
allowed, whatever it hangs in: then the connection is shut, under TLS and whoever reads from it, and the thread ends. Only
the look-up of a name cannot be broken off; so no more than `QUESTIONS` threads are ever under way, and one that comes back
too late finds that it was given up and sends nothing.

    no-answer            not within the time allowed
    server-unreachable   its name is not known, nobody listens there, or it hung up
    server-certificate   its certificate is not by the right authority, of another name, or over
    server-insecure      it does not speak TLS, or only what is no longer safe
    server-refused       HTTP 4xx
    server-error         HTTP 5xx
    server-redirects     HTTP 3xx: nothing is followed
    answer-too-large     over `MAX_ANSWER` bytes
    answer-not-understood  not HTTP, cut short, or another status
    too-many             so many questions are under way already

Imported only where a resolver is configured: urllib3 costs memory.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.response import HTTPResponse

from gateway.config.settings import RequestFormat, ResolverConfig
from gateway.errors import GatewayError
from sync.tls import TlsFiles, client_context

MAX_ANSWER: Final = 65_536  # bytes
QUESTIONS: Final = 4  # to one server at a time, those given up included
TOO_MANY: Final = "too-many"
TYPES: Final[Mapping[RequestFormat, str]] = {
    RequestFormat.JSON: "application/json",
    RequestFormat.FORM: "application/x-www-form-urlencoded",
}

# It would log parts of an answer whose headers are no headers.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class NoAnswer(GatewayError):
    """There is no answer. `reason`: one word, which is all that is said."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tls_context(config: ResolverConfig) -> ssl.SSLContext:
    """What is believed of a server, and what is shown to it (`sync.tls`). Raises TlsFileError."""
    files = TlsFiles(ca_file=config.ca_file, certificate_file=config.certificate_file, key_file=config.key_file)
    return client_context(files)


class Asker:
    """Asks one server. From any thread; at most `QUESTIONS` at a time. Raises TlsFileError when made with files that are none."""

    def __init__(self, config: ResolverConfig) -> None:
        parts = urlsplit(config.endpoint)
        self._host, self._port = parts.hostname or "", parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._context = tls_context(config) if parts.scheme == "https" else None
        self._timeout_s = config.timeout_s
        self._headers = {
            "Content-Type": TYPES[config.request_format],
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "menshen",
        }
        if config.token is not None:
            self._headers["Authorization"] = f"Bearer {config.token}"
        self._places = threading.BoundedSemaphore(QUESTIONS)

    def ask(self, body: bytes) -> bytes:
        """What the server answers with a status of 2xx. Raises NoAnswer, after the time allowed at the latest."""
        if not self._places.acquire(blocking=False):
            raise NoAnswer(TOO_MANY)
        exchange = _Exchange(self._connection(), self._target, body, self._headers)
        try:
            threading.Thread(target=self._exchange, args=(exchange,), name="question", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._places.release()
            raise NoAnswer(TOO_MANY) from None
        return exchange.wait(self._timeout_s)

    def _exchange(self, exchange: "_Exchange") -> None:
        try:
            exchange.run()
        finally:
            self._places.release()

    def _connection(self) -> "_Plain | _Secure":
        if self._context is None:
            return _Plain(self._host, self._port, timeout=self._timeout_s)
        return _Secure(self._host, self._port, timeout=self._timeout_s, ssl_context=self._context)


class _Grip:
    """A hold on a connection from outside, whatever lies on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._let_go = False

    def take(self, connected: socket.socket) -> None:
        """Take hold. Raises ConnectionAbortedError when it was let go before."""
        with self._lock:
            if self._let_go:
                connected.close()
                raise ConnectionAbortedError
            self._held = connected.dup()

    def let_go(self) -> None:
        """Shut it, for whoever reads or writes on it too."""
        with self._lock:
            self._let_go = True
            if self._held is not None:
                with suppress(OSError):  # the other side may have shut it already
                    self._held.shutdown(socket.SHUT_RDWR)
                self._held.close()
                self._held = None


class _Plain(HTTPConnection):
    """A connection without TLS: on this machine only."""

    grip: _Grip

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.grip.take(connected)
        return connected


class _Secure(HTTPSConnection):
    """A connection with TLS."""

    grip: _Grip

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.grip.take(connected)
        return connected


class _Exchange:
    """One question and what becomes of it."""

    def __init__(self, connection: _Plain | _Secure, target: str, body: bytes, headers: Mapping[str, str]) -> None:
        self._connection = connection
        self._connection.grip = self._grip = _Grip()
        self._target = target
        self._body = body
        self._headers = headers
        self._done = threading.Event()
        self._answer = b""
        self._reason = ""

    def wait(self, timeout_s: float) -> bytes:
        """The answer. Raises NoAnswer."""
        in_time = self._done.wait(timeout_s)
        self._grip.let_go()
        if not in_time:
            raise NoAnswer("no-answer")
        if self._reason:
            raise NoAnswer(self._reason)
        return self._answer

    def run(self) -> None:
        """Ask, and keep what came of it."""
        try:
            self._answer = self._ask()
        except NoAnswer as error:
            self._reason = error.reason
        except Exception as error:  # noqa: BLE001  what a thread raises is printed, and may hold parts of the answer
            self._reason = reason_of(error)
        finally:
            self._grip.let_go()
            self._connection.close()
            self._done.set()

    def _ask(self) -> bytes:
        self._connection.connect()
        self._connection.request(
            "POST", self._target, self._body, self._headers, preload_content=False, decode_content=False
        )
        response = self._connection.getresponse()
        reason = _STATUS.get(response.status // 100, "answer-not-understood")
        if reason:
            raise NoAnswer(reason)
        return _read(response)


_STATUS: Final[Mapping[int, str]] = {2: "", 3: "server-redirects", 4: "server-refused", 5: "server-error"}


def _read(response: HTTPResponse) -> bytes:
    """The whole answer: what was cut short raises."""
    answer = b""
    while part := response.read(MAX_ANSWER + 1 - len(answer), decode_content=False):
        answer += part
        if len(answer) > MAX_ANSWER:
            raise NoAnswer("answer-too-large")
    return answer


def reason_of(error: Exception) -> str:
    """The word for what went wrong between two machines."""
    causes = [error, error.__cause__, error.__context__, *error.args]
    for kinds, reason in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return "answer-not-understood"


_REASONS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((ssl.SSLCertVerificationError,), "server-certificate"),
    ((ssl.SSLZeroReturnError, ssl.SSLEOFError), "server-unreachable"),
    ((ssl.SSLError,), "server-insecure"),
    ((TimeoutError,), "no-answer"),
    ((OSError, LocationParseError), "server-unreachable"),
)
"""In order. What is none of these was said by a server that does not speak HTTP."""
