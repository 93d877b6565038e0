"""Thermometers that are asked: one question at a time, its answer or silence, then the next.

An answer does not say which question it is for. So what comes while nothing is asked is noise, and after a question without an
answer nothing is asked until the line was quiet for a while: a late answer never counts for another question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from drivers.protocols.infrared import FIRST_MS, STALE_MS, Belief, Measured, SensorFault
from drivers.protocols.stillness import Still
from drivers.readings import DeviceState, Temperature
from drivers.tally import Count

EVERY_MS: Final = 100  # from one round of questions to the next


class Ear(Protocol):
    """Hears the answer to one question."""

    def hear(self, chunk: bytes, count: Count) -> bytes | SensorFault | None:
        """What the answer holds, checked; the device's own word that there is none; None: it is not there yet. Never raises."""


class Question(Protocol):
    """What is asked, and how its answer is heard."""

    @property
    def sent(self) -> bytes:
        """The bytes that ask it."""

    def listen(self) -> Ear:
        """A new ear, for the bytes that follow."""


class Round(Protocol):
    """A model's questions, and what their answers are together."""

    @property
    def questions(self) -> Sequence[Question]:
        """In this order, at least one."""

    def reading(self, answers: Sequence[bytes]) -> Measured:
        """Of all answers, in the same order. Never raises."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`silent_ms`: no answer for so long is none; `quiet_ms`: nothing may come for so long before the next question then."""

    silent_ms: int = 300
    quiet_ms: int = 300
    first_ms: int = FIRST_MS
    stale_ms: int = STALE_MS


class Poll:
    """Asks a round again and again, from `now_ms` on; `still`: how long the sensor may say the same. Pure: implements a link's
    ask, feed, health and somebody."""

    def __init__(self, questions: Round, now_ms: int, pace: Pace, still: Still) -> None:
        self.count = Count()
        self._round = questions
        self._pace = pace
        self._belief = Belief(now_ms, self.count, still, pace.first_ms, pace.stale_ms)
        self._answers: list[bytes] = []
        self._ear: Ear | None = None
        self._asked_ms = self._begun_ms = now_ms
        self._next_ms = now_ms

    def ask(self, now_ms: int) -> bytes:
        """The next question, when it is due and none waits for its answer."""
        if self._ear is not None and now_ms - self._asked_ms >= self._pace.silent_ms:
            self.count.timeouts += 1
            self._give_up(now_ms)
        if self._ear is not None or now_ms < self._next_ms:
            return b""
        if not self._answers:
            self._begun_ms = now_ms
        question = self._round.questions[len(self._answers)]
        self._asked_ms, self._ear = now_ms, question.listen()
        return question.sent

    def _give_up(self, now_ms: int) -> None:
        self._ear = None
        self._answers.clear()
        self._next_ms = now_ms + self._pace.quiet_ms

    def feed(self, chunk: bytes, now_ms: int) -> list[Temperature]:
        """The reading, when this chunk completes the last answer of a round."""
        if not chunk:
            return []
        if self._ear is None:
            self.count.noise += len(chunk)
            self._give_up(now_ms)
            return []
        answer = self._ear.hear(chunk, self.count)
        if answer is None:
            return []
        self._ear = None
        if isinstance(answer, SensorFault):
            return self._complete(answer, now_ms)
        self._answers.append(answer)
        if len(self._answers) < len(self._round.questions):
            return []
        return self._complete(self._round.reading(self._answers), now_ms)

    def _complete(self, measured: Measured, now_ms: int) -> list[Temperature]:
        self._answers.clear()
        self._next_ms = max(now_ms, self._begun_ms + EVERY_MS)
        return self._belief.take([measured], now_ms)

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """See Belief.health."""
        return self._belief.health(now_ms)

    def somebody(self, *, near: bool) -> None:
        """See Watched.somebody."""
        self._belief.near = near
