"""systemd's notification socket (sd_notify(3)), for the services at both ends of the road."""

import logging
import os
import socket

logger = logging.getLogger("menshen.notify")


class Notifier:
    """Tells systemd; without NOTIFY_SOCKET every call does nothing. Never blocks and never raises: whoever feeds a watchdog
    must not end by it."""

    def __init__(self, address: str | None = None) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if address else None
        self._trouble = ""  # what the log was last told

    def ready(self) -> None:
        """The service works."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """The thread that matters has just finished a turn."""
        self._send(b"WATCHDOG=1")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send(b"STOPPING=1")

    def _send(self, message: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(message, self._address)
        except OSError as error:
            if str(error) != self._trouble:
                logger.error("systemd cannot be told: %s", error)
            self._trouble = str(error)
        else:
            self._trouble = ""
