"""What a visit has found out, and the decision that follows. A function of the evidence alone: `replay` decides it again.

What denies (a bad credential, a health code that is not green, a lock-out, a lockdown) decides at once, and so do a fever
and what could not be checked here. Otherwise the credential says what else is asked; when nothing that the person
could still do is missing, they are granted, or referred to the guard for what the guard has to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.core.capacity import FULL, NO_SLOT
from gateway.core.events import (
    HEALTH_KINDS,
    CredentialResolved,
    Outcome,
    Presence,
    Registered,
    TemperatureMeasured,
    Verdict,
)
from gateway.core.moment import Moment
from gateway.core.passback import ALREADY_INSIDE, ALREADY_OUTSIDE
from gateway.core.policy import Policy
from gateway.core.temperature import Screening, ScreeningState
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, Evidence, Step, StepResult, Visit, VisitOutcome


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Something about the gate that decides with the readings: one of `DENYING`, `NO_THERMOMETER`, `NO_SENSOR`."""

    what: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The visit ended undecided, by one of `presence-lost`, `time-out`, `second-credential`, `fire`."""

    cause: str


@dataclass(frozen=True, slots=True)
class Decision:
    """How a visit ended, and all reasons in machine words."""

    outcome: VisitOutcome
    reasons: tuple[str, ...]


GONE = frozenset({"presence-lost", "second-credential"})  # by these ends a visit whose person is not there any more
LOCKED_OUT, LOCKDOWN, SEALED, FIRE = "locked-out", "lockdown", "sealed", "fire"
HOME_OBSERVATION, CLOSED_MANAGEMENT = "home-observation", "closed-management"
DENYING = frozenset(
    {
        LOCKED_OUT, LOCKDOWN, SEALED, FIRE, HOME_OBSERVATION, CLOSED_MANAGEMENT, FULL, NO_SLOT, ALREADY_INSIDE,
        ALREADY_OUTSIDE,
    }
)  # fmt: skip
REFERRED = frozenset({Outcome.NEEDS_ONLINE, Outcome.UNCHECKED})  # for the guard: it is not the credential that is bad
NO_THERMOMETER = "no-thermometer"
NO_SENSOR = "no-presence-sensor"

Reading = Presence | CredentialResolved | TemperatureMeasured | Registered | Circumstance | Ended
READINGS: Mapping[str, type[Reading]] = {
    "presence": Presence,
    "credential": CredentialResolved,
    "temperature": TemperatureMeasured,
    "registered": Registered,
    "circumstance": Circumstance,
    "ended": Ended,
}
"""What a visit rests on, by its name in the evidence."""
_NAMES = {kind: name for name, kind in READINGS.items()}


REGISTERED = Verdict(
    outcome=Outcome.VALID,
    reason="ok",
    kind="registration",
    credential="",
    serves=frozenset({Step.CREDENTIAL, Step.REGISTRATION}),
    pass_type=PassType.VISITOR,
)
"""What a visitor without a pass has, once the guard has registered them."""


def known_as(verdict: Verdict) -> PassType:
    """The colour that somebody is treated by; whose pass does not say it, is a visitor."""
    return verdict.pass_type or PassType.VISITOR


def evidence(reading: Reading, mono_ms: int) -> Evidence:
    """A reading as the record keeps it; the same reading gives the same, whatever the order of its sets."""
    data: dict[str, Any] = msgspec.to_builtins(reading, order="deterministic")
    booked = data.get("verdict", {}).pop("booked", ())
    if booked:  # hardly anybody has; and JSON knows no tuple
        data["verdict"]["booked"] = [list(slot) for slot in booked]
    return Evidence(event=_NAMES[type(reading)], mono_ms=mono_ms, data=data)


class Undecided(ValueError):
    """A visit's evidence decides nothing by this policy. `missing`: the steps that would still be asked for."""

    def __init__(self, visit: str, missing: tuple[Step, ...]) -> None:
        super().__init__(f"visit {visit}: its evidence does not decide it")
        self.missing = missing


