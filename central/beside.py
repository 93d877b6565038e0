"""Work that is done again and again beside ingest, in a thread of its own: an alarm must not wait for it."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, connection
from django.utils.timezone import now as office_now

_LOGGER = logging.getLogger("menshen.beside")
RETRY_S: Final = 5.0  # after the database could not be used


class Beside:
    """Does `work` every `every_s` seconds from `start` to `stop`. Whatever fails is told, and tried again the next time."""

    def __init__(self, name: str, work: Callable[[datetime], object], every_s: float) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._trouble = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._turn()):
                pass
        finally:
            connection.close()

    def _turn(self) -> float:
        """Do it once; how long to wait then, in seconds."""
        try:
            self._work(office_now())
        except (OperationalError, InterfaceError) as error:
            if str(error) != self._trouble:
                _LOGGER.error("%s: the database cannot be used: %s", self._name, error)
            self._trouble = str(error)
            connection.close()
            return max(self._every_s, RETRY_S)
        except Exception:
            _LOGGER.exception("%s failed; going on", self._name)
        else:
            if self._trouble:
                _LOGGER.warning("%s: the database can be used again", self._name)
            self._trouble = ""
        return self._every_s
