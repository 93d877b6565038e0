"""From a stream of thermometer frames to one measurement a person: what reaches the core is reduced first.

A person is in front of the thermometer while it reads something as warm as skin. The median of enough samples that lie
close together is the measurement; then nothing more until that person has gone or a new measurement is asked for.

A thermometer that hangs repeats the last person's temperature for the next one. So a measurement rests on readings that have
changed since it was asked for: a living forehead moves the coarsest of them by a step, and the finest with every frame.
"""

from collections import deque
from statistics import median

from gateway.core.events import TemperatureMeasured
from gateway.core.policy import TemperaturePolicy

WINDOW_MS = 2_000  # samples older than this do not belong to one measurement
UNSTEADY_MS = 4_000  # somebody in front for this long without a steady run: say so
GONE_FRAMES = 3  # frames without skin that mean that nobody is in front any more


class TemperatureSampler:
    """Pure: fed with each frame and its time (mono ms), gives a measurement now and then."""

    def __init__(self, thermometer: str, policy: TemperaturePolicy) -> None:
        self._thermometer = thermometer
        self._policy = self._next = policy
        self._samples: deque[tuple[int, float, float | None]] = deque(maxlen=policy.samples)
        self._since: int | None = None
        self._missing = 0
        self._done = False
        self._started: int | None = None
        self._restart = False
        self._last: tuple[float, float | None] | None = None
        self._moved = False  # it has changed since the measurement was asked for

    def adopt(self, policy: TemperaturePolicy) -> None:
        """Measure by this from the next frame on. From any thread."""
        self._next = policy
        self._restart = True

    def again(self) -> None:
        """Forget what was gathered and measure anew, from the next frame on. From any thread."""
        self._restart = True

    def _reset(self) -> None:
        self._samples.clear()
        self._since = None
        self._done = False

    def feed(self, object_c: float, ambient_c: float | None, now_ms: int) -> TemperatureMeasured | None:
        """One frame; `ambient_c` None where the thermometer does not tell. Returns a measurement when one is complete, or when the person cannot be measured steadily."""
        if self._started is None:
            self._started = now_ms
        if self._restart:
            self._restart = False
            if self._next is not self._policy:
                self._policy = self._next
                self._samples = deque(maxlen=self._policy.samples)
            self._reset()
            self._moved = False
        self._look(object_c, ambient_c)
        if now_ms - self._started < self._policy.warm_up_s * 1000:
            return None
        corrected = object_c + self._policy.offset_c
        if not self._policy.lowest_c <= corrected <= self._policy.highest_c:
            self._nobody()
            return None
        self._missing = 0
        if self._done or not self._moved:
            return None
        self._since = now_ms if self._since is None else self._since
        self._samples.append((now_ms, object_c, ambient_c))
        return self._judge(now_ms)

    def _look(self, object_c: float, ambient_c: float | None) -> None:
        """Whether this frame is another than the last one. The first tells nothing: it may have hung for long."""
        before, self._last = self._last, (object_c, ambient_c)
        self._moved = self._moved or before not in (None, self._last)

    def _nobody(self) -> None:
        self._missing += 1
        if self._missing >= GONE_FRAMES:
            self._reset()

    def _judge(self, now_ms: int) -> TemperatureMeasured | None:
        objects = [sample[1] for sample in self._samples]
        spread = max(objects) - min(objects)
        whole = len(objects) == self._policy.samples and now_ms - self._samples[0][0] <= WINDOW_MS
        if whole and spread <= self._policy.spread_c:
            return self._measured(round(median(objects), 2), spread, "ok", now_ms)
        if self._since is not None and now_ms - self._since >= UNSTEADY_MS:
            return self._measured(None, spread, "unsteady", now_ms)
        return None

    def _measured(self, object_c: float | None, spread: float, reason: str, now_ms: int) -> TemperatureMeasured:
        told = [sample[2] for sample in self._samples if sample[2] is not None]
        ambient = round(median(told), 2) if told else None
        count = len(self._samples)
        self._reset()
        self._done = object_c is not None
        return TemperatureMeasured(
            thermometer=self._thermometer,
            object_c=object_c,
            ambient_c=ambient,
            spread_c=round(spread, 2),
            samples=count,
            reason=reason,
            read_mono_ms=now_ms,
        )
