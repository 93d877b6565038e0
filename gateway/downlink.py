"""The gate's end of the directory's way down: a follower, what it keeps, and the trust list that may come with it.

One thread runs it; everything else only puts something into its queue. It is another one than the uplink's: a snapshot of
100,000 people takes seconds to be taken, and records and alarms wait for nobody. Orders that come ahead of the directory have a
queue of their own, which is looked into before each other thing, and while rows are being put in.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.core.moment import Moment
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad, carried_list
from gateway.errors import DirectoryError, TrustError
from gateway.hearing import Hearing
from gateway.orders_ahead import OrdersAhead
from gateway.trust import import_trust
from sync.contract.sealed import unseal
from sync.contract.topics import Channel, topic
from sync.errors import MessageError
from sync.log.follower import Action, Follower, Held, Refused, Send
from sync.log.parts import MAX_ROOM, Verify

logger = logging.getLogger("menshen.directory")
WHAT: Final = "directory-part"  # as what the office signs a title
REST_MS: Final = 1_000  # after the directory could not be read or written
REFUSED_MS: Final = 60_000  # what was refused is logged this often
MAX_WAITING: Final = 4 * MAX_ROOM  # payloads are dropped while more than that waits for the thread
MAX_ORDERS: Final = 8  # of orders; the office sends them again
STOP_S: Final = 2.0
Work = Callable[[int], Sequence[Action]]


class Link(Protocol):
    """What this needs of the MQTT link."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """False when it was not taken."""


def believing(keys: Sequence[Ed25519PublicKey]) -> Verify:
    """Believes titles that one of `keys` has signed."""
    return lambda sealed: unseal(sealed, WHAT, keys)


class Downlink:
    """Follows the office's directory. `connected`, `disconnected` and `received` are for the link's thread.

    `refused` hears, in words, of what was forged or damaged: at most once a minute; `taken`, that another state decides. Without
    `keys` nothing is asked for: nothing could be believed."""

    def __init__(
        self,
        gate: str,
        road: DirectoryRoad,
        directory: Directory,
        *,
        site: str,
        keys: Sequence[Ed25519PublicKey],
        ahead: OrdersAhead,
        now: Callable[[], Moment],
        refused: Callable[[str], None] = lambda _reason: None,
        taken: Callable[[], None] = lambda: None,
        hearing: Hearing | None = None,
    ) -> None:
        self._up = topic(gate, Channel.UP)
        self._road = road
        self._directory = directory
        self._keys = keys
        self._ahead = ahead
        self._now = now
        self._tell_refused = refused
        self._tell_taken = taken
        self._hearing = hearing
        self.held = Held()  # what decides, as it was last looked at
        self._follower = Follower(site, road, believing(keys))
        self._link: Link | None = None
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        road.meanwhile = self._take_orders
        self._thread = threading.Thread(target=self._run, name="downlink", daemon=True)
        self._rest_until = 0
        self._trouble = ""  # what the log was last told of the directory
        self._trust_for: bytes | None = None  # the digest of the directory whose trust list was looked at
        self._refused, self._refused_told = 0, -REFUSED_MS

    # what others call, from any thread

    def start(self, link: Link) -> None:
        """Begin with this link, which may connect later."""
        self._link = link
        self._work.put(lambda _now: ())
        self._thread.start()

    def stop(self) -> None:
        """End the thread: what is being taken is whole, or not there, whenever that is."""
        self._work.put(None)
        self._thread.join(STOP_S)

    def connected(self) -> None:
        """The link is up."""
        if self._keys:
            self._work.put(self._follower.connected)

    def disconnected(self) -> None:
        """The link is down."""
        self._work.put(lambda _now: self._on_disconnected())

    def received(self, _topic: str, payload: bytes) -> None:
        """A part came down."""
        if self._work.qsize() < MAX_WAITING:
            self._work.put(lambda now: self._on_received(payload, now))

    def orders_received(self, _topic: str, payload: bytes) -> None:
        """Orders came down, ahead of the directory."""
        if self._keys and self._orders.qsize() < MAX_ORDERS:
            self._orders.put(payload)
            self._work.put(lambda _now: ())

    # the thread

    def _run(self) -> None:
        while (work := self._next()) is not None:
            self._take_orders()
            self._step(work)
            self._step(self._poll_when_due)

    def _step(self, work: Work) -> None:
        """Do one thing. Whatever fails, the thread goes on: what was not done is asked for again."""
        moment = self._now()
        try:
            left = self._road.carry_out(
                work(moment.mono_ms), self._follower, now=moment.mono_ms, received_s=moment.at_ms // 1000
            )
            self._look(moment)
        except DirectoryError as error:
            self._rest_until = moment.mono_ms + REST_MS
            if str(error) != self._trouble:
                logger.error("no directory is taken for now: %s", error)
            self._trouble = str(error)
        except Exception:
            self._rest_until = moment.mono_ms + REST_MS
            logger.exception("downlink: a step failed; going on")
        else:
            self._hand_on(left, moment.mono_ms)

    def _take_orders(self) -> None:
        """Those that have come. Whatever fails, the thread goes on: the office sends them again."""
        while not self._orders.empty():
            try:
                if self._ahead.take(self._orders.get_nowait()):
                    self._tell_taken()
                if self._hearing is not None:
                    self._hearing.heard()
            except MessageError as error:
                self._refuse(str(error), self._now().mono_ms)
            except DirectoryError as error:
                logger.error("no orders are taken for now: %s", error)
            except Exception:
                logger.exception("downlink: orders failed; going on")

    def _next(self) -> Work | None:
        """What comes next: what somebody put, or nothing in particular once something is due."""
        due = self._due()
        timeout = None if due is None else max(0, due - self._now().mono_ms) / 1000
        try:
            return self._work.get(timeout=timeout)
        except queue.Empty:
            return lambda _now: ()

    def _due(self) -> int | None:
        deadline = self._follower.deadline()
        return None if deadline is None else max(deadline, self._rest_until)

    def _poll_when_due(self, now: int) -> Sequence[Action]:
        due = self._due()
        if due is None or now < due:
            return ()
        actions = self._follower.poll(now)
        self._trouble = ""
        return actions

    def _on_disconnected(self) -> Sequence[Action]:
        self._follower.disconnected()
        return ()

    def _on_received(self, payload: bytes, now: int) -> Sequence[Action]:
        actions = self._follower.received(payload, now)
        if self._hearing is not None and not any(isinstance(action, Refused) for action in actions):
            self._hearing.heard()
        return actions

    def _hand_on(self, actions: Sequence[Action], now: int) -> None:
        for action in actions:
            match action:
                case Send(payload):
                    if self._link is not None:
                        self._link.publish(self._up, payload)
                    if self._hearing is not None:
                        self._hearing.expect()
                case Refused(reason):
                    self._refuse(reason, now)

    def _refuse(self, reason: str, now: int) -> None:
        self._refused += 1
        if now >= self._refused_told + REFUSED_MS:
            logger.warning("%d part(s) of the directory refused; the last: %s", self._refused, reason)
            self._tell_refused(reason)
            self._refused, self._refused_told = 0, now

    def _look(self, moment: Moment) -> None:
        """What decides now, and whom that concerns."""
        before, self.held = self.held, self._road.held()
        self._carry_trust(moment)
        if self.held.seen != before.seen:
            self._tell_taken()

    def _carry_trust(self, moment: Moment) -> None:
        """Import the trust list that came with the directory, once for each state: it has rules and a seal of its own."""
        digest = self.held.seen.digest
        if digest == self._trust_for:
            return
        sealed = carried_list(self._directory)
        try:
            if sealed and import_trust(self._directory, sealed, self._keys, moment.at_ms // 1000) is not None:
                logger.info("a trust list came with the directory")
        except TrustError as error:
            self._refuse(f"the trust list that came with the directory {error}", moment.mono_ms)
        self._trust_for = digest
