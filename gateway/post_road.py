"""The gate's end of the road to the guard post: alarms and state on the site's own broker, heartbeats and acknowledgements back.

Theory of operation. The post works without the office, so this is another link than the office's, at another broker, and needs
nothing of journal or disk: connections are numbered by the boot's clock, which only rises. The state is the one that the office
has, sent with every change and every `BEAT_MS`. A heartbeat counts when a pinned key of the post has signed it for this gate and
boot, when what it says of this gate's clock is no older than `SILENT_MS`, and when no later one of that post was here before: so
none counts twice, and a process that starts again within the boot takes no old one either. A question of the post is no sign of it; the
state that answers goes out at once, so that the post knows a state that was made now from one that somebody repeats.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.core.moment import Moment
from gateway.hearing import Hearing
from gateway.uplink import GOODBYE_S, SETTLE_MS, Link
from sync.contract.alarms import Alarm, AlarmAction, AlarmMessage, Asked, StateMessage
from sync.contract.post import (
    AHEAD_MS,
    BEAT_MS,
    MAX_HEARTBEAT,
    SILENT_MS,
    Heartbeat,
    NoHeartbeat,
    Question,
    unseal_said,
)
from sync.contract.sealed import NotSealed, SealError
from sync.contract.topics import Channel, topic

logger = logging.getLogger("menshen.post")
MOST_POSTS: Final = 16  # whose last heartbeat and question are remembered
REFUSED_MS: Final = 60_000  # what was refused is logged this often
_encode = msgspec.json.encode
_Value = TypeVar("_Value")


class HeartbeatRefused(Exception):
    """No sign of the post now. `reason`: one machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Heartbeats:
    """Judges what comes on a gate's `post` topic. `keys`: the post's, pinned; `boot`: 32 hexadecimal digits."""

    def __init__(self, gate: str, boot: str, keys: Sequence[Ed25519PublicKey]) -> None:
        self._gate = gate
        self._boot = boot
        self._keys = keys
        self._last: dict[str, tuple[int, int]] = {}  # by post: clock and sequence of the last one that counted
        self._asked: dict[str, str] = {}  # by post: its last question

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The last question of each post, for the state."""
        return tuple(Asked(post=post, number=number) for post, number in list(self._asked.items()))

    def judge(self, payload: bytes, now_ms: int) -> Heartbeat | Question:
        """The heartbeat or question in `payload`. Raises HeartbeatRefused: `malformed`, `forged`, `other-gate`, `other-boot`,
        `late`, `replayed`."""
        said = self._unsealed(payload)
        if said.gate != self._gate:
            raise HeartbeatRefused("other-gate")
        if isinstance(said, Question):
            _remember(self._asked, said.post, said.number)
        else:
            self._count(said, now_ms)
        return said

    def _count(self, beat: Heartbeat, now_ms: int) -> None:
        if beat.boot != self._boot:
            raise HeartbeatRefused("other-boot")
        if not now_ms - SILENT_MS <= beat.mono_ms <= now_ms + AHEAD_MS:
            raise HeartbeatRefused("late")
        order = (beat.mono_ms, beat.sequence)
        if order <= self._last.get(beat.post, (-1, -1)):
            raise HeartbeatRefused("replayed")
        _remember(self._last, beat.post, order)

    def _unsealed(self, payload: bytes) -> Heartbeat | Question:
        if len(payload) > MAX_HEARTBEAT:
            raise HeartbeatRefused("malformed")
        try:
            return unseal_said(payload, self._keys)
        except (NotSealed, NoHeartbeat):
            raise HeartbeatRefused("malformed") from None
        except SealError:
            raise HeartbeatRefused("forged") from None


def _remember(kept: dict[str, _Value], post: str, value: _Value) -> None:
    """The last of each post; of too many posts, those that spoke last."""
    kept.pop(post, None)
    kept[post] = value
    while len(kept) > MOST_POSTS:
        del kept[next(iter(kept))]


class Tells(Protocol):
    """Who is told of alarms and of the state: the office's road, the post's, or both."""

    def alarm(self, action: AlarmAction, alarm: Alarm, now: Moment) -> None:
        """What happened to an alarm, now."""

    def state_changed(self) -> None:
        """The retained state is another one."""


class TellAll:
    """Implements Tells, for several."""

    def __init__(self, *told: Tells) -> None:
        self._told = told

    def alarm(self, action: AlarmAction, alarm: Alarm, now: Moment) -> None:
        """See Tells."""
        for each in self._told:
            each.alarm(action, alarm, now)

    def state_changed(self) -> None:
        """See Tells."""
        for each in self._told:
            each.state_changed()


class PostRoad:
    """Implements Tells, towards the post. `status(connection)` makes the state message as of now. One thread sends the state;
    `will`, `connected`, `disconnected` and `received` are for the link's."""

    def __init__(
        self,
        gate: str,
        *,
        status: Callable[[int], StateMessage],
        now_ms: Callable[[], int],
        boot: bytes,
        heartbeats: Heartbeats,
        hearing: Hearing,
    ) -> None:
        self._alarm_topic, self._state_topic = topic(gate, Channel.ALARM), topic(gate, Channel.STATE)
        self._status = status
        self._now_ms = now_ms
        self._boot = boot.hex()
        self._heartbeats = heartbeats
        self._hearing = hearing
        self._link: Link | None = None
        self._attempt = self._connection = 0
        self._work: queue.SimpleQueue[Callable[[int], None] | None] = queue.SimpleQueue()
        self._due: int | None = None  # when the state is to be sent; None: no link
        self._thread = threading.Thread(target=self._run, name="post-road", daemon=True)
        self._refused, self._refused_told = 0, -REFUSED_MS

    # what others call, from any thread

    def start(self, link: Link) -> None:
        """Begin with this link, which may connect later."""
        self._link = link
        self._hearing.opened()  # which link stands is nothing to the guard: only who hears is
        self._hearing.expect()
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye in the retained state, and end the thread. Before the link is stopped."""
        self._work.put(None)
        self._thread.join(GOODBYE_S)

    def will(self) -> tuple[str, bytes, bool]:
        """Topic, payload and retain flag of the last will of the next connection, whose number is above any before in this boot."""
        self._attempt = max(self._attempt + 1, self._now_ms())
        message = StateMessage(online=False, boot=self._boot, connection=self._attempt)
        return self._state_topic, _encode(message), True

    def connected(self) -> None:
        """The link is up."""
        number = self._attempt
        self._work.put(lambda now: self._on_connected(number, now))

    def disconnected(self) -> None:
        """The link is down. That says nothing of the post yet."""
        self._work.put(lambda _now: self._on_connected(0, None))

    def received(self, _topic: str, payload: bytes) -> None:
        """What may be a heartbeat or a question came."""
        try:
            said = self._heartbeats.judge(payload, self._now_ms())
        except HeartbeatRefused as refused:
            self._refuse(refused.reason)
            return
        if isinstance(said, Question):
            self.state_changed()
            return
        self._hearing.heard()
        self._hearing.expect()  # the next one

    def kept(self, _topic: str, _payload: bytes) -> None:
        """The broker had kept it: nobody says a heartbeat for later."""
        self._refuse("retained")

    def alarm(self, action: AlarmAction, alarm: Alarm, now: Moment) -> None:
        """See Tells. Unsent ones stand in the state of the next connection."""
        message = AlarmMessage(action=action, alarm=alarm, at_ms=now.at_ms, boot=self._boot, mono_ms=now.mono_ms)
        if self._link is not None and not self._link.publish(self._alarm_topic, _encode(message)):
            logger.debug("alarm %s not sent to the post now; the state will tell it", alarm.id)

    def state_changed(self) -> None:
        """See Tells."""
        self._work.put(self._on_state_changed)

    # the thread

    def _run(self) -> None:
        while (work := self._next()) is not None:
            now = self._now_ms()
            try:
                work(now)
                self._send_when_due(now)
            except Exception:
                self._due = None if self._due is None else now + BEAT_MS
                logger.exception("road to the post: a step failed; going on")
        self._publish(online=False)

    def _next(self) -> Callable[[int], None] | None:
        timeout = None if self._due is None else max(0, self._due - self._now_ms()) / 1000
        try:
            return self._work.get(timeout=timeout)
        except queue.Empty:
            return lambda _now: None

    def _on_connected(self, number: int, due: int | None) -> None:
        self._connection, self._due = number, due

    def _on_state_changed(self, now: int) -> None:
        if self._due is not None:
            self._due = min(self._due, now + SETTLE_MS)

    def _send_when_due(self, now: int) -> None:
        if self._due is not None and now >= self._due:
            self._due = now + BEAT_MS
            self._publish(online=True)

    def _publish(self, *, online: bool) -> None:
        if self._link is not None and self._connection:
            state = msgspec.structs.replace(self._status(self._connection), online=online, asked=self._heartbeats.asked)
            self._link.publish(self._state_topic, _encode(state), retain=True)

    def _refuse(self, reason: str) -> None:
        self._refused += 1
        if (now := self._now_ms()) >= self._refused_told + REFUSED_MS:
            logger.warning("%d heartbeat(s) of a post refused; the last: %s", self._refused, reason)
            self._refused, self._refused_told = 0, now
