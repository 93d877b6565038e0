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
