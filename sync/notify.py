"""systemd's notification socket (sd_notify(3)): ready, stopping, and the watchdog's food."""

import os
import socket


class Notifier:
    """Tells systemd; without NOTIFY_SOCKET every call does nothing."""

    def __init__(self, address: str | None = None) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None

    def ready(self) -> None:
        """The gate works."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """The deciding thread has just finished a turn."""
        self._send(b"WATCHDOG=1")

    def stopping(self) -> None:
        """The gate is about to end."""
        self._send(b"STOPPING=1")

    def _send(self, message: bytes) -> None:
        if self._socket is not None:
            self._socket.sendto(message, self._address)
