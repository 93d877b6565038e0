"""Temperature screening of one visit: screening, not diagnosis (hardware notes, section 9).

Theory of operation. One normal reading will do. After a high one it is measured again as often as the policy says (twice), each time after
a pause and whatever the second says; the majority of all decides, and a tie is for the guard. Who goes before the last one, when the highs are the majority already, is
for the guard, too. A cold reading waits too; an unsteady or implausible one
is taken again at once; after as many of these as there may be readings in all, and at once where the surroundings are
outside what the thermometer is good for, the guard measures by hand. No reading is never a good reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from gateway.core.events import TemperatureMeasured
from gateway.core.policy import TemperaturePolicy
from gateway.core.tables import after
from sync.contract.records import Calibration

AMBIENT = "ambient-out-of-range"


class ScreeningState(StrEnum):
    """How far the screening is."""

    WANTED = "wanted"
    WAITING = "waiting"  # before it is measured again
    NORMAL = "normal"
    FEVER = "fever"
    MANUAL = "manual"  # the guard has to measure


class ScreeningInput(StrEnum):
    """What a reading means, given those before it."""

    GOOD = "normal"
    RETRY = "no reading"
    DOUBT = "high or cold"
    PAUSE_OVER = "pause over"
    CONFIRMED = "high by majority"
    GIVE_UP = "cannot be measured"


_S, _I = ScreeningState, ScreeningInput
TABLE: Mapping[ScreeningState, Mapping[ScreeningInput, ScreeningState]] = {
    _S.WANTED: {
        _I.GOOD: _S.NORMAL,
        _I.RETRY: _S.WANTED,
        _I.DOUBT: _S.WAITING,
        _I.CONFIRMED: _S.FEVER,
        _I.GIVE_UP: _S.MANUAL,
    },
    _S.WAITING: {
        _I.PAUSE_OVER: _S.WANTED,
        _I.GIVE_UP: _S.MANUAL,
    },
    _S.NORMAL: {},
    _S.FEVER: {},
    _S.MANUAL: {},
}
SETTLED = frozenset(state for state, moves in TABLE.items() if not moves)


@dataclass(frozen=True, slots=True)
class Assessed:
    """What became of a reading: whether the step is passed, and why (not), in one machine word."""

    passed: bool
    reason: str


class Screening:
    """The screening of one visit. `object_c` and `ambient_c`: of the last usable reading, °C, calibrated, but of the last high one where the highs are the majority;
    `calibration`: its terms, where the site has any."""

    def __init__(self, policy: TemperaturePolicy) -> None:
        self._policy = policy
        self._most = policy.repeats + 1
        self._highs = self._normals = self._unusable = 0
        self.state = ScreeningState.WANTED
        self.reason = ""
        self.object_c: float | None = None
        self.calibration: Calibration | None = None
        self.ambient_c: float | None = None
        self._high: tuple[float | None, float | None, Calibration | None] = (None, None, None)

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be measured."""
        return self.state in SETTLED

    @property
    def suspicious(self) -> bool:
        """Whether a high reading is still to be confirmed or refuted."""
        return self._highs > 0 and not self.settled

    @property
    def mostly_high(self) -> bool:
        """Whether the high readings are the majority already, whatever those still to come say."""
        return self._highs >= self._needed

    @property
    def _needed(self) -> int:
        return (self._most + 1) // 2  # highs that decide: 2 of 3; of an even number half, for a tie is for the guard

    def pause_over(self) -> None:
        """It may be measured again."""
        self._move(ScreeningInput.PAUSE_OVER)

    def unavailable(self, reason: str) -> None:
        """There is no thermometer that works."""
        self.reason = reason
        self._move(ScreeningInput.GIVE_UP)

    def reading(self, measured: TemperatureMeasured) -> Assessed:
        """Take a reading."""
        self.pause_over()  # a reading that counts is one after the pause
        self.reason = self._judge(measured)
        given = self._meaning(self.reason)
        if self.reason == "high":
            self._high = (self.object_c, self.ambient_c, self.calibration)
        elif self.reason == "normal" and self.mostly_high:  # it changes nothing: what is told is the last that was high
            self.object_c, self.ambient_c, self.calibration = self._high
        if self.reason == "normal" and given is not ScreeningInput.GOOD:
            self.reason = "high" if given is ScreeningInput.CONFIRMED else "once-more"
        self._move(given)
        return Assessed(given is ScreeningInput.GOOD, self.reason)

    def _judge(self, measured: TemperatureMeasured) -> str:
        object_c, ambient_c, policy = measured.object_c, measured.ambient_c, self._policy
        if object_c is None or not isfinite(object_c):
            return "no-reading" if measured.reason == "ok" else measured.reason
        terms = Calibration(
            raw_c=object_c,
            offset_c=policy.offset_c,
            factor=policy.ambient_factor,
            reference_c=policy.reference_c,
        )
        known = ambient_c is not None and isfinite(ambient_c)
        colder_c = policy.reference_c - (ambient_c or 0.0) if known else 0.0
        object_c = round(object_c + policy.offset_c + policy.ambient_factor * colder_c, 2)
        if not policy.lowest_c <= object_c <= policy.highest_c:
            return "implausible"
        self.object_c, self.ambient_c = object_c, ambient_c
        self.calibration = terms if policy.offset_c or policy.ambient_factor else None
        if ambient_c is None or not policy.ambient_lowest_c <= ambient_c <= policy.ambient_highest_c:
            return AMBIENT
        if object_c >= policy.threshold_c:
            return "high"
        return "too-cold" if object_c < policy.too_cold_c else "normal"

    def _meaning(self, reason: str) -> ScreeningInput:
        if reason == AMBIENT:
            return ScreeningInput.GIVE_UP
        if reason in ("high", "normal"):
            self._highs += reason == "high"
            self._normals += reason == "normal"
            return self._majority()
        self._unusable += 1
        if self._unusable >= self._most:
            return ScreeningInput.GIVE_UP
        return ScreeningInput.DOUBT if reason == "too-cold" else ScreeningInput.RETRY

    def _majority(self) -> ScreeningInput:
        if self._highs == 0:
            return ScreeningInput.GOOD
        if self._highs + self._normals < self._most:
            return ScreeningInput.DOUBT
        return ScreeningInput.CONFIRMED if self.mostly_high else ScreeningInput.GOOD

    def _move(self, given: ScreeningInput) -> None:
        self.state = after(TABLE, self.state, given)
