"""The ingest process: the broker's messages into one bounded queue, a thread that reads them and one that writes them."""

import gc
import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils.timezone import now as office_now

from central.beside import Beside
from central.bookings import tidying as bookings
from central.capacity import publishing as capacity
from central.directory.service import DirectoryService
from central.duty import window as roster
from central.ingest import LENT_S
from central.ingest.backlog import Backlog
from central.ingest.listening import listening
from central.ingest.reading import Arrived, Incoming, read
from central.ingest.refusals import Refusals, Refused
from central.ingest.shelf import Shelf
from central.ingest.writer import Answer, Writer
from central.visitors import erasing as visitors
from sync.contract.topics import MAX_PACKET, Address, Channel, parse_topic, topic
from sync.log.messages import encode, tag_of
from sync.log.parts import MAX_HAVE
from sync.mqtt import MqttLink
from sync.notify import Notifier
from sync.tls import TlsFiles

_LOGGER = logging.getLogger("menshen.ingest")
QUEUE = 256  # messages; at most 64 MB
TOGETHER = 64  # messages that are read before any of them is handed on,
TOGETHER_BYTES = 256 * 1024  # unless they are large: an alarm waits for the reading before it
# Of bodies, about, in one transaction: what comes compressed may become large, and an alarm waits for that too.
READ_BYTES = 2 * 1024 * 1024
RETRY_S = 1.0  # after the database could not be written
_ORDER = {Channel.ALARM: 0, Channel.STATE: 1, Channel.UP: 2}  # alarms overtake at the office, too
# How full the queue may be for each to be let in: a flood of one leaves room for what is more urgent.
_ROOM = {Channel.ALARM: QUEUE, Channel.STATE: QUEUE - 32, Channel.UP: QUEUE - 96}
_AGAIN = {
    Channel.ALARM: "the next state lists it while it is open, and its record follows",
    Channel.STATE: "the next one says it anew",
    Channel.UP: "the gate sends them again",
}

Send = Callable[[str, bytes], object]  # whatever it returns: an answer that is lost is asked for again


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    rank: int
    number: int
    arrived: Arrived = field(compare=False)


class Ingest:
    """The queue, the reading and the writing thread. `service` is handed what gates ask for, and is somebody else's to start.
    `offer` is called by the link's thread, `send` by the writing one, and so is `alive`, at every turn."""

    def __init__(
        self,
        writer: Writer,
        refusals: Refusals,
        send: Send,
        alive: Callable[[], None] = lambda: None,
        service: DirectoryService | None = None,
    ) -> None:
        self._writer = writer
        self._refusals = refusals
        self._send = send
        self._alive = alive
        self._queue: queue.PriorityQueue[_Waiting] = queue.PriorityQueue(QUEUE)
        self._number = 0
        self._trouble = ""  # what the log was last told of the database
        self._backlog = Backlog(refusals)
        self._service = service
        self._shelf = Shelf(TOGETHER, READ_BYTES)
        self._stopping = threading.Event()
        self._threads = (
            threading.Thread(target=self._run_reading, name="ingest-reader"),
            threading.Thread(target=self._run, name="ingest-writer"),
        )

    def start(self) -> None:
        """Start reading and writing."""
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether both threads live."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Write what is in hand, leave what waits (no gate was told that it is kept), end."""
        self._stopping.set()
        self._shelf.close()
        for thread in self._threads:
            thread.join()

    def offer(self, topic_name: str, payload: bytes) -> None:
        """Take a message of the broker; what there is no room for is counted."""
        address = parse_topic(topic_name)
        if address is None or address.channel not in _ORDER:
            return
        if self._hand_over(address, payload):
            return
        now = office_now()
        if len(payload) > MAX_PACKET:
            self._refusals.refuse(address.gate, f"{len(payload)} bytes; at most {MAX_PACKET} are taken", now)
            return
        self._number += 1
        arrived = Arrived(address.gate, address.channel, payload, now)
        if self._queue.qsize() < _ROOM[address.channel]:  # only this thread puts anything in
            self._queue.put_nowait(_Waiting(_ORDER[address.channel], self._number, arrived))
            return
        told = f"more on `{address.channel}` than can be written; {_AGAIN[address.channel]}"
        self._refusals.refuse(address.gate, told, now)

    def _hand_over(self, address: Address, payload: bytes) -> bool:
        """To the directory's service, what is its business: small messages that say so. Where there is none, nobody answers them, and
        they are dropped without a word (docs/wire.md): every gate asks, and not by mistake."""
        if address.channel is not Channel.UP or len(payload) > MAX_HAVE:
            return False
        tag, service = tag_of(payload), self._service
        if tag not in ("have", "when"):
            return False
        if service is not None:
            (service.offer if tag == "have" else service.tell_time)(address.gate, payload)
        return True

    def _run_reading(self) -> None:
        while not self._stopping.is_set():
            some, size = [], 0
            for item in self._read(self._next(0.2)):
                some.append(item)
                size += item.size
                if size >= READ_BYTES:
                    self._shelf.put(some)
                    some, size = [], 0
            self._shelf.put(some)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._alive()
                incoming = self._shelf.take(0.02 if self._backlog.waits else 0.2)
                self._write(incoming)
                self._write_out(idle=not incoming)
        finally:
            connection.close()

    def _write_out(self, *, idle: bool) -> None:
        """Some of what was spooled, when nothing else is to be done, and now and then whatever is."""
        try:
            self._backlog.turn(time.monotonic(), idle=idle)
        except (OperationalError, InterfaceError) as error:
            self._rest(str(error))

    def _next(self, wait_s: float) -> list[Arrived]:
        try:
            taken = [self._queue.get(timeout=wait_s).arrived]
        except queue.Empty:
            return []
        size = len(taken[0].payload)
        while len(taken) < TOGETHER and size < TOGETHER_BYTES:
            try:
                taken.append(self._queue.get_nowait().arrived)
            except queue.Empty:
                break
            size += len(taken[-1].payload)
        return taken

    def _read(self, arrived: Sequence[Arrived]) -> Iterator[Incoming]:
        for item in arrived:
            try:
                incoming = read(item)
            except Refused as refused:
                self._refusals.refuse(item.gate, str(refused), item.at)
            except Exception as fault:  # noqa: BLE001  a fault of ours in reading one message must not stop the others
                self._refusals.fault(item.gate, "read", fault, item.at)
            else:
                yield incoming

    def _write(self, incoming: Sequence[Incoming]) -> None:
        if not incoming:
            return
        try:
            answers = self._writer.write(incoming)
        except (OperationalError, InterfaceError) as error:
            self._rest(str(error))
        except Exception as fault:  # noqa: BLE001  one message that cannot be written must not stop the others
            self._apart(incoming, fault)
        else:
            if self._trouble:
                _LOGGER.warning("the database is written again")
                self._trouble = ""
            self._backlog.grew()
            self._answer(answers)

    def _rest(self, trouble: str) -> None:
        """Nothing was acknowledged: the gates send it again, by then to a new connection to the database."""
        if trouble != self._trouble:
            _LOGGER.error("the database cannot be written, nothing is acknowledged: %s", trouble)
            self._trouble = trouble
        connection.close()
        self._stopping.wait(RETRY_S)

    def _apart(self, incoming: Sequence[Incoming], fault: Exception) -> None:
        if len(incoming) == 1:
            self._refusals.fault(incoming[0].gate, "written", fault, incoming[0].at)
            return
        for item in incoming:
            self._write([item])

    def _answer(self, answers: Sequence[Answer]) -> None:
        """Of several of a kind about one log the last says it all."""
        last = {(answer.gate, answer.message.log_id, type(answer.message)): answer for answer in answers}
        for answer in last.values():
            self._send(topic(answer.gate, Channel.DOWN), encode(answer.message))


