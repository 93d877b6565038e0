"""The pages over HTTP: gunicorn, one process of threads, so that the throttle of logins counts everybody in one place."""

import http.client
import logging
import os
import socket
import threading
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from gunicorn.app.base import BaseApplication

from sync.notify import Notifier

_LOGGER = logging.getLogger("menshen.office")


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Our application and settings as gunicorn wants them; it reads no configuration of its own."""

    def __init__(self, listener: socket.socket, probe: "_Probe", threads: int) -> None:
        self._listener = listener
        self._probe = probe
        self._threads = threads
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        options: dict[str, Any] = {
            "bind": [f"fd://{self._listener.fileno()}"],
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._threads,
            "accesslog": None,
            "loglevel": "warning",
            "graceful_timeout": 5,
            "control_socket_disable": True,
            "when_ready": lambda _: self._probe.start(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIHandler:
        """Called by gunicorn."""
        from central.wsgi import application

        return application


class _Probe:
    """Feeds systemd's watchdog while the login page answers; does nothing where no watchdog is set."""

    def __init__(self, host: str, port: int) -> None:
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  not bound here
        self._port = port
        self._every_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 3_000_000
        self._notifier = Notifier()

    def start(self) -> None:
        """Start feeding."""
        if self._every_s:
            threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every_s):
            if self._answers():
                self._notifier.alive()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._every_s)
        try:
            connection.request("GET", "/login/", headers={"Host": "localhost"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            _LOGGER.error("the login page does not answer: %s", error)
            return False
        finally:
            connection.close()
        if status != http.HTTPStatus.OK:
            _LOGGER.error("the login page answers %d", status)
        return status == http.HTTPStatus.OK


def serve(host: str, port: int, *, threads: int) -> None:
    """Serve until SIGTERM or SIGINT. Django must be set up. Raises OSError where it cannot listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=256)
    connections.close_all()  # none is shared with the process that gunicorn forks
    _Application(listener, _Probe(host, port), threads).run()
