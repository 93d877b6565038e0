"""The gate's end of the road: the log's sender, the alarm topic and the retained state, over one MQTT link.

One thread runs the sender; everything else only puts something into its queue. An alarm goes out at once from whoever
raises it, past the backlog: the sender keeps few bytes in flight.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import msgspec

from gateway.core.moment import Moment
from gateway.hearing import Hearing
from gateway.journal import JournalError
from sync.contract.alarms import Alarm, AlarmAction, AlarmMessage, StateMessage
from sync.contract.topics import Channel, topic
from sync.log.earlier import Earlier, HasEarlier
from sync.log.sender import Acknowledged, Action, OpenNewLog, Refused, Send, Sender
from sync.log.view import Head, LogView

logger = logging.getLogger("menshen.sync")
HEARTBEAT_MS = 10_000  # the retained state is sent at least this often
SETTLE_MS = 100  # changes of state within this become one message
STATES = 2  # on their way to the broker, and no more: a narrow link shall carry nothing outdated before an alarm
DEVICES_MS = 60_000  # how devices are that have not changed stands in a state this often: they are most of it
REST_MS = 1_000  # after the journal could not be read
REFUSED_MS = 60_000  # what was refused is logged this often
MAX_WAITING = 256  # payloads are dropped while more than that waits for the thread, as the road may drop them
GOODBYE_S = 2.0
_encode = msgspec.json.encode
Work = Callable[[int], Sequence[Action | HasEarlier]]


class Log(LogView, Protocol):
    """What the uplink needs of the journal."""

    def acknowledge(self, seq: int, digest: bytes, /) -> None:
        """The office holds everything up to `seq`."""

    def earlier(self) -> Sequence[LogView]:
        """The logs before this one, to be offered (again)."""

    def office_has(self, log_id: str, /, *, whole: bool) -> None:
        """The office has this earlier log whole, or not."""


class Link(Protocol):
    """What the uplink needs of the MQTT link."""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, confirmed: Callable[[], None] | None = None
    ) -> bool:
        """False when it was not taken: not connected, or too much in flight. `confirmed`: called when the broker has it."""


class _Devices:
    """What this connection has told of the gate's devices."""

    def __init__(self) -> None:
        self._said: tuple[tuple[str, str], ...] | None = None  # the name and state of each
        self._said_ms = 0

    def left_out(self, state: StateMessage, now: int) -> StateMessage:
        """The state without them, where nothing has changed but what is counted."""
        known = self._said == self._short(state) and now - self._said_ms < DEVICES_MS
        return msgspec.structs.replace(state, devices=msgspec.UNSET) if known else state

    def told(self, state: StateMessage, now: int) -> None:
        """This was sent."""
        if state.devices is not msgspec.UNSET:
            self._said, self._said_ms = self._short(state), now

    @staticmethod
    def _short(state: StateMessage) -> tuple[tuple[str, str], ...]:
        return tuple((each.name, each.state) for each in state.devices or ())


