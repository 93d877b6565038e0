"""What goes down to the gates by itself: their directory, and the time. Beside ingest, in a thread of its own.

Theory of operation. A gate's question for its directory is answered here and not by the thread that writes records: a
snapshot of 100,000 people takes seconds to be made, and an alarm must not wait for it. What the gate is ordered to do goes
before that, as a message of its own (`ahead`). Twice a second it is looked whether a directory has changed, whoever changed
it. A gate that has asked this process before is sent the change; one that has not (this process has just begun, or has taken
the gate over) and whose state says that it decides by an older directory is sent the newest state's title, whereupon it asks.

The time is told at once, by the thread that has heard the question: what it says is only right to within the question's way.
"""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import InterfaceError, OperationalError, connection
from django.utils.timezone import now as office_now

from central.directory.ahead import OrdersAhead
from central.directory.desk import AGAIN, Desk
from central.directory.trimming import trim
from central.registry.models import OFFLINE_AFTER, Gate
from sync.contract.office_time import decode_when, encode_told
from sync.contract.sealed import seal, unseal
from sync.contract.topics import Channel, topic
from sync.errors import MessageError
from sync.log.keyed import NOTHING, Mark

_LOGGER = logging.getLogger("menshen.directory")
WHAT: Final = "directory-part"  # as what a title is signed
NEWS_S: Final = 0.5
MAX_WAITING: Final = 1024  # questions; a gate asks again
TIMES_EACH_S: Final = 200  # answers with the time in one second, all gates together: each is a signature
TIMES_OF_ONE: Final = 4  # of these to one gate, which asks every few seconds at most
TRIM_S: Final = 3600.0
RETRY_S: Final = 1.0
Send = Callable[[str, bytes], object]
Refuse = Callable[[str, str], None]


class DirectoryService:
    """Answers gates. `offer` and `tell_time` are for the link's thread; everything else is its own thread's.

    `seal_with`: the office's key, which the gates pin."""

    def __init__(self, seal_with: Ed25519PrivateKey, send: Send, refuse: Refuse) -> None:
        self._key = seal_with
        self._send = send
        self._refuse = refuse
        keys = [seal_with.public_key()]
        self._desk = Desk(
            seal=lambda title: seal(title, WHAT, seal_with),
            verify=lambda sealed: unseal(sealed, WHAT, keys),
            ahead=OrdersAhead(seal_with),
            refuse=refuse,
        )
        self._questions: queue.Queue[tuple[str, bytes]] = queue.Queue(MAX_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="directory", daemon=True)
        self._poked: dict[str, tuple[Mark, datetime]] = {}
        self._trouble = ""
        self._told_times: Counter[str] = Counter()  # by gate, in this second
        self._told_since = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(5.0)

    def offer(self, gate: str, payload: bytes) -> None:
        """A gate says what it has."""
        try:
            self._questions.put_nowait((gate, payload))
        except queue.Full:
            self._refuse(gate, "more questions for the directory than can be answered; it asks again")

    def tell_time(self, gate: str, payload: bytes) -> None:
        """A gate asks for the time."""
        now_s = time.monotonic()
        if now_s - self._told_since >= 1.0:
            self._told_times.clear()
            self._told_since = now_s
        if self._told_times[gate] >= TIMES_OF_ONE:
            self._refuse(gate, f"more than {TIMES_OF_ONE} questions for the time in a second; it asks again")
            return
        if self._told_times.total() >= TIMES_EACH_S:
            self._refuse(
                gate, f"more than {TIMES_EACH_S} questions for the time in a second by all gates; it asks again"
            )
            return
        self._told_times[gate] += 1
        try:
            when = decode_when(payload)
        except MessageError as error:
            self._refuse(gate, str(error))
            return
        self._send(topic(gate, Channel.DOWN), encode_told(gate, when, time.time_ns() // 1_000_000, self._key))

    # the thread

    def _run(self) -> None:
        news_at, trim_at = 0.0, time.monotonic() + TRIM_S
        try:
            while not self._stopping.is_set():
                question = self._next(max(0.01, news_at - time.monotonic()))
                if question is not None:
                    self._try(lambda: self._answer(*question))  # noqa: B023  called at once
                if time.monotonic() >= news_at:
                    news_at = time.monotonic() + NEWS_S
                    self._try(self._news)
                if time.monotonic() >= trim_at:
                    trim_at = time.monotonic() + TRIM_S
                    self._try(lambda: trim(office_now()))
        finally:
            connection.close()

    def _next(self, wait_s: float) -> tuple[str, bytes] | None:
        try:
            return self._questions.get(timeout=wait_s)
        except queue.Empty:
            return None

    def _try(self, work: Callable[[], object]) -> None:
        """Whatever fails, the thread goes on: gates ask again."""
        try:
            work()
            if self._trouble:
                _LOGGER.warning("the directory can be read again")
            self._trouble = ""
        except (OperationalError, InterfaceError) as error:
            if str(error) != self._trouble:
                _LOGGER.error("the directory cannot be read, nothing of it is sent: %s", error)
            self._trouble = str(error)
            connection.close()
            self._stopping.wait(RETRY_S)
        except Exception:
            _LOGGER.exception("the directory's service failed; going on")

    def _answer(self, name: str, payload: bytes) -> None:
        gate = Gate.objects.filter(pk=name, admitted=True).exclude(site="").first()
        if gate is None:
            self._desk.forget(name)
            self._refuse(
                name, "asks for a directory, and is not admitted or belongs to no site: menshen office gate add"
            )
            return
        for part in self._desk.hear(name, gate.site, payload, office_now()):
            self._send(topic(name, Channel.DOWN), part)

    def _news(self) -> None:
        now = office_now()
        online = self._online(now)
        for name in self._desk.gates() - online.keys():
            self._desk.forget(name)
        for name, parts in self._desk.news(now):
            for part in parts:
                self._send(topic(name, Channel.DOWN), part)
        self._poke(online, now)

    @staticmethod
    def _online(now: datetime) -> Mapping[str, Gate]:
        heard = Gate.objects.filter(admitted=True, said_online=True, last_heard__gte=now - OFFLINE_AFTER)
        return {gate.pk: gate for gate in heard.exclude(site="")}

    def _poke(self, online: Mapping[str, Gate], now: datetime) -> None:
        """Those that were not heard by this process: what is newest here."""
        for name, gate in online.items():
            if name in self._desk.gates():
                continue
            newest = self._desk.newest(gate.site)
            if newest == NOTHING:
                continue
            # One that has as new a state is told once all the same: should this office have been put back, it may be another.
            differs = (gate.directory_epoch, gate.directory_version) != newest.order
            mark, at = self._poked.get(name, (None, now))
            if mark != newest or (differs and now - at >= AGAIN):
                self._send(topic(name, Channel.DOWN), self._desk.title(gate.site, newest, now))
                self._poked[name] = newest, now
        self._poked = {name: poked for name, poked in self._poked.items() if name in online}
