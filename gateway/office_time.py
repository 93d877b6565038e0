"""The office's signed time, for a gate whose kernel has no time source: asked for, judged, and told to the clock.

Theory of operation. A question has a random number that is used once, and one question stands at a time. The office read its
clock between the question and its answer, so the answer says how far the office's clock is ahead of the monotonic one here to
within the time that both took together. One that took longer than `ROUND_MS` is no good, and is asked for again. Nothing
else about an answer is doubted: it is the office's word, given now, and outranks what is known from disk.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.clock import Clock, Told
from gateway.core.events import TimeRefused
from sync.contract.office_time import NONCE_BYTES, OfficeTime, decode_told, encode_when
from sync.contract.sealed import SealError
from sync.contract.topics import Channel, topic
from sync.errors import MessageError

logger = logging.getLogger("menshen.clock")
ROUND_MS: Final = 8_000  # the longest that question and answer may take: the error is at most half of it
PAUSES_MS: Final = (5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000)  # after a question without a good answer
AGAIN_MS: Final = 30 * 60_000  # after a good one: a quartz is some 0.1 s wrong by then
LOOK_MS: Final = 30_000  # how often it is looked whether the kernel's time source is still there
LATEST_MS: Final = 253_402_214_400_000  # 9999-12-31: no calendar here holds more
STOP_S: Final = 2.0


class AnswerRefused(Exception):
    """No time for this gate now. `reason`: one machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Asking:
    """When to ask, and what an answer says. `now` is in milliseconds since boot; `nonce` gives 16 random bytes."""

    def __init__(self, gate: str, keys: Sequence[Ed25519PublicKey], nonce: Callable[[], bytes]) -> None:
        self._gate = gate
        self._keys = keys
        self._nonce = nonce
        self._due: int | None = None  # None: no link, or nobody to believe
        self._asked: tuple[str, int] | None = None  # the number of the question that stands, and when it was asked
        self._failed = 0  # questions since the last good answer

    def connected(self, now: int) -> None:
        """The link is up."""
        self._due = now if self._keys else None

    def disconnected(self) -> None:
        """The link is down."""
        self._due = None

    def deadline(self) -> int | None:
        """When `poll` is wanted."""
        return self._due

    def poll(self, now: int, *, wanted: bool) -> bytes | None:
        """The question, where it is time for one; it must be sent at once. `wanted`: whether nobody else knows the time."""
        if self._due is None or now < self._due:
            return None
        if not wanted:
            self._due = now + LOOK_MS
            return None
        nonce = self._nonce()
        self._asked = (nonce.hex(), now)
        self._due = now + ROUND_MS + PAUSES_MS[min(self._failed, len(PAUSES_MS) - 1)]
        self._failed += 1
        return encode_when(nonce)

    def answered(self, payload: bytes, now: int) -> Told:
        """What the office's clock said. Raises AnswerRefused: `malformed`, `forged`, `other-gate`, `replayed`, `late`."""
        time = self._decoded(payload)
        if time.gate != self._gate:
            raise AnswerRefused("other-gate")
        if self._asked is None or time.nonce != self._asked[0]:
            raise AnswerRefused("replayed")
        asked, self._asked = self._asked[1], None
        if now - asked > ROUND_MS:
            raise AnswerRefused("late")
        self._failed = 0
        if self._due is not None:
            self._due = now + AGAIN_MS
        return Told(least=time.at_ms - now, most=time.at_ms - asked)

    def _decoded(self, payload: bytes) -> OfficeTime:
        try:
            time = decode_told(payload, self._keys)
        except MessageError:
            raise AnswerRefused("malformed") from None
        except SealError:
            raise AnswerRefused("forged") from None
        if time.at_ms > LATEST_MS:
            raise AnswerRefused("malformed")
        return time


class Link(Protocol):
    """What this needs of the MQTT link."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """False when it was not taken."""


class OfficeClock:
    """Keeps a clock by the office's time while the kernel has none. `connected`, `disconnected` and `received` are for the
    link's thread; `post` must only hand on."""

    def __init__(
        self,
        gate: str,
        keys: Sequence[Ed25519PublicKey],
        clock: Clock,
        *,
        post: Callable[[TimeRefused], None],
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        self._up = topic(gate, Channel.UP)
        self._clock = clock
        self._post = post
        self._answered = answered
        self._asking = Asking(gate, keys, lambda: secrets.token_bytes(NONCE_BYTES))
        self._changed = threading.Condition()  # guards what follows, and `_asking`
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self, link: Link) -> None:
        """Begin with this link, which may connect later."""
        self._thread = threading.Thread(target=self._run, args=(link,), name="office-time", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def connected(self) -> None:
        """The link is up."""
        with self._changed:
            self._asking.connected(self._clock.mono_ms())
            self._changed.notify_all()

    def disconnected(self) -> None:
        """The link is down."""
        with self._changed:
            self._asking.disconnected()

    def received(self, _topic: str, payload: bytes) -> None:
        """A message came that says that it is the office's time. Never raises and never blocks."""
        now = self._clock.mono_ms()
        try:
            with self._changed:
                told = self._asking.answered(payload, now)
        except AnswerRefused as refused:
            self._post(TimeRefused(refused.reason))
            return
        self._clock.hear(told)
        self._answered()
        logger.info("the office says what time it is, to within %d ms", (told.most - told.least + 1) // 2)

    def _run(self, link: Link) -> None:
        while True:
            with self._changed:
                question = self._next()
            if question is None:
                return
            link.publish(self._up, question)  # outside: the link's own locks may be held by whoever waits for ours

    def _next(self) -> bytes | None:
        """The next question, as soon as it is due; None to end."""
        while not self._stopping:
            question = self._asking.poll(self._clock.mono_ms(), wanted=self._clock.asks)
            if question is not None:
                return question
            due = self._asking.deadline()
            self._changed.wait(None if due is None else max(0, due - self._clock.mono_ms()) / 1000)
        return None