class Uplink:
    """Runs the sender against the link. `status(connection)` makes the state message as of now.

    `will`, `connected`, `disconnected` and `received` are for the link's thread. `hearing`: follows whether the office answers."""

    def __init__(
        self,
        gate: str,
        log: Log,
        *,
        status: Callable[[int], StateMessage],
        now_ms: Callable[[], int],
        replace_log: Callable[[str, Head | None], None],
        boot: bytes,
        hearing: Hearing | None = None,
    ) -> None:
        self._log = log
        self._sender = Sender(log)
        self._earlier = Earlier(log.earlier)
        self._status = status
        self._now_ms = now_ms
        self._replace_log = replace_log
        self._boot = boot.hex()
        self._hearing = hearing
        self._topics = {channel: topic(gate, channel) for channel in Channel}
        self._link: Link | None = None
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._attempt = 0  # the number in the last will that was made
        self._connection = 0  # of the connection that stands; 0 while none does
        self._state_due: int | None = None
        self._states = 0  # on their way by this connection
        self._devices = _Devices()
        self._rest_until = 0
        self._trouble = ""  # what the log was last told of the journal
        self._refused, self._refused_told = 0, -REFUSED_MS

    # what others call, from any thread

    def start(self, link: Link) -> None:
        """Begin with this link, which may connect later."""
        self._link = link
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye in the retained state, and end the thread. Before the link is stopped: that brings it there."""
        self._work.put(None)
        self._thread.join(GOODBYE_S)

    @property
    def down_topic(self) -> str:
        """The topic that `received` is for."""
        return self._topics[Channel.DOWN]

    def will(self) -> tuple[str, bytes, bool]:
        """Topic, payload and retain flag of the last will of the next connection: this gate went silent.

        It bears that connection's number, so that a will that comes late cannot outrank a later connection's state. Numbered by the
        boot's clock, which rises whatever becomes of the journal."""
        self._attempt = max(self._attempt + 1, self._now_ms())
        message = StateMessage(online=False, boot=self._boot, connection=self._attempt)
        return self._topics[Channel.STATE], _encode(message), True

    def connected(self) -> None:
        """The link is up."""
        number = self._attempt
        self._work.put(lambda now: self._on_connected(number, now))

    def disconnected(self) -> None:
        """The link is down."""
        self._work.put(lambda _now: self._on_disconnected())

    def received(self, _topic: str, payload: bytes) -> None:
        """A payload came down."""
        if self._work.qsize() < MAX_WAITING:
            self._work.put(lambda now: self._on_received(payload, now))

    def appended(self) -> None:
        """The journal has committed."""
        self._work.put(self._sender.appended)

    def state_changed(self) -> None:
        """The retained state is to be sent again."""
        self._work.put(self._on_state_changed)

    def alarm(self, action: AlarmAction, alarm: Alarm, now: Moment) -> None:
        """Send what happened to an alarm, now. Unsent ones stand in the retained state of the next connection."""
        message = AlarmMessage(action=action, alarm=alarm, at_ms=now.at_ms, boot=self._boot, mono_ms=now.mono_ms)
        if self._link is not None and not self._link.publish(self._topics[Channel.ALARM], _encode(message)):
            logger.debug("alarm %s not sent now; the state will tell it", alarm.id)

    # the thread

    def _run(self) -> None:
        while (work := self._next()) is not None:
            self._step(work)
            self._step(self._send_state_when_due)  # first: its alarms wait for no records
            self._step(self._poll_when_due)
            self._bring_earlier()
        self._step(self._say_goodbye)

    def _step(self, work: Work) -> None:
        """Do one thing. Whatever fails, the thread goes on: what was not done is done after a rest."""
        now = self._now_ms()
        try:
            self._carry_out(work(now))
        except JournalError as error:
            self._rest_until = now + REST_MS
            if str(error) != self._trouble:
                logger.error("nothing is sent to the office for now: %s", error)
            self._trouble = str(error)
        except Exception:
            self._rest_until = now + REST_MS
            logger.exception("uplink: a step failed; going on")

    def _next(self) -> Work | None:
        """What comes next: what somebody put, or nothing in particular once something is due."""
        deadlines = (self._poll_due(), self._earlier_due(), self._state_due if self._states < STATES else None)
        due = [deadline for deadline in deadlines if deadline is not None]
        timeout = max(0, min(due) - self._now_ms()) / 1000 if due else None
        try:
            return self._work.get(timeout=timeout)
        except queue.Empty:
            return lambda _now: ()

    def _poll_due(self) -> int | None:
        deadline = self._sender.deadline()
        return None if deadline is None else max(deadline, self._rest_until)

    def _poll_when_due(self, now: int) -> Sequence[Action]:
        due = self._poll_due()
        if due is None or now < due:
            return ()
        actions = self._sender.poll(now)
        self._trouble = ""
        return actions

    def _earlier_due(self) -> int | None:
        """Earlier logs wait until the present one has nothing to say."""
        return self._earlier.deadline(self._now_ms()) if self._sender.rests else None

    def _bring_earlier(self) -> None:
        """One message of an earlier log, if it is time. A file that cannot be read holds up nothing else."""
        if self._sender.asks:
            self._earlier.offer()
        now, due = self._now_ms(), self._earlier_due()
        if due is None or now < due:
            return
        try:
            self._carry_out(self._earlier.poll(now))
        except JournalError as error:
            self._earlier_fails(error)

    def _earlier_fails(self, error: JournalError) -> None:
        logger.warning("an earlier log cannot be offered to the office for now: %s", error)
        self._earlier.skip()

    def _on_connected(self, number: int, now: int) -> Sequence[Action]:
        self._connection = number
        self._state_due = now
        self._states = 0
        self._devices = _Devices()
        return self._sender.connected(now)

    def _on_disconnected(self) -> Sequence[Action]:
        self._connection = 0
        self._state_due = None
        self._sender.disconnected()
        self._earlier.disconnected()
        return ()

    def _on_received(self, payload: bytes, now: int) -> Sequence[Action | HasEarlier]:
        actions: Sequence[Action | HasEarlier] = self._sender.received(payload, now) or self._of_earlier(payload, now)
        if self._hearing is not None and not any(isinstance(action, Refused) for action in actions):
            self._hearing.heard()
        return actions

    def _of_earlier(self, payload: bytes, now: int) -> Sequence[Action | HasEarlier]:
        try:
            return self._earlier.received(payload, now)
        except JournalError as error:
            self._earlier_fails(error)
            return ()

    def _on_state_changed(self, now: int) -> Sequence[Action]:
        if self._connection:
            self._state_due = min(now + SETTLE_MS, self._state_due or now + SETTLE_MS)
        return ()

    def _send_state_when_due(self, now: int) -> Sequence[Action]:
        if self._state_due is not None and now >= self._state_due and self._states < STATES:
            self._state_due = now + HEARTBEAT_MS
            self._publish_state(now, online=True)
        return ()

    def _say_goodbye(self, now: int) -> Sequence[Action]:
        self._publish_state(now, online=False)
        return ()

    def _publish_state(self, now: int, *, online: bool) -> None:
        if self._link is None or not (connection := self._connection):
            return
        state = msgspec.structs.replace(self._status(connection), online=online)
        said = self._devices.left_out(state, now)
        confirmed = partial(self._work.put, partial(self._on_state_confirmed, connection))
        if self._link.publish(self._topics[Channel.STATE], _encode(said), retain=True, confirmed=confirmed):
            self._states += 1
            self._devices.told(said, now)

    def _on_state_confirmed(self, connection: int, _now: int) -> Sequence[Action]:
        if connection == self._connection:
            self._states -= 1
        return ()

    def _carry_out(self, actions: Sequence[Action | HasEarlier]) -> None:
        for action in actions:
            match action:
                case Send(payload):
                    if self._link is not None:
                        self._link.publish(self._topics[Channel.UP], payload)
                    if self._hearing is not None:
                        self._hearing.expect()
                case Acknowledged(seq, digest):
                    self._log.acknowledge(seq, digest)
                case HasEarlier(log_id, whole):
                    self._log.office_has(log_id, whole=whole)
                case OpenNewLog(reason, detail, held):
                    logger.error("the log cannot go on: %s; opening a new one (%s)", detail, reason)
                    self._replace_log(reason, held)
                    self._carry_out(self._sender.log_replaced(self._log, self._now_ms()))
                case Refused(reason):
                    self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        self._refused += 1
        if (now := self._now_ms()) >= self._refused_told + REFUSED_MS:
            logger.warning("%d message(s) from the office refused; the last: %s", self._refused, reason)
            self._refused, self._refused_told = 0, now
