"""One question to a server that is right, slow, wrong, down, or lies about its certificate."""

import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gateway.config.settings import RequestFormat, ResolverConfig
from gateway.resolve.asking import MAX_ANSWER, QUESTIONS, Asker, NoAnswer, tls_context
from menshen.demo.processes import free_port
from sync.tls import TlsFileError
from tests.certificates import Authority
from tests.gateway.resolve.service import WAIT_S, Behaviour, Service, drips, says, serving, waits

SECRET = "s3cret-c0de"
SHORT_S = 0.4
GREEN = {"data": {"status": "green"}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def reason(config: ResolverConfig) -> str:
    """Why there is no answer."""
    with pytest.raises(NoAnswer) as caught:
        Asker(config).ask(SECRET.encode())
    assert SECRET not in repr(caught.value) and caught.value.__cause__ is None
    return caught.value.reason


def test_a_question_and_its_answer(authority: Authority) -> None:
    with serving(says(GREEN), authority.issue("good")) as service:
        config = service.config(ca_file=authority.file, token="t0ken")
        assert json.loads(Asker(config).ask(b'{"bizExtData": "x"}')) == GREEN
    (headers,) = service.headers
    assert service.bodies == [b'{"bizExtData": "x"}'] and service.paths == ["/api/verify?v=1"]
    assert headers["authorization"] == "Bearer t0ken" and headers["content-type"] == "application/json"
    assert "cookie" not in headers


def test_a_form(authority: Authority) -> None:
    with serving(says(GREEN)) as service:
        Asker(service.config(request_format=RequestFormat.FORM)).ask(b"bizExtData=x")
    assert service.headers[0]["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in service.headers[0]


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (says(GREEN, 500), "server-error"),
        (says(GREEN, 503), "server-error"),
        (says(GREEN, 401), "server-refused"),
        (says(GREEN, 404), "server-refused"),
        (says(b"x" * (MAX_ANSWER + 1)), "answer-too-large"),
        (lambda _service, request: request.wfile.write(b"hello\r\n\r\n"), "answer-not-understood"),
        (
            lambda _service, request: request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            "answer-not-understood",
        ),
        (lambda _service, _request: None, "server-unreachable"),
    ],
)
def test_answers_that_are_none(authority: Authority, behave: Behaviour, expected: str) -> None:
    with serving(behave, authority.issue("good")) as service:
        assert reason(service.config(ca_file=authority.file)) == expected


