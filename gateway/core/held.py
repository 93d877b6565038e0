"""Steps that are done and wait for the registration: they count again once the guard, or the holder's own pass, says it is done.

Theory of operation. A visit that ended for want of the registration is on record; whoever stays where they stand need not do all of it
again. What they showed begins their next visit, with the times at which it was read, while the oldest of it is no older than the
policy's `registration_valid_s`. The guard sees who is there: when he registers them, it counts after a visit that waited too long for
him, too. Without him it counts for the same card or holder alone. Presence that ends, somebody who goes in, or anybody else's
credential ends it.
"""

from dataclasses import dataclass

from gateway.core.events import CredentialResolved, Outcome, Presence, Verdict
from gateway.core.findings import Circumstance, Decision, Ended, Findings, Reading
from sync.contract.records import Step, VisitOutcome

Read = tuple[Reading, int]
"""A reading and when it was taken, mono ms."""
_AWAITED = (f"{Step.REGISTRATION}-missing",)
_TIME_OUT = "time-out"


@dataclass(frozen=True, slots=True)
class Held:
    """What a visit leaves to the next one. `referred`: it waits for the registration and nothing else."""

    findings: Findings
    readings: tuple[Read, ...]
    referred: bool

    @property
    def verdict(self) -> Verdict | None:
        """The pass or card among it."""
        return self.findings.credential

    def is_old(self, now_ms: int, valid_ms: int) -> bool:
        """Whether it counts no more."""
        return now_ms - self.readings[0][1] > valid_ms

    def is_of(self, event: CredentialResolved) -> bool:
        """Whether this credential is of whoever showed all that."""
        verdict, findings = event.verdict, self.findings
        if not self.referred or verdict.outcome is not Outcome.VALID:
            return False
        return verdict.credential in findings.read or (bool(verdict.holder) and verdict.holder == findings.holder)


def held(findings: Findings, readings: list[Read], decision: Decision) -> Held | None:
    """What a visit that has ended leaves; None where that is nothing."""
    referred = decision.outcome is VisitOutcome.REFERRED and decision.reasons == _AWAITED
    waited = decision.outcome is VisitOutcome.ABANDONED and decision.reasons[0] == _TIME_OUT
    if not (referred or waited) or findings.screening.suspicious:
        return None
    kept = tuple(each for each in readings if not isinstance(each[0], Presence | Circumstance | Ended))
    return Held(findings, kept, referred) if kept else None
