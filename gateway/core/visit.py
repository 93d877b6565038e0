"""The visit: whose reading is it?

Theory of operation. A visit begins with presence or with the first reading and belongs to one continuous presence. What
is read counts only inside that presence: a temperature measured before it, or for somebody before, is measured again.
A card or code read a moment before presence counts, since people reach out before they step up. Presence lost for
`presence_lost_s`, another person's credential, or nothing new for `between_steps_s` ends the visit and drops its readings.
Who has gone in through the door is gone as soon as the sensor says so.
Once a visit is decided, the next in the same presence begins with a credential, for somebody else may have stepped up
behind; so it is always where there is no presence sensor, or where it is lost. What waits for the registration alone is kept
for the next visit in the same presence (`held`).

Readings are judged in `findings`; here is only whose they are, and what to say to the person meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite

from gateway.core.asking import ASKED, HINTED, Asking
from gateway.core.attempt import Attempt, Closed, shown_of
from gateway.core.effects import MeasureAgain, Priority, Say, Show, Unsay
from gateway.core.events import (
    CodeUnread,
    CredentialResolved,
    Outcome,
    Presence,
    Registered,
    TemperatureMeasured,
    Verdict,
)
from gateway.core.findings import FIRE, NO_SENSOR, NO_THERMOMETER, Circumstance, Decision, Findings, Reading
from gateway.core.held import Held, held
from gateway.core.moment import Moment
from gateway.core.phrases import Phrase
from gateway.core.policy import Policy
from gateway.core.tables import after, earliest, seconds
from gateway.core.temperature import ScreeningState
from gateway.core.used import CODE_USED
from sync.contract.records import Direction, Step, VisitOutcome

HEARD_LATE_MS = 500  # presence is debounced and waits its turn: it may have begun this much before it is heard of
PASSES_MS = (
    5_000  # so much later who may just have gone out is asked, and at night called for: by then they have stayed
)
VEHICLE_MS = 120_000  # so long a plate is of whoever shows something first
VISIT_OVER, SOMEBODY_ELSE = "visit-over", "somebody-else"
"""Why what was meant for somebody is for nobody here."""


class VisitState(StrEnum):
    """Where the place in front of the readers stands."""

    IDLE = "idle"
    PRESENT = "present"  # somebody is there and has shown nothing yet
    UNDER_WAY = "under_way"
    DONE = "done"  # decided; the person is still there


class VisitInput(StrEnum):
    """What moves it."""

    ARRIVED = "arrived"
    READING = "reading"
    SECOND = "second credential"
    DECIDED = "decided"
    TIME_OUT = "nothing new"
    FIRE = "fire"
    GONE = "gone"


_S, _I = VisitState, VisitInput
TABLE: Mapping[VisitState, Mapping[VisitInput, VisitState]] = {
    _S.IDLE: {
        _I.ARRIVED: _S.PRESENT,
        _I.READING: _S.UNDER_WAY,
    },
    _S.PRESENT: {
        _I.READING: _S.UNDER_WAY,
        _I.GONE: _S.IDLE,
    },
    _S.UNDER_WAY: {
        _I.ARRIVED: _S.UNDER_WAY,
        _I.SECOND: _S.DONE,
        _I.DECIDED: _S.DONE,
        _I.TIME_OUT: _S.DONE,
        _I.FIRE: _S.DONE,
        _I.GONE: _S.IDLE,
    },
    _S.DONE: {
        _I.READING: _S.UNDER_WAY,
        _I.GONE: _S.IDLE,
    },
}

_ENDS: Mapping[VisitInput, str] = {
    VisitInput.SECOND: "second-credential",
    VisitInput.TIME_OUT: "time-out",
    VisitInput.FIRE: FIRE,
    VisitInput.GONE: "presence-lost",
}
_BY_CODE = frozenset({Step.CREDENTIAL, Step.HEALTH_CODE})
_ONCE_MORE: Mapping[str, Phrase] = {
    "high": Phrase.HIGH_ONCE_MORE,
    "once-more": Phrase.ONCE_MORE,
    "too-cold": Phrase.TOO_COLD,
}
_FOR_WHO_IS_THERE = frozenset(
    {*ASKED, *HINTED.values(), *_ONCE_MORE.values(), Phrase.MEASURE_AGAIN, Phrase.WELCOME, Phrase.NIGHT_WELCOME}
)
"""What only says what to do at the readers: nobody is to hear it who has gone. That they may pass is heard at the door, too."""


@dataclass(frozen=True, slots=True)
class Last:
    """What the last decision read, which of it was refused, and when that was. `served`: it was for something else than a visit."""

    read: frozenset[str] = frozenset()
    refused: str = ""
    decided_ms: int = 0
    served: bool = False


@dataclass(frozen=True, slots=True)
class NightArrival:
    """Somebody has come at night."""


@dataclass(frozen=True, slots=True)
class Left:
    """Nobody is there any more."""


Note = Closed | NightArrival | Left | Say | Unsay | Show | MeasureAgain
"""What the machine tells: to the checkpoint, or, as an effect, past it."""
Judged = Callable[[CredentialResolved, int], CredentialResolved]


class VisitMachine:
    """The place in front of the entry readers. Every method returns what it wants told, in order."""

    def __init__(
        self,
        policy: Policy,
        ids: Callable[[], str],
        judged: Judged = lambda event, _now_ms: event,
        direction: Direction = Direction.ENTRY,
    ) -> None:
        """`judged`: what becomes of a reading that is new to the visit. On the way out (`direction`) there is no presence
        sensor: the credential begins it."""
        self._direction = direction
        self._plate = self._bay = ""  # noted before anybody has shown anything
        self._vehicle_until_ms = 0
        self._policy = policy
        self._ids = ids
        self._judged = judged
        self.state = VisitState.IDLE
        self._coming = ""  # the id that the visit will have of whoever is there and has shown nothing yet
        self._same: frozenset[str] = frozenset()  # the visits of whoever is there
        self._present = False
        self._left_ms: int | None = None
        self._sensor_lost = False
        self._thermometer_lost = False
        self._since_ms = 0  # a temperature from before does not count
        self._attempt: Attempt | None = None
        self._last = Last()
        self._held: Held | None = None
        self._ended: Closed | None = None  # the visit of whoever is still there
        self._asking = Asking()
        self._measure_at: int | None = None
        self._went_in = False  # whoever the last decision was about
        self._greeted = False
        self._night_told = False
        self._night_at: int | None = None  # the guard is called then, if they are still there
        self._went_out_ms: int | None = None  # when somebody last did

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on; while nobody is being decided about."""
        self._policy = policy

    @property
    def _unbound(self) -> bool:
        out = self._direction is Direction.EXIT
        return out or self._sensor_lost or not self._policy.visit.presence_sensor

    @property
    def _anybody(self) -> bool:
        """Whether the sensor sees somebody, or did a moment ago."""
        return self._present or self._left_ms is not None

    @property
    def _out_of_sight(self) -> bool:
        """Whether the sensor saw them go, though they may be back yet: nothing is asked of nobody. Where no sensor saw them come
        either, they are there as far as the gate knows."""
        return self._left_ms is not None

    @property
    def who(self) -> str:
        """The visit of whoever is there: under way, just ended, or yet to begin; "" where nobody is known to be."""
        if self._attempt is not None:
            return self._attempt.visit
        return self._coming if self._ended is None else self._ended.attempt.visit

    def not_theirs(self, visit: str) -> str:
        """Why what is meant for this visit is not for whoever is there, in one machine word; "" where it is."""
        if not self.who:
            return VISIT_OVER
        if visit not in self._same:
            return SOMEBODY_ELSE
        let_in = self._ended is not None and self._ended.decision.outcome is VisitOutcome.GRANTED
        return VISIT_OVER if self._attempt is None and (self._went_in or let_in) else ""

    # what happens

    def presence(self, now: Moment, *, present: bool) -> list[Note]:
        """The presence sensor's level."""
        if self._unbound or present is self._present:
            return []
        self._present = present
        shown: Note = Show("presence", {"present": "yes" if present else "no"})
        return [shown, *(self._arrived(now) if present else self._leaving(now))]

    def sensor_lost(self, now: Moment, *, lost: bool) -> list[Note]:
        """The presence sensor's device was lost or is back: what it last said is no longer known."""
        if lost is self._sensor_lost:
            return []
        self._sensor_lost = lost
        self._present, self._left_ms = False, None
        if self.state is VisitState.UNDER_WAY:
            return self._take(Circumstance(NO_SENSOR), now) if lost else []
        return self._gone(now)

    def thermometer_lost(self, now: Moment, *, lost: bool) -> list[Note]:
        """The thermometer was lost or is back."""
        self._thermometer_lost = lost
        if lost and self._attempt is not None and not self._attempt.findings.screening.settled:
            self._measure_at = None
            return self._take(Circumstance(NO_THERMOMETER), now)
        return []

    def credential(self, event: CredentialResolved, now: Moment, circumstances: Sequence[str]) -> list[Note]:
        """A card or code at an entry reader. `circumstances`: what at the gate speaks against letting anybody in."""
        if self._too_old(event.read_mono_ms, now):
            return [Show("step", {"step": Step.CREDENTIAL.value, "result": "failed", "reason": "too-old"})]
        if self._attempt is not None and self._attempt.findings.is_again(event.verdict):
            self._attempt.findings.count(event.verdict)
            return []
        event = self._judged(event, now.mono_ms)
        if self._attempt is None and self._is_reread(event.verdict, now):
            return []
        notes: list[Note] = []
        if self._attempt is not None and self._attempt.findings.is_second(event.verdict):
            notes += self._end_by(VisitInput.SECOND, now)
        if self._attempt is None:
            kept = self._kept(now)
            theirs = kept if kept is not None and kept.is_of(event) else None
            notes += self._begin(now, theirs, same=theirs is not None)
        return notes + self._take_all((*map(Circumstance, circumstances), event), now)

    def awaiting(self, now: Moment) -> Verdict | None:
        """Whose pass or card waits for nothing but the registration; None where none does."""
        kept = self._kept(now)
        return None if kept is None else kept.verdict

    def _kept(self, now: Moment) -> Held | None:
        """What is done already, and counts for the next visit."""
        kept = self._held
        old = kept is None or kept.is_old(now.mono_ms, seconds(self._policy.visit.registration_valid_s))
        return None if old else kept

    def unread(self, event: CodeUnread, now: Moment, *, near: bool) -> list[Note]:
        """A code is held up that cannot be read. Told only while a step that a code can do is still to be done, to somebody who is
        known to be there: `near`, at the approach."""
        if not self._shows_code(near=near) or (self._out_of_sight and not near):
            return []
        return [*self._asking.hint(event.hint, self._policy.visit.code_hint_s, now)]

    def _shows_code(self, *, near: bool) -> bool:
        if self._attempt is not None:
            return not _BY_CODE.isdisjoint(self._attempt.findings.to_do)
        return self.state is VisitState.PRESENT or (near and self.state is VisitState.IDLE)

    def temperature(self, event: TemperatureMeasured, now: Moment) -> list[Note]:
        """A measurement."""
        if self.state is not VisitState.UNDER_WAY and self.state is not VisitState.PRESENT:
            return []
        if not (self._anybody or self._unbound):
            return []
        if self._measure_at is not None or (self._attempt is not None and self._attempt.findings.screening.settled):
            return []
        if event.read_mono_ms < self._since_ms or self._too_old(event.read_mono_ms, now):
            return [MeasureAgain()]
        begun = self._begin(now) if self._attempt is None else []
        return begun + self._take(_finite(event), now)

    def registered(self, event: Registered, now: Moment, circumstances: Sequence[str] = ()) -> list[Note]:
        """The registration was done for whoever is there. Where no sensor tells that, only one that lets in by itself can begin
        a visit. `circumstances`: what speaks against letting them in by it."""
        if self._attempt is None and not (self._anybody or (self._unbound and event.instead)):
            return []
        if self._attempt is not None and self._already_registered(self._attempt.findings, event):
            return []
        begun = self._begin(now, self._kept(now), same=True) if self._attempt is None else []
        return begun + self._take_all((*map(Circumstance, circumstances), event), now)

    @staticmethod
    def _already_registered(findings: Findings, event: Registered) -> bool:
        """Whether it says nothing new. A guard may have forgotten to say that it stands for the pass, and say it now."""
        new = {Step.REGISTRATION} | ({Step.CREDENTIAL} if event.instead else set())
        return new <= findings.passed

    @property
    def to_do(self) -> tuple[Step, ...]:
        """What whoever is under way can still do here."""
        return self._attempt.findings.to_do if self._attempt is not None else ()

    def vehicle(self, plate: str, bay: str, now: Moment) -> str | None:
        """The plate of whoever is there, or comes within `VEHICLE_MS`, and where they stop. None: the record of the visit under way
        will have it; else whose it is by now, the visit that has just ended, or "" where none has begun."""
        if self._attempt is not None:
            self._attempt.plate, self._attempt.bay = plate, bay
            return None
        ended = self._ended
        if ended is None or ended.decision.outcome is not VisitOutcome.GRANTED:  # they may yet begin another one
            self._keep_vehicle(plate, bay, now.mono_ms + VEHICLE_MS)
        return "" if ended is None else ended.attempt.visit

    def _keep_vehicle(self, plate: str, bay: str, until_ms: int) -> None:
        self._plate, self._bay, self._vehicle_until_ms = plate, bay, until_ms

    def no_vehicle(self) -> None:
        """Whoever it was noted for is not there any more."""
        self._plate = self._bay = ""

    @property
    def shown(self) -> Verdict | None:
        """The pass or card of the visit under way, as far as one was shown."""
        return None if self._attempt is None else self._attempt.findings.credential

    def object(self, circumstances: Sequence[str], now: Moment) -> list[Note]:
        """What has come to speak against letting in whoever's steps go on."""
        return self._take_all([*map(Circumstance, circumstances)], now) if circumstances else []

    def served(self, credential: str, now: Moment) -> None:
        """A card was read for something else than a visit, and is not asked for any more."""
        self._last = Last(frozenset({credential}), "", now.mono_ms, served=True)
        self._asking.enough()

    def went_out(self, now: Moment) -> None:
        """Somebody goes out, or was told that they may not: who is there and has shown nothing may be them."""
        self._went_out_ms = now.mono_ms
        if self.state is VisitState.PRESENT:
            self._asking.enough()

    def ask_later(self, now: Moment) -> None:
        """They were just told something else."""
        self._asking.progress(now)

    def break_off(self, now: Moment) -> list[Note]:
        """Fire: nobody's steps go on."""
        return self._end_by(VisitInput.FIRE, now)

    def passed(self) -> None:
        """Somebody has gone in: whoever is seen next is somebody else."""
        self._went_in = self.state is VisitState.DONE
        self._held = None
        self._greeted = self._night_told = False

    # presence

    def _arrived(self, now: Moment) -> list[Note]:
        blink, self._left_ms = self._left_ms is not None, None
        if blink:
            return ([] if self._night_at is not None else self._somebody(now)) + (
                self._greet(now) if self.state is VisitState.DONE else []
            )
        self._since_ms = max(self._since_ms, now.mono_ms - HEARD_LATE_MS)
        attempt = self._attempt
        notes: list[Note] = []
        if attempt is not None and self._too_old(attempt.began.mono_ms, now):
            notes += self._end_by(VisitInput.GONE, now)
            attempt = None
        self._move(VisitInput.ARRIVED)
        if attempt is None:
            self._coming = self._ids()
            self._same = frozenset({self._coming})
        leaver = self._may_be_leaver(now)
        if leaver:
            self._night_at = now.mono_ms + PASSES_MS
        else:
            notes += self._somebody(now)
        self._greeted = self._greeted or leaver
        self._asking.progress(now.after(PASSES_MS) if leaver else now)
        notes.append(MeasureAgain())
        return notes + (self._greet(now) if attempt is None else self._take(Presence(True), now))

    def _may_be_leaver(self, now: Moment) -> bool:
        """Whether whoever comes now may be who has just gone out, on their way."""
        leaver_ms = seconds(self._policy.prompter.leaver_s)
        return self._went_out_ms is not None and now.mono_ms - self._went_out_ms < leaver_ms

    def _leaving(self, now: Moment) -> list[Note]:
        self._last = Last()  # what is read from now on is held up anew
        unsaid = Unsay(_FOR_WHO_IS_THERE)
        if self._went_in:
            return [unsaid, *self._gone(now)]
        self._left_ms = now.mono_ms
        return [unsaid]

    def _gone(self, now: Moment) -> list[Note]:
        notes = self._end_by(VisitInput.GONE, now) if self._attempt is not None else []
        if self.state is not VisitState.IDLE:
            self._move(VisitInput.GONE)
            notes.append(self._left())
        return notes

    def _somebody(self, now: Moment) -> list[Note]:
        self._night_at = None
        if self._night_told or not self._policy.is_night(now):
            return []
        self._night_told = True
        return [NightArrival()]

    def _greet(self, now: Moment) -> list[Note]:
        if self._greeted:
            return []
        self._greeted = True
        night = self._policy.is_night(now)
        return [Say(Phrase.NIGHT_WELCOME if night else Phrase.WELCOME, Priority.CHIME)]

    # readings

    def _too_old(self, read_ms: int, now: Moment) -> bool:
        return now.mono_ms - read_ms > seconds(self._policy.visit.reading_valid_s)

    def _is_reread(self, verdict: Verdict, now: Moment) -> bool:
        last = self._last
        # without a presence sensor it is not known whether they stay; but a code that was used opens nothing anyway
        stays = self.state is VisitState.DONE or last.served or (self._unbound and verdict.reason == CODE_USED)
        if not stays or self._too_old(last.decided_ms, now):
            return False
        mended = verdict.outcome is Outcome.VALID and verdict.credential == last.refused  # the phone's next code
        return verdict.credential in last.read and not mended

    def _begin(self, now: Moment, kept: Held | None = None, *, same: bool = False) -> list[Note]:
        """Begin an attempt, with what is `kept` of the last one. Whatever was measured before belongs to it only when nobody else was
        there before. `same`: it is known to be whoever the last one was of."""
        afresh = self.state is not VisitState.PRESENT
        notes = self._somebody(now)
        self._move(VisitInput.READING)
        self._went_in = False
        self._ended = self._held = None
        if now.mono_ms > self._vehicle_until_ms:
            self.no_vehicle()
        visit, self._coming = self._coming or self._ids(), ""
        self._same = self._same | {visit} if same else frozenset({visit})
        self._attempt = attempt = Attempt(
            visit,
            now,
            Findings(self._policy, self._direction, now),
            self._direction,
            plate=self._plate,
            bay=self._bay,
        )
        self.no_vehicle()
        self._asking.progress(now)
        if afresh:
            self._since_ms = now.mono_ms
            notes.append(MeasureAgain())
        if self._unbound:
            attempt.add(Circumstance(NO_SENSOR), now)
        elif self._anybody:
            attempt.add(Presence(True), now)
        done = [
            step for reading, at in (kept.readings if kept is not None else ()) for step in attempt.keep(reading, at)
        ]
        notes += shown_of(done, attempt.findings)
        if self._thermometer_lost and not attempt.findings.screening.settled:
            attempt.add(Circumstance(NO_THERMOMETER), now)
        return notes

    def _take(self, reading: Reading, now: Moment) -> list[Note]:
        return self._take_all((reading,), now)

    def _take_all(self, readings: Sequence[Reading], now: Moment) -> list[Note]:
        attempt = self._attempt
        if attempt is None:
            return []
        steps = [step for reading in readings for step in attempt.add(reading, now)]
        self._asking.progress(now)
        notes: list[Note] = [*shown_of(steps, attempt.findings)]
        decision = attempt.findings.judge()
        if decision is not None:
            return notes + self._close(attempt, decision, VisitInput.DECIDED, now)
        if any(isinstance(reading, TemperatureMeasured) for reading in readings):
            notes += self._measure_on(attempt.findings, now)
        return notes

    def _measure_on(self, findings: Findings, now: Moment) -> list[Note]:
        """After a measurement that has not decided: once more now, after a pause, or no more."""
        screening = findings.screening
        if screening.settled:
            return []
        phrase = _ONCE_MORE.get(screening.reason, Phrase.MEASURE_AGAIN)
        said = [] if self._out_of_sight else [Say(phrase, Priority.PROMPT)]
        if screening.state is ScreeningState.WANTED:
            self._since_ms = now.mono_ms
            return [*said, MeasureAgain()]
        self._measure_at = now.mono_ms + seconds(self._policy.temperature.repeat_after_s)
        return [*said]

    # ends

    def _end_by(self, how: VisitInput, now: Moment) -> list[Note]:
        attempt = self._attempt
        if attempt is None:
            return []
        return self._close(attempt, attempt.end(_ENDS[how], now), how, now)

    def _close(self, attempt: Attempt, decision: Decision, how: VisitInput, now: Moment) -> list[Note]:
        self._attempt, self._measure_at = None, None
        bad = attempt.findings.bad
        self._last = Last(frozenset(attempt.findings.read), bad.credential if bad is not None else "", now.mono_ms)
        self._ended = closed = Closed(attempt, decision)
        self._held = held(attempt.findings, attempt.readings, decision)
        if (
            decision.outcome is not VisitOutcome.GRANTED and how is not VisitInput.SECOND
        ):  # they may yet begin another one
            until_ms = now.mono_ms + seconds(self._policy.visit.registration_valid_s)
            self._keep_vehicle(attempt.plate, attempt.bay, until_ms)
        self._move(how)
        if self.state is VisitState.DONE and not self._anybody:
            self._move(VisitInput.GONE)
        return [closed, *([self._left()] if self.state is VisitState.IDLE else [])]

    def _left(self) -> Note:
        self._went_in = self._greeted = self._night_told = False
        self._night_at = None
        self._ended = self._held = None
        self._coming, self._same = "", frozenset()
        self.no_vehicle()
        return Left()

    def _move(self, given: VisitInput) -> None:
        self.state = after(TABLE, self.state, given)

    # time

    def deadline(self) -> int | None:
        """When it wants to be asked again."""
        lost = None if self._left_ms is None else self._left_ms + seconds(self._policy.visit.presence_lost_s)
        return earliest(lost, self._time_out_at(), self._measure_at, self._prompt_at(), self._call_at())

    def due(self, now: Moment) -> list[Note]:
        """Do what its deadline was for."""
        if self._left_ms is not None and now.mono_ms >= self._left_ms + seconds(self._policy.visit.presence_lost_s):
            self._left_ms = None
            return self._gone(now)
        if (call := self._call_at()) is not None and now.mono_ms >= call:
            return self._somebody(now)
        if self._measure_at is not None and now.mono_ms >= self._measure_at:
            return self._measure(now)
        if (time_out := self._time_out_at()) is not None and now.mono_ms >= time_out:
            return self._end_by(VisitInput.TIME_OUT, now)
        if (prompt := self._prompt_at()) is not None and now.mono_ms >= prompt:
            return self._prompt()
        return []

    def _measure(self, now: Moment) -> list[Note]:
        self._measure_at, self._since_ms = None, now.mono_ms
        if self._attempt is not None:
            self._attempt.findings.screening.pause_over()
        self._asking.progress(now)
        return [MeasureAgain()]

    def _time_out_at(self) -> int | None:
        if self.state is not VisitState.UNDER_WAY:
            return None
        return max(self._asking.idle_at(self._policy.visit.between_steps_s), self._measure_at or 0)

    def _call_at(self) -> int | None:
        return None if self._out_of_sight else self._night_at

    def _prompt_at(self) -> int | None:
        waiting = self.state in (VisitState.PRESENT, VisitState.UNDER_WAY) and self._measure_at is None
        return self._asking.prompt_at() if waiting and not self._out_of_sight else None

    def _prompt(self) -> list[Note]:
        to_do = self._attempt.findings.to_do if self._attempt is not None else (Step.CREDENTIAL,)
        return [*self._asking.prompt(to_do)]


def _finite(event: TemperatureMeasured) -> TemperatureMeasured:
    """What is no number is no reading; JSON has no word for it either."""
    return replace(
        event,
        object_c=event.object_c if event.object_c is not None and isfinite(event.object_c) else None,
        ambient_c=event.ambient_c if event.ambient_c is not None and isfinite(event.ambient_c) else None,
        spread_c=event.spread_c if isfinite(event.spread_c) else 0.0,
    )
