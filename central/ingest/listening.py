"""Which of the gates' topics an ingest process listens to: all of them, or those of the gates that it has leases for."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from django.db import DatabaseError, InterfaceError, connection

from central.home import prepare_office_dir
from central.ingest.leases import Held, Leases
from sync.contract.topics import PREFIX, Channel, parse_topic, topic
from sync.mqtt import Handler

_LOGGER = logging.getLogger("menshen.ingest")
CHANNELS: Final = (Channel.ALARM, Channel.STATE, Channel.UP)
# A gate's state is retained and said anew every 10 s: it is enough to find a gate by, and the bulk of its records goes
# past whoever looks for new ones.
_FINDING: Final = f"{PREFIX}/+/{Channel.STATE}"


class Link(Protocol):
    """What is needed of `sync.mqtt.MqttLink`."""

    def subscribe_all(self, topic_filters: Sequence[str], handler: Handler) -> None:
        """Hand what comes on them to `handler`."""

    def unsubscribe_all(self, topic_filters: Sequence[str]) -> None:
        """No longer."""


class Listening(Protocol):
    """How a process comes to its gates. `turn` is called every `every_s` seconds, `end` once."""

    client_id: str
    every_s: float

    def turn(self, link: Link, offer: Handler) -> None:
        """See to it that what is ours is handed to `offer`."""

    def end(self) -> None:
        """Leave it to others."""


class AlreadyRunning(OSError):
    """Another ingest process has this office's SQLite database."""


class Everything:
    """All gates: the one process of an office on SQLite. Raises AlreadyRunning, and OSError for a folder that cannot be
    written."""

    client_id = "menshen-office"
    every_s = 1.0

    def __init__(self) -> None:
        path = prepare_office_dir() / "ingest.lock"
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._listens = False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel takes it back, however the process ends
        except BlockingIOError:
            os.close(self._lock)
            raise AlreadyRunning(
                f"another `menshen office ingest` is at work in {path.parent}. SQLite takes one; for several, "
                "MENSHEN_OFFICE_DATABASE names a PostgreSQL server (docs/office-database.md)"
            ) from None

    def turn(self, link: Link, offer: Handler) -> None:
        """Once is enough."""
        if not self._listens:
            link.subscribe_all([f"{PREFIX}/+/{channel}" for channel in CHANNELS], offer)
            self._listens = True

    def end(self) -> None:
        """Let another one begin."""
        os.close(self._lock)


class Leased:
    """The gates that this process has leases for: one of several on PostgreSQL. `now_s` is monotonic."""

    def __init__(self, lent_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._leases = Leases(lent_s)
        self._lent_s, self._now_s = lent_s, now_s
        self.client_id = f"menshen-office-{self._leases.name}"
        self.every_s = lent_s / 4
        self._held = Held()
        self._renewed_s = now_s()
        self._trouble = ""  # what the log was last told

    def turn(self, link: Link, offer: Handler) -> None:
        """Renew, and follow what is held. Without the database, go on with what is held until it is no longer ours."""
        asked_s = self._now_s()
        try:
            held = self._leases.turn()
        except (DatabaseError, InterfaceError) as error:
            self._fail(error)
            if asked_s - self._renewed_s > self._lent_s:
                self._follow(Held(), link, offer)
            return
        if self._trouble:
            _LOGGER.warning("the leases are renewed again")
        self._renewed_s, self._trouble = asked_s, ""
        self._follow(held, link, offer)

    def end(self) -> None:
        """Give the leases back: others take them at their next turn, and need not wait for their end."""
        try:
            self._leases.release()
        except (DatabaseError, InterfaceError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if str(error) != self._trouble:
            _LOGGER.error("the leases cannot be renewed: %s", error)
            self._trouble = str(error)
        connection.close()

    def _follow(self, held: Held, link: Link, offer: Handler) -> None:
        before, self._held = self._held, held
        if before.gates != held.gates or before.discovers != held.discovers:
            also = ", and looks for new ones" if held.discovers else ""
            _LOGGER.info("process %s takes the messages of %d gate(s)%s", self._leases.name, len(held.gates), also)
        link.unsubscribe_all(_topics(before.gates - held.gates))
        link.subscribe_all(_topics(held.gates - before.gates), offer)
        if held.discovers and not before.discovers:
            link.subscribe_all([_FINDING], self._finds(offer))
        elif before.discovers and not held.discovers:
            link.unsubscribe_all([_FINDING])

    def _finds(self, offer: Handler) -> Handler:
        """Offer what comes from gates that nobody knows; all others are somebody's."""

        def find(topic_name: str, payload: bytes) -> None:
            address = parse_topic(topic_name)
            if address is not None and address.gate not in self._held.known:
                offer(topic_name, payload)

        return find


def _topics(gates: Iterable[str]) -> list[str]:
    return [topic(gate, channel) for gate in sorted(gates) for channel in CHANNELS]


def listening(lent_s: float) -> Listening:
    """The way that goes with the database. Raises AlreadyRunning, OSError."""
    return Leased(lent_s) if connection.vendor == "postgresql" else Everything()