def test_an_answer_of_50_mb_is_read_no_further_than_it_may_be(authority: Authority) -> None:
    sent = 0

    def floods(_service: Service, request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        for _ in range(800):
            sent += request.wfile.write(b"x" * 65_536)

    with serving(floods, authority.issue("good")) as service:
        assert reason(service.config(ca_file=authority.file)) == "answer-too-large"
    assert sent < 50_000_000


def test_a_redirect_is_not_followed(authority: Authority) -> None:
    pair = authority.issue("good")
    with serving(says(GREEN), pair) as other, serving(waits, pair) as service:
        service.behave = says(b"", 307, Location=f"https://127.0.0.1:{other.port}/")
        assert reason(service.config(ca_file=authority.file)) == "server-redirects"
    assert other.bodies == []


@pytest.mark.parametrize(
    "behave",
    [
        waits,
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "),
        drips(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" "),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["silence", "continues", "headers", "one header", "body", "endless body", "chunks"],
)
def test_a_slow_server_has_no_more_than_its_time(authority: Authority, behave: Behaviour) -> None:
    """The server is still at it when the question ends, and then loses its connection."""
    with serving(behave, authority.issue("good")) as service:
        asker = Asker(service.config(ca_file=authority.file, timeout_s=SHORT_S))
        with pytest.raises(NoAnswer, match="no-answer"):
            asker.ask(b"")
        assert not service.over.is_set()
        _wait_for_the_end_of_questions()


def _wait_for_the_end_of_questions() -> None:
    for thread in threading.enumerate():
        if thread.name == "question":
            thread.join(WAIT_S)
            assert not thread.is_alive()


def test_an_answer_that_comes_too_late_is_none(authority: Authority) -> None:
    late = threading.Event()

    def is_late(service: Service, request: BaseHTTPRequestHandler) -> None:
        late.wait(WAIT_S)
        says(GREEN)(service, request)

    with serving(is_late, authority.issue("good")) as service:
        assert reason(service.config(ca_file=authority.file, timeout_s=SHORT_S)) == "no-answer"
        late.set()


@contextmanager
def listening(*, accepts: bool = False, sends: bytes = b"") -> Iterator[int]:
    """A port that is no server: whoever connects waits, or is told something that is no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if not accepts:
            yield int(server.getsockname()[1])
            return
        over = threading.Event()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(sends)
                over.wait(WAIT_S)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        over.set()
        thread.join(WAIT_S)


def config(port: int, **changes: object) -> ResolverConfig:
    settings = {
        "pattern": "JKM:{code}",
        "endpoint": f"https://127.0.0.1:{port}/",
        "request_field": "code",
        "answer_field": "status",
        "timeout_s": SHORT_S,
    }
    return ResolverConfig(**(settings | changes))  # type: ignore[arg-type]  # a test's shorthand


def test_a_handshake_that_never_comes_has_no_more_than_its_time() -> None:
    with listening() as port:
        assert reason(config(port)) == "no-answer"
        _wait_for_the_end_of_questions()


def test_a_handshake_that_drips_loses_its_connection() -> None:
    """A TLS record that announces 16 kB and brings a byte at a time, each in time for the socket."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
                while not over.wait(0.02):
                    connection.sendall(b"\x00")

        def until_it_is_cut() -> None:
            with pytest.raises(OSError):  # whichever way the connection ends
                drip()

        thread = threading.Thread(target=until_it_is_cut, daemon=True)
        thread.start()
        assert reason(config(int(server.getsockname()[1]))) == "no-answer"
        thread.join(WAIT_S)
        assert not thread.is_alive()
    _wait_for_the_end_of_questions()


def test_nobody_listens() -> None:
    assert reason(config(free_port(), timeout_s=5.0)) == "server-unreachable"


def test_a_name_that_nobody_knows() -> None:
    assert reason(config(1, endpoint="https://no-such-name.invalid/", timeout_s=10.0)) == "server-unreachable"


def test_a_name_whose_look_up_hangs_holds_nobody_up_and_then_nothing_is_sent(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()
    real = socket.getaddrinfo

    def hangs(*args: object, **more: object) -> object:
        found.wait(WAIT_S)
        return real(*args, **more)  # type: ignore[arg-type]  # handed on as they are

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    with serving(says(GREEN), authority.issue("good")) as service:
        asker = Asker(service.config(ca_file=authority.file, timeout_s=0.05))
        for _ in range(QUESTIONS):
            with pytest.raises(NoAnswer, match="no-answer"):
                asker.ask(b"")
        with pytest.raises(NoAnswer, match="too-many"):
            asker.ask(b"")
        found.set()
        _wait_for_the_end_of_questions()
        assert service.bodies == []
        assert json.loads(Asker(service.config(ca_file=authority.file)).ask(b"")) == GREEN


@pytest.mark.parametrize(
    ("issue", "expected"),
    [
        ({"host": "jkm.example"}, "server-certificate"),
        ({"host": "127.0.0.2"}, "server-certificate"),
        ({"over": True}, "server-certificate"),
        ({"alone": True}, "server-certificate"),
    ],
    ids=["another name", "another address", "over", "self-signed"],
)
def test_a_server_that_lies_about_its_certificate_is_asked_nothing(
    authority: Authority, issue: dict[str, str | bool], expected: str
) -> None:
    with serving(says(GREEN), authority.issue("bad", **issue)) as service:  # type: ignore[arg-type]  # a test's shorthand
        assert reason(service.config(ca_file=authority.file)) == expected
    assert service.bodies == []


def test_an_authority_that_the_system_does_not_know(authority: Authority) -> None:
    with serving(says(GREEN), authority.issue("good")) as service:
        assert reason(service.config()) == "server-certificate"


def test_a_server_without_tls_is_told_nothing() -> None:
    with listening(accepts=True, sends=b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert reason(config(port, timeout_s=5.0)) == "server-insecure"


def test_no_less_than_tls_1_2(authority: Authority) -> None:
    context = tls_context(config(1, ca_file=authority.file))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED


def test_a_gate_shows_its_certificate_where_it_is_asked_for(authority: Authority) -> None:
    gate = authority.issue("gate")
    with serving(says(GREEN), authority.issue("good"), clients=authority.file) as service:
        shows = service.config(ca_file=authority.file, certificate_file=gate.certificate, key_file=gate.key)
        assert json.loads(Asker(shows).ask(b"")) == GREEN
        assert reason(service.config(ca_file=authority.file)) in {"server-insecure", "server-unreachable"}


def test_files_that_are_no_certificates_are_named(authority: Authority, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    good, other, locked = authority.issue("good"), authority.issue("other"), authority.issue("locked", password=b"p")
    for key, changes in (
        ("ca_file", {"ca_file": nonsense}),
        ("certificate_file", {"certificate_file": nonsense}),
        ("certificate_file", {"certificate_file": good.certificate, "key_file": other.key}),
        ("certificate_file", {"certificate_file": locked.certificate, "key_file": locked.key}),
    ):
        with pytest.raises(TlsFileError) as caught:
            tls_context(config(1, **changes))
        assert caught.value.key == key and str(changes[key]) in str(caught.value)


def test_proxies_of_the_environment_are_not_used(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with serving(says(GREEN), authority.issue("good")) as service:
        assert Asker(service.config(ca_file=authority.file)).ask(b"")


def test_nothing_of_question_or_answer_is_logged(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def odd(_service: Service, request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nA: b\r\n" + SECRET.encode() + b" no header\r\n\r\n{}")

    with serving(odd, authority.issue("good")) as service:
        Asker(service.config(ca_file=authority.file)).ask(SECRET.encode())
        service.behave = says(SECRET.encode(), 500, X_Mark=SECRET)
        assert reason(service.config(ca_file=authority.file)) == "server-error"
    assert service.bodies == [SECRET.encode()] * 2
    assert SECRET not in caplog.text
