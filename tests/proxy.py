"""A TCP proxy for tests: it hands on, at once or later, falls silent (a half-open link), or cuts."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable

CHUNK = 65536


class Proxy:
    """Listens on `port` and hands on to a broker. Each connection falls silent or is cut with all others of its time.

    `delay_s`: how much later everything is handed on, from now on; `bytes_per_s`: how much each way at most, 0 for all there is."""

    host = "127.0.0.1"

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: list[_Pair] = []
        self.connections = 0
        self.delay_s = 0.0
        self.bytes_per_s = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """From now on, what is open stays open, takes everything and hands nothing on."""
        with self._lock:
            for pair in self._open:
                pair.silent.set()

    def cut(self) -> None:
        """Close what is open: both ends see it at once."""
        with self._lock:
            pairs, self._open = self._open, []
        for pair in pairs:
            pair.close()

    def close(self) -> None:
        """End everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _takes_s(self, size: int) -> float:
        """How long so many bytes are on their way."""
        return self.delay_s + (size / self.bytes_per_s if self.bytes_per_s else 0.0)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((self.host, self._target_port))
            except OSError:
                near.close()
                continue
            pair = _Pair(near, far, self._takes_s)
            with self._lock:
                self._open.append(pair)
                self.connections += 1
            pair.start()


class _Pair:
    def __init__(self, near: socket.socket, far: socket.socket, takes_s: Callable[[int], float]) -> None:
        self.silent = threading.Event()
        self._takes_s = takes_s
        self._sockets = (near, far)

    def start(self) -> None:
        near, far = self._sockets
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._hand_on, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _hand_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK):
                if takes_s := self._takes_s(len(data)):
                    select.select([], [], [], takes_s)
                if not self.silent.is_set():
                    sink.sendall(data)
        except OSError:
            pass
        if not self.silent.is_set():
            self.close()