def redecided(visit: Visit, policy: Policy) -> "Findings":
    """What a visit's evidence says by a policy. Raises ValueError for evidence that this version does not understand."""
    began = Moment(visit.evidence[0].mono_ms if visit.evidence else 0, visit.started_ms)
    findings = Findings(policy, visit.direction, began)
    for kept in visit.evidence:
        if kept.event not in READINGS:
            raise ValueError(f"visit {visit.visit}: evidence {kept.event!r} is of another version")
        findings.add(msgspec.convert(kept.data, READINGS[kept.event]), kept.mono_ms)
    return findings


def replay(visit: Visit, policy: Policy) -> Decision:
    """Decide a visit again from its evidence. Raises ValueError when that does not decide anything (Undecided), or is not
    understood."""
    findings = redecided(visit, policy)
    decision = findings.judge()
    if decision is None:
        raise Undecided(visit.visit, findings.missing)
    return decision


class Findings:
    """The readings of one visit, understood. `bound`: whether they are known to be one person's; `lane`: the reader of their pass or card; `read`: the references of
    all cards and codes; `passed`: the steps passed; `bad`: the credential that was refused; `unsure`: the one that could not be
    checked, and is for the guard; `holder`: whose visit it is, "" while no card or code has said so; `facts`: what is kept of
    certificates; `counters`: the highest of each pass on a phone."""

    def __init__(self, policy: Policy, direction: Direction, began: Moment) -> None:
        self._policy = policy
        self._direction = direction
        self._began = began
        self.lane = ""
        self._denials: list[str] = []
        self._referrals: list[str] = []
        self._cause = ""
        self.passed: set[Step] = set()
        self.read: set[str] = set()
        self.bound = direction is Direction.EXIT
        self.bad: Verdict | None = None
        self.unsure: Verdict | None = None
        self.credential: Verdict | None = None
        self.holder = ""
        self.health_code: HealthCode | None = None
        self.facts: dict[str, str] = {}
        self.counters: dict[str, int] = {}
        self.directory_version = 0
        self.screening = Screening(policy.temperature)
        self.steps: list[StepResult] = []

    # whose is it

    def is_again(self, verdict: Verdict) -> bool:
        """Whether this is nothing new: read before, or the same holder's other card that serves nothing more."""
        if verdict.outcome is not Outcome.VALID:
            return False
        return verdict.credential in self.read or (verdict.serves <= self.passed and not self.is_second(verdict))

    def count(self, verdict: Verdict) -> None:
        """A pass on a phone was read: whatever comes of it, its code is used once the visit ends."""
        if verdict.outcome is Outcome.VALID and verdict.counter:
            self.counters[verdict.credential] = max(verdict.counter, self.counters.get(verdict.credential, 0))

    def is_second(self, verdict: Verdict) -> bool:
        """Whether this must be somebody else's, or takes back the health code that was read."""
        if verdict.outcome is not Outcome.VALID or verdict.credential in self.read:
            return False
        if self.health_code is not None and verdict.health_code not in (None, self.health_code):
            return True
        if verdict.holder and self.holder:
            return verdict.holder != self.holder
        return bool(verdict.serves & self.passed & {Step.CREDENTIAL, Step.HEALTH_CODE})

    # what was found

    def add(self, reading: Reading, mono_ms: int) -> list[StepResult]:
        """Take a reading. What it means for the steps."""
        before = len(self.steps)
        match reading:
            case Presence(present):
                self.bound = self.bound or present
            case CredentialResolved(verdict, reader):
                if self.credential is None and Step.CREDENTIAL in verdict.serves:
                    self.lane = reader
                self._add_verdict(verdict, mono_ms)
            case TemperatureMeasured():
                assessed = self.screening.reading(reading)
                self._step(Step.TEMPERATURE, assessed.reason, mono_ms, passed=assessed.passed)
            case Registered(instead=True) if self.credential is None:
                self._add_verdict(REGISTERED, mono_ms)
            case Registered():
                self._step(Step.REGISTRATION, "ok", mono_ms)
            case Circumstance(what):
                self._add_circumstance(what)
            case Ended(cause):
                self._cause = cause
        return self.steps[before:]

    def _step(self, step: Step, reason: str, mono_ms: int, *, passed: bool = True) -> None:
        self.steps.append(StepResult(step=step, passed=passed, reason=reason, mono_ms=mono_ms))
        if passed:
            self.passed.add(step)

    def _add_circumstance(self, what: str) -> None:
        if what in DENYING:
            self._denials.append(what)
        elif what == NO_THERMOMETER:
            self.screening.unavailable(what)
        elif what == NO_SENSOR:
            self.bound = True

    def _add_verdict(self, verdict: Verdict, mono_ms: int) -> None:
        self.directory_version = max(self.directory_version, verdict.directory_version)
        if verdict.credential:  # "": the resolver failed, and knows nothing
            self.read.add(verdict.credential)
        self.count(verdict)
        self.facts |= verdict.facts
        if verdict.outcome is not Outcome.VALID:
            self._refuse(verdict, mono_ms)
            return
        self.holder = self.holder or verdict.holder
        if Step.CREDENTIAL in verdict.serves and self.credential is None:
            self.credential = verdict
        for step in Step:
            if step in verdict.serves - self.passed and step is not Step.TEMPERATURE:
                self._serve(step, verdict, mono_ms)

    def _serve(self, step: Step, verdict: Verdict, mono_ms: int) -> None:
        if step is not Step.HEALTH_CODE:
            self._step(step, "ok", mono_ms)
            return
        self.health_code = verdict.health_code
        colour = "unknown" if verdict.health_code is None else verdict.health_code.value
        good = verdict.health_code is HealthCode.GREEN
        self._step(step, "ok" if good else f"health-code-{colour}", mono_ms, passed=good)
        if not good:
            self._denials.append(f"health-code-{colour}")

    def _refuse(self, verdict: Verdict, mono_ms: int) -> None:
        step = Step.HEALTH_CODE if verdict.kind in HEALTH_KINDS else Step.CREDENTIAL
        self._step(step, verdict.reason, mono_ms, passed=False)
        if verdict.outcome in REFERRED and not verdict.denied:
            self.unsure = verdict
            self._referrals.append(verdict.reason)
        else:
            self.bad = verdict
            self._denials.append(verdict.reason)

    # what follows

    @property
    def asked(self) -> tuple[Step, ...]:
        """The steps asked of this person; until it is known who they are, those that come first."""
        if self.credential is None:
            return (Step.CREDENTIAL,) if self._direction is Direction.EXIT else (Step.CREDENTIAL, Step.TEMPERATURE)
        # somebody whose pass does not say what they are is asked for as much as a visitor
        asked = self._policy.required(self._direction, known_as(self.credential), self.lane, self._began)
        return asked if Step.CREDENTIAL in asked else (Step.CREDENTIAL, *asked)

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps asked for that are not passed."""
        return tuple(step for step in self.asked if step not in self.passed)

    @property
    def to_do(self) -> tuple[Step, ...]:
        """Those missing steps that the person can still do here."""
        undone = [step for step in self.missing if step is not Step.REGISTRATION]
        if self.screening.suspicious and Step.TEMPERATURE not in undone:
            undone.append(Step.TEMPERATURE)
        return tuple(step for step in undone if step is not Step.TEMPERATURE or not self.screening.settled)

    def judge(self) -> Decision | None:
        """The decision, or None while something is still to come."""
        if self._denials:
            return Decision(VisitOutcome.DENIED, tuple(dict.fromkeys(self._denials)))
        if self.screening.state is ScreeningState.FEVER:
            return Decision(VisitOutcome.REFERRED, ("fever", *self._referrals))
        if self._referrals:
            return Decision(VisitOutcome.REFERRED, tuple(self._referrals))
        if self._cause:
            goes_early = self.screening.mostly_high  # before the last measurement
            return Decision(VisitOutcome.REFERRED, ("fever", self._cause)) if goes_early else self.abandoned
        if self.credential is None or not self.bound or self.to_do:
            return None
        return self._whole()

    @property
    def abandoned(self) -> Decision:
        """The decision on a visit that ended before it could be decided."""
        return Decision(VisitOutcome.ABANDONED, (self._cause, *(f"{step}-missing" for step in self.missing)))

    def _whole(self) -> Decision:
        for_guard = [self.screening.reason] if Step.TEMPERATURE in self.missing else []
        for_guard += ["registration-missing"] if Step.REGISTRATION in self.missing else []
        if for_guard:
            return Decision(VisitOutcome.REFERRED, tuple(for_guard))
        return Decision(VisitOutcome.GRANTED, ("ok",))