def main(
    host: str,
    port: int,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: TlsFiles | None = None,
    notifier: Notifier | None = None,
    lent_s: float = LENT_S,
    signing_key: Ed25519PrivateKey | None = None,
) -> None:
    """Run until SIGTERM or SIGINT. Django must be set up. `lent_s`: how long a process that has died keeps its gates, where
    several share them; `signing_key`: the office's key that the gates pin, without which no directory and no time are sent.
    Raises AlreadyRunning, TlsFileError."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    notifier = notifier or Notifier()
    refusals = Refusals()
    writer = Writer(refusals, admit=settings.ADMIT_GATES == "auto")
    way = listening(lent_s)
    link = MqttLink(host, port, client_id=way.client_id, username=username, password=password, tls=tls)
    service = None if signing_key is None else _service(signing_key, refusals, link)
    ingest = Ingest(writer, refusals, link.publish, notifier.alive, service)
    beside = _beside()
    way.turn(link, ingest.offer)
    gc.collect()
    gc.freeze()  # what is loaded stays: else every full collection looks at all of it, and nothing else runs for 30 to 60 ms
    ingest.start()
    link.start()
    notifier.ready()
    _LOGGER.info("ingest: listening to %s:%d", host, port)
    while ingest.running and not stop.wait(way.every_s):
        way.turn(link, ingest.offer)
    notifier.stopping()
    if service is not None:
        service.stop()
    for each in beside:
        each.stop()
    link.stop()
    ingest.stop()
    way.end()
    if not stop.is_set():
        raise SystemExit(
            "the reading or the writing thread died: see above; whoever keeps this running starts it again"
        )


def _service(key: Ed25519PrivateKey, refusals: Refusals, link: MqttLink) -> DirectoryService:
    service = DirectoryService(key, link.publish, lambda gate, reason: refusals.refuse(gate, reason, office_now()))
    service.start()
    return service


def _beside() -> Sequence[Beside]:
    """What is done now and then, whatever gates say."""
    found = (
        Beside("capacity", capacity.publish, capacity.EVERY_S),
        Beside("bookings", bookings.tidy, bookings.EVERY_S),
        Beside("visitors", visitors.tidy, visitors.EVERY_S),
        Beside("roster", roster.refresh, roster.EVERY_S),
    )
    for each in found:
        each.start()
    return found
