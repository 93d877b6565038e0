"""What at the gate speaks against letting somebody through: its mode, its kind, the lock-out, a full house, anti-passback.

Each is a reason that stands in the visit's evidence as a circumstance, for it cannot be worked out again from one visit. It is
looked at when a credential is shown and again when the visit is decided; what the record of a grant waits for is looked at
by the portal once more.
"""

from gateway.core.attempt import Closed
from gateway.core.capacity import NO_SLOT, Capacity
from gateway.core.events import Verdict
from gateway.core.findings import CLOSED_MANAGEMENT, FIRE, HOME_OBSERVATION, LOCKDOWN, LOCKED_OUT, REGISTERED, SEALED
from gateway.core.lockout import LockOut
from gateway.core.mode import ModeMachine, Order
from gateway.core.moment import Moment
from gateway.core.policy import Policy, PortalKind
from gateway.core.portal import PortalDesk
from sync.contract.records import Direction, Step, VisitOutcome


class Objections:
    """Asks all who may have one. Changes nothing."""

    def __init__(
        self, policy: Policy, *, mode: ModeMachine, portal: PortalDesk, lockout: LockOut, capacity: Capacity
    ) -> None:
        self._policy = policy
        self._mode = mode
        self._portal = portal
        self._lockout = lockout
        self._capacity = capacity

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def entry(self, verdict: Verdict, now: Moment) -> list[str]:
        """Against letting in whoever shows this. In a fire nobody is let in, and nothing else is looked at."""
        if self._mode.fire:
            return [FIRE]
        against = [LOCKED_OUT] if self._lockout.locked else []
        against += self._visit(verdict, now)
        return against + (self._again(Direction.ENTRY, verdict, now) if Step.CREDENTIAL in verdict.serves else [])

    def registered(self, now: Moment) -> list[str]:
        """Against letting in whoever the guard has registered, and who has no pass."""
        return [FIRE] if self._mode.fire else self._visit(REGISTERED, now)

    def meanwhile(self, verdict: Verdict | None) -> list[str]:
        """What an order that has just been given means for whoever is at the entry, as far as it is known who they are."""
        closed = verdict is not None and self._mode.closed_to(verdict.pass_type, self._policy.modes)
        return self._place() + ([CLOSED_MANAGEMENT] if closed else [])

    def leaving(self, verdict: Verdict, now: Moment) -> list[str]:
        """Against letting this one out: nothing but anti-passback where people may have to flee, and in a fire."""
        against = self._place()
        against += [HOME_OBSERVATION] if verdict.stays_home else []
        against = [] if self._policy.portal.escape_route or self._mode.fire else against
        return against + self._again(Direction.EXIT, verdict, now)

    def staying(self) -> list[str]:
        """What an order that has just been given means for whoever is on their way out, where nobody has to flee."""
        return [] if self._policy.portal.escape_route else self._place()

    def since(self, closed: Closed, now: Moment) -> list[str]:
        """What has come to speak against a visit that was granted: its steps take time, and meanwhile a mode is ordered, or the same
        card goes through. Who had a slot when they began keeps it."""
        credential = closed.attempt.findings.credential
        if closed.decision.outcome is not VisitOutcome.GRANTED or credential is None:
            return []
        direction = closed.attempt.direction
        if direction is Direction.EXIT:
            return self.leaving(credential, now)
        against = [each for each in self._visit(credential, now) if each != NO_SLOT]
        return against + self._again(direction, credential, now)

    def _place(self) -> list[str]:
        against = [LOCKDOWN] if self._mode.order is Order.LOCKDOWN else []
        return against + ([SEALED] if self._policy.portal.kind is PortalKind.SEALED else [])

    def _visit(self, verdict: Verdict, now: Moment) -> list[str]:
        """The same, whether they come with a pass or were registered by the guard."""
        against = self._place()
        if Step.CREDENTIAL not in verdict.serves:
            return against
        closed = self._mode.closed_to(verdict.pass_type, self._policy.modes)
        against += [CLOSED_MANAGEMENT] if closed else []
        full = self._capacity.against(self._portal.inside_soon, verdict.booked, now)
        return against + ([full] if full else [])

    def _again(self, direction: Direction, verdict: Verdict, now: Moment) -> list[str]:
        reason, denies = self._portal.against(direction, verdict.holder, now)
        return [reason] if denies else []
