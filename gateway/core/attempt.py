"""One person's attempt: what they showed and when, how it ended, and the one record that is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.core.effects import Show
from gateway.core.events import CredentialResolved
from gateway.core.findings import Circumstance, Decision, Ended, Findings, Reading, evidence
from gateway.core.held import Read
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from sync.contract.records import Direction, Step, StepResult, Visit


@dataclass(slots=True)
class Attempt:
    """One person's attempt: what they showed, and when."""

    visit: str
    began: Moment
    findings: Findings
    direction: Direction = Direction.ENTRY
    readings: list[Read] = field(default_factory=list)
    plate: str = ""
    bay: str = ""

    def add(self, reading: Reading, now: Moment) -> list[StepResult]:
        """Take a reading and keep it as evidence. What it means for the steps."""
        return self.keep(reading, now.mono_ms)

    def keep(self, reading: Reading, read_ms: int) -> list[StepResult]:
        """The same, of a reading that may be older."""
        self.readings.append((reading, read_ms))
        return self.findings.add(reading, read_ms)

    def end(self, cause: str, now: Moment) -> Decision:
        """End it, whatever is missing."""
        self.add(Ended(cause), now)
        return self.findings.judge() or self.findings.abandoned


@dataclass(frozen=True, slots=True)
class Closed:
    """A visit has ended."""

    attempt: Attempt
    decision: Decision

    def unless(self, against: Sequence[str], now: Moment) -> "Closed":
        """The same, decided by these circumstances too; they stand in its evidence."""
        for what in against:
            self.attempt.add(Circumstance(what), now)
        return replace(self, decision=self.attempt.findings.judge() or self.decision) if against else self


def exit_visit(
    policy: Policy, visit: str, event: CredentialResolved, now: Moment, against: Sequence[str], otherwise: str
) -> Closed:
    """A credential at an exit reader: a visit of one reading, decided at once. `otherwise`: what ends it where that decides nothing."""
    attempt = Attempt(visit, now, Findings(policy, Direction.EXIT, now), Direction.EXIT)
    for what in against:
        attempt.add(Circumstance(what), now)
    attempt.add(event, now)
    return Closed(attempt, attempt.findings.judge() or attempt.end(otherwise, now))


def record(closed: Closed, now: Moment, policy: Policy, *, mode: str, policy_version: str) -> Visit:
    """The visit's one record, with the evidence that decides it again."""
    attempt, findings = closed.attempt, closed.attempt.findings
    known = findings.credential or findings.bad or findings.unsure
    return Visit(
        visit=attempt.visit,
        portal=policy.portal.name,
        direction=attempt.direction,
        outcome=closed.decision.outcome,
        reasons=closed.decision.reasons,
        started_ms=attempt.began.at_ms,
        duration_ms=now.mono_ms - attempt.began.mono_ms,
        mode=mode,
        night=policy.is_night(attempt.began),
        credential=known.credential if known is not None else "",
        credential_kind=known.kind if known is not None else "",
        holder=known.holder if known is not None else "",
        pass_type=known.pass_type if known is not None else None,
        health_code=findings.health_code,
        object_c=findings.screening.object_c,
        ambient_c=findings.screening.ambient_c,
        steps=tuple(findings.steps),
        evidence=tuple(evidence(reading, read_ms) for reading, read_ms in attempt.readings),
        directory_version=findings.directory_version,
        policy_version=policy_version,
        facts=findings.facts,
        lane=findings.lane,
        plate=attempt.plate,
        bay=attempt.bay,
        calibration=findings.screening.calibration,
    )


def shown_of(steps: Sequence[StepResult], findings: Findings) -> list[Show]:
    """Those that are asked of this person, and any health code. Whoever registers before it is known who they are may be asked for it."""
    asked = {*findings.asked, Step.HEALTH_CODE} | ({Step.REGISTRATION} if findings.credential is None else set())
    return [_shown(step, findings) for step in steps if step.step in asked]


def _shown(step: StepResult, findings: Findings) -> Show:
    values = {"step": step.step.value, "result": "passed" if step.passed else "failed", "reason": step.reason}
    if step.step is Step.TEMPERATURE and findings.screening.object_c is not None:
        values["value"] = f"{findings.screening.object_c:.1f} °C"
    return Show("step", values)
