"""The notification socket, against a real one."""

import socket
from pathlib import Path

import pytest

from sync.notify import Notifier


@pytest.fixture
def listener(tmp_path: Path) -> socket.socket:
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(tmp_path / "notify"))
    ear.settimeout(5)
    return ear


def test_tells_systemd(listener: socket.socket) -> None:
    notifier = Notifier(listener.getsockname())
    notifier.ready()
    notifier.alive()
    notifier.stopping()
    assert [listener.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_an_abstract_address() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("")  # the kernel picks an abstract name
        ear.settimeout(5)
        Notifier("@" + ear.getsockname()[1:].decode()).ready()
        assert ear.recv(64) == b"READY=1"


def test_takes_the_address_from_the_environment(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", listener.getsockname())
    Notifier().ready()
    assert listener.recv(64) == b"READY=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier()
    assert notifier.ready() is None
    assert notifier._socket is None


def test_a_systemd_that_does_not_listen_ends_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    notifier.alive()
    notifier.alive()
    assert [record.message for record in caplog.records] == [
        "systemd cannot be told: [Errno 2] No such file or directory"
    ]


def test_a_full_socket_blocks_nobody(listener: socket.socket) -> None:
    notifier = Notifier(listener.getsockname())
    for _ in range(10_000):
        notifier.alive()
    assert listener.recv(64) == b"WATCHDOG=1"
