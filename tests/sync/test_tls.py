"""The link over TLS: what it believes, and that nothing ever leaves in the clear, whatever it meets."""

import contextlib
import itertools
import logging
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sync import mqtt
from sync.mqtt import MqttLink
from sync.tls import TlsFileError, TlsFiles, client_context, in_the_clear, is_loopback
from tests.certificates import Authority, Pair
from tests.mosquitto import Mosquitto, running_mosquitto

WAIT_S = 15.0
USER, PASSWORD = "gate-of-secrets", "a-word-of-secrets"
SECRETS = (b"MQTT", USER.encode(), PASSWORD.encode())
CONNACK = b"\x20\x02\x00\x00" * 2  # enough for a record header of TLS, so that nobody waits for the rest
Behaviour = Callable[["Listener", socket.socket, "Heard"], None]


@dataclass
class Heard:
    """One connection: every byte that came, and what was in it once TLS was taken off."""

    raw: bytearray = field(default_factory=bytearray)
    inside: bytearray = field(default_factory=bytearray)


class Listener:
    """Takes connections one after the other, each with the next of these behaviours, and keeps all that is sent to it."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.connections: queue.Queue[Heard] = queue.Queue()
        self._behaviours = itertools.cycle(behaviours)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def next(self) -> Heard:
        """What came with the next connection, once it has ended."""
        return self.connections.get(timeout=WAIT_S)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(WAIT_S)

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            peer.settimeout(WAIT_S)
            heard = Heard()
            with peer, contextlib.suppress(OSError):  # the other end leaves as it likes
                next(self._behaviours)(self, peer, heard)
            self.connections.put(heard)

    def take(self, peer: socket.socket, heard: Heard) -> bytes:
        """What comes next; nothing at the end."""
        data = peer.recv(65536)
        heard.raw += data
        return data


def speaks_plaintext(listener: Listener, peer: socket.socket, heard: Heard) -> None:
    """A broker without TLS, which welcomes everybody at once."""
    peer.sendall(CONNACK)
    while listener.take(peer, heard):
        peer.sendall(CONNACK)


def answers_in_plaintext(listener: Listener, peer: socket.socket, heard: Heard) -> None:
    """The same, but polite: it speaks when it is spoken to."""
    while listener.take(peer, heard):
        peer.sendall(CONNACK)


def speaks_http(listener: Listener, peer: socket.socket, heard: Heard) -> None:
    listener.take(peer, heard)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port")
    peer.shutdown(socket.SHUT_WR)
    while listener.take(peer, heard):
        pass


def resets_at_once(listener: Listener, peer: socket.socket, heard: Heard) -> None:
    listener.take(peer, heard)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs_up(listener: Listener, peer: socket.socket, heard: Heard) -> None:
    listener.take(peer, heard)
    peer.shutdown(socket.SHUT_WR)
    while listener.take(peer, heard):
        pass


def wants_an_old_version(listener: Listener, peer: socket.socket, heard: Heard) -> None:
    """The alert protocol_version (RFC 8446, section 6.2), as from a broker that knows TLS 1.0 alone."""
    listener.take(peer, heard)
    peer.sendall(bytes.fromhex("15030100020246"))
    while listener.take(peer, heard):
        pass


def resets_in_the_middle(pair: Pair) -> Behaviour:
    """Half of its first answer, then no more."""

    def behave(listener: Listener, peer: socket.socket, heard: Heard) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = _server(pair).wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(listener.take(peer, heard))
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        answer = outgoing.read()
        assert len(answer) > 200
        peer.sendall(answer[: len(answer) // 2])
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def speaks_tls(pair: Pair) -> Behaviour:
    """A whole broker as far as TLS goes: what it is told is taken, and answered with a welcome."""

    def behave(listener: Listener, peer: socket.socket, heard: Heard) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = _server(pair).wrap_bio(incoming, outgoing, server_side=True)
        shaken = False
        while data := listener.take(peer, heard):
            incoming.write(data)
            with contextlib.suppress(ssl.SSLWantReadError):
                if not shaken:
                    tls.do_handshake()
                    shaken = True
                while got := tls.read(65536):
                    heard.inside += got
                    tls.write(CONNACK)
            peer.sendall(outgoing.read())

    return behave


def _server(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "PAUSE_S", (0.01, 0.05))
    monkeypatch.setattr(mqtt, "STOP_S", 1.0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def link() -> Iterator[Callable[..., MqttLink]]:
    made: list[MqttLink] = []

    def start(port: int, **options: object) -> MqttLink:
        started = MqttLink(
            "127.0.0.1",
            port,
            client_id=USER,
            username=USER,
            password=PASSWORD,
            **options,  # type: ignore[arg-type]  # handed on as they are
        )
        started.start()
        made.append(started)
        return started

    yield start
    for each in made:
        each.stop()


def behaviours(tmp_path: Path, authority: Authority) -> dict[str, Behaviour]:
    other = tmp_path / "other"
    other.mkdir()
    return {
        "plaintext": speaks_plaintext,
        "plaintext when asked": answers_in_plaintext,
        "HTTP": speaks_http,
        "another authority": speaks_tls(Authority(other).issue("broker")),
        "its own authority": speaks_tls(authority.issue("alone", alone=True)),
        "over": speaks_tls(authority.issue("over", over=True)),
        "another name": speaks_tls(authority.issue("named", host="mqtt.example")),
        "reset at once": resets_at_once,
        "hangs up": hangs_up,
        "reset in the middle": resets_in_the_middle(authority.issue("good")),
        "an old version": wants_an_old_version,
    }


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_nothing_leaves_in_the_clear_whatever_it_meets(
    tmp_path: Path, authority: Authority, link: Callable[..., MqttLink], protocol: str
) -> None:
    """Each of them three times, in turn, to one and the same link: no failure makes it think of anything but TLS."""
    meets = behaviours(tmp_path, authority)
    listener = Listener(*meets.values())
    up = threading.Event()
    started = link(listener.port, protocol=protocol, tls=TlsFiles(ca_file=authority.file), connected=up.set)
    for name in [*meets] * 3:
        heard = listener.next()
        assert heard.raw[:1] == b"\x16", name  # a handshake record of TLS
        assert not any(secret in heard.raw for secret in SECRETS), name
        assert not heard.inside, name  # nothing for whoever it was, under TLS either
    assert not up.is_set()
    assert not started.publish("menshen/1/g/up", b"x")
    listener.close()


def test_control_without_tls_the_same_ears_hear_it_all(link: Callable[..., MqttLink]) -> None:
    listener = Listener(hangs_up)
    link(listener.port)
    heard = listener.next()
    assert all(secret in heard.raw for secret in SECRETS)
    listener.close()


def test_control_the_right_broker_hears_it_under_tls_alone(authority: Authority, link: Callable[..., MqttLink]) -> None:
    listener = Listener(speaks_tls(authority.issue("good")))
    up = threading.Event()
    started = link(listener.port, tls=TlsFiles(ca_file=authority.file), connected=up.set)
    assert up.wait(WAIT_S)
    started.stop()
    heard = listener.next()
    assert all(secret in heard.inside for secret in SECRETS)
    assert not any(secret in heard.raw for secret in SECRETS)
    listener.close()


# with a real broker


@contextlib.contextmanager
def broker_with(folder: Path, pair: Pair, *more: str) -> Iterator[Mosquitto]:
    lines = ["allow_anonymous true", f"certfile {pair.certificate}", f"keyfile {pair.key}", *more]
    with running_mosquitto(folder, "".join(f"{line}\n" for line in lines)) as broker:
        yield broker


class Log(logging.Handler):
    """What the link tells."""

    def __init__(self) -> None:
        super().__init__()
        self._told: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._told.put(record.getMessage())

    def wait_for(self, text: str) -> str:
        while text not in (line := self._told.get(timeout=WAIT_S)):
            pass
        return line


@pytest.fixture
def log() -> Iterator[Log]:
    handler = Log()
    logging.getLogger("menshen.mqtt").addHandler(handler)
    yield handler
    logging.getLogger("menshen.mqtt").removeHandler(handler)


def test_until_time_is_trusted_dates_do_not_count(
    tmp_path: Path, authority: Authority, link: Callable[..., MqttLink], log: Log
) -> None:
    """A clock that was put right counts from the next connection on."""
    trusted = threading.Event()
    up: queue.Queue[bool] = queue.Queue()
    with broker_with(tmp_path, authority.issue("over", over=True)) as broker:
        link(
            broker.port,
            tls=TlsFiles(ca_file=authority.file),
            clock_trusted=trusted.is_set,
            connected=lambda: up.put(True),
            disconnected=lambda: up.put(False),
        )
        assert up.get(timeout=WAIT_S)
        trusted.set()
        broker.kill()
        assert up.get(timeout=WAIT_S) is False
        broker.start()
        assert "certificate has expired" in log.wait_for("CERTIFICATE_VERIFY_FAILED")
        trusted.clear()
        assert up.get(timeout=WAIT_S)


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_authority_and_name_count_all_the_same(
    tmp_path: Path, authority: Authority, link: Callable[..., MqttLink], log: Log, wrong: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    pair = Authority(other).issue("b") if wrong == "authority" else authority.issue("b", host="mqtt.example")
    up = threading.Event()
    with broker_with(tmp_path, pair) as broker:
        link(broker.port, tls=TlsFiles(ca_file=authority.file), clock_trusted=lambda: False, connected=up.set)
        log.wait_for("CERTIFICATE_VERIFY_FAILED")
        assert not up.is_set()


def test_files_that_are_renewed_or_spoilt_under_a_running_link(
    tmp_path: Path, authority: Authority, link: Callable[..., MqttLink], log: Log
) -> None:
    """Each connection reads them anew: a new certificate needs no restart, and a spoilt one is no connection."""
    other = tmp_path / "other"
    other.mkdir()
    stranger, good = Authority(other).issue("gate"), authority.issue("gate")
    shown = Pair(tmp_path / "shown.pem", tmp_path / "shown.key")
    shown.key.touch(0o600)
    take(shown, stranger)
    up: queue.Queue[bool] = queue.Queue()
    asks = (f"cafile {authority.file}", "require_certificate true")
    with broker_with(tmp_path, authority.issue("broker"), *asks) as broker:
        files = TlsFiles(ca_file=authority.file, certificate_file=shown.certificate, key_file=shown.key)
        link(broker.port, tls=files, connected=lambda: up.put(True), disconnected=lambda: up.put(False))
        log.wait_for("not reached")
        assert up.empty()
        take(shown, good)
        assert up.get(timeout=WAIT_S)
        shown.certificate.write_text("spoilt")
        broker.kill()
        assert up.get(timeout=WAIT_S) is False
        broker.start()
        log.wait_for("shown.pem and its key cannot be used together")
        assert up.empty()
        take(shown, good)
        assert up.get(timeout=WAIT_S)


def take(shown: Pair, pair: Pair) -> None:
    shown.certificate.write_bytes(pair.certificate.read_bytes())
    shown.key.write_bytes(pair.key.read_bytes())


def test_why_the_broker_refuses_a_certificate_is_told(
    tmp_path: Path, authority: Authority, link: Callable[..., MqttLink], log: Log
) -> None:
    """With TLS 1.3 the handshake is over by then, and paho keeps to itself what came."""
    asks = (f"cafile {authority.file}", "require_certificate true")
    over = authority.issue("over", over=True)
    with broker_with(tmp_path, authority.issue("broker"), *asks) as broker:
        link(broker.port, tls=TlsFiles(ca_file=authority.file))
        assert "not reached" in log.wait_for("alert certificate required")
        link(broker.port, tls=TlsFiles(ca_file=authority.file, certificate_file=over.certificate, key_file=over.key))
        assert "not reached" in log.wait_for("alert certificate expired")


# the files


def test_no_less_than_tls_1_2_and_everything_checked(authority: Authority) -> None:
    for check_dates in (True, False):
        context = client_context(TlsFiles(ca_file=authority.file), check_dates=check_dates)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED


def test_files_that_cannot_be_used_are_named(authority: Authority, tmp_path: Path) -> None:
    nonsense, missing = tmp_path / "nonsense.pem", tmp_path / "none"
    nonsense.write_text("nonsense")
    nonsense.chmod(0o600)
    good, other, locked = authority.issue("good"), authority.issue("other"), authority.issue("locked", password=b"p")
    for key, files, words in (
        ("ca_file", {"ca_file": missing}, "No such file"),
        ("ca_file", {"ca_file": nonsense}, "holds no certificates in PEM"),
        ("certificate_file", {"certificate_file": nonsense, "key_file": good.key}, "cannot be used together"),
        ("certificate_file", {"certificate_file": missing, "key_file": good.key}, "cannot be used together"),
        ("certificate_file", {"certificate_file": good.certificate, "key_file": other.key}, "cannot be used together"),
        ("certificate_file", {"certificate_file": locked.certificate, "key_file": locked.key}, "cannot be used"),
        ("key_file", {"certificate_file": good.certificate, "key_file": missing}, "No such file"),
        ("key_file", {"key_file": good.key}, "a key without a certificate"),
    ):
        with pytest.raises(TlsFileError) as caught:
            MqttLink("127.0.0.1", 1, client_id="g", tls=TlsFiles(**files))
        assert (caught.value.key, words in str(caught.value)) == (key, True), caught.value
        assert str(files[key]) in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "good"), [(0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o660, False)]
)
def test_a_key_that_others_can_read_is_refused(authority: Authority, mode: int, good: bool) -> None:
    pair = authority.issue("gate")
    pair.key.chmod(mode)
    with contextlib.nullcontext() if good else pytest.raises(TlsFileError, match=rf"{mode:04o}.*chmod 600"):
        client_context(TlsFiles(certificate_file=pair.certificate, key_file=pair.key))


@pytest.mark.parametrize(
    ("host", "stays"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example", False),
        ("192.0.2.7", False),
        ("mqtt.example", False),
        ("10.0.0.1", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_what_stays_on_this_machine(host: str, stays: bool) -> None:
    assert is_loopback(host) is stays
    assert bool(in_the_clear(host, 1883)) is not stays
    assert "8883 is the port" in in_the_clear(host, 8883)
