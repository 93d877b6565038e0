"""The real server before hostile connections: it stays up, and the gate behind it does not notice."""

import http.client
import socket
import time
from contextlib import suppress

import pytest

from gateway.page.scanning import MOST_PICTURE
from gateway.page.security import csrf_of
from gateway.page.serving import FIRST_REQUEST_S, GONE_MS, MOST_OF_ONE, open_socket
from gateway.page.words import Words
from tests.gateway.page.asking import COOKIE
from tests.gateway.page.guarded import CALM, GuardedGate

pytestmark = pytest.mark.timeout(90)


def connect(gate: GuardedGate) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gate.port), 10)


def answer(gate: GuardedGate, sent: bytes) -> bytes:
    """All that comes back until the other end closes, or says nothing for a while."""
    with connect(gate) as opened:
        opened.settimeout(15)
        got = b""
        try:
            opened.sendall(sent)
            while chunk := opened.recv(65536):
                got += chunk
        except (ConnectionError, TimeoutError):
            pass
        return got


def serves(gate: GuardedGate) -> bool:
    asked = f"GET /login HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nConnection: close\r\n\r\n"
    return answer(gate, asked.encode()).startswith(b"HTTP/1.1 200")


def is_open(opened: socket.socket) -> bool:
    opened.settimeout(0.2)
    try:
        return opened.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
        b"\xff" * 5000,
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["tls", "bytes", "header", "hosts", "smuggling"],
)
def test_what_is_no_request_is_none(gate: GuardedGate, sent: bytes) -> None:
    if "gate" not in gate.inst.running:
        gate.play(*CALM)
    pid = gate.page_pid
    got = answer(gate, sent)
    assert got == b"" or got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 421", b"HTTP/1.1 415"))
    assert serves(gate)
    assert gate.page_pid == pid


def test_a_tablet_that_left_the_network_holds_its_places_for_no_quarter_of_an_hour() -> None:
    with open_socket("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == GONE_MS


def test_a_form_that_never_comes_is_not_waited_for(gate: GuardedGate) -> None:
    gate.play(*CALM)
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{gate.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    began = time.monotonic()
    got = answer(gate, head.encode() + b"Content-Length: 100\r\nConnection: close\r\n\r\nname=")
    assert got.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 15


def test_a_picture_that_is_too_large_gets_its_answer_although_it_is_still_being_sent(gate: GuardedGate) -> None:
    gate.play(*CALM)
    pid = gate.page_pid
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=20)
    headers = {"Cookie": f"menshen={COOKIE}", "X-CSRF": csrf_of(COOKIE), "Content-Type": "image/jpeg"}
    connection.request("POST", "/plate/picture", b"x" * (MOST_PICTURE + 1), {**headers, "Accept-Language": "en"})
    answered = connection.getresponse()
    assert (answered.status, answered.read().decode()) == (413, Words("en").said("picture-too-large"))
    connection.close()
    assert serves(gate) and gate.page_pid == pid


def test_one_address_holds_few_connections_and_none_for_nothing(gate: GuardedGate) -> None:
    gate.play(*CALM)
    visits = len(gate.records("visit"))
    held = [connect(gate) for _ in range(MOST_OF_ONE + 10)]
    try:
        gate.inst.wait_until("the surplus is closed", lambda: sum(map(is_open, held)) <= MOST_OF_ONE)
        began = time.monotonic()
        for each in held:
            each.settimeout(FIRST_REQUEST_S * 2)
            with suppress(ConnectionError):
                assert each.recv(1) == b""  # closed by the other end
        assert time.monotonic() - began < FIRST_REQUEST_S + 5
    finally:
        for each in held:
            each.close()
    assert serves(gate)
    gate.inst.wait_until("the gate goes on", lambda: len(gate.records("visit")) > visits)


def test_a_port_that_is_taken_is_a_device_lost_and_no_end_of_the_gate(gate: GuardedGate) -> None:
    gate.play(*CALM)
    gate.inst.stop("gate")
    with socket.create_server(("127.0.0.1", gate.port)):
        before = len(gate.records("device", device="page", state="lost"))
        visits = len(gate.records("visit"))
        gate.inst.start("gate")
        gate.inst.wait_until("lost", lambda: len(gate.records("device", device="page", state="lost")) > before)
        gate.inst.wait_until("the gate goes on", lambda: len(gate.records("visit")) > visits)
    assert "cannot serve at 127.0.0.1 port" in gate.inst.log("gate")
    up = len(gate.records("device", device="page", state="ok"))
    gate.inst.wait_until("it comes", lambda: len(gate.records("device", device="page", state="ok")) > up)
