"""Whatever is told to the core, in whatever order: it never raises, never opens unasked, never calls nobody healthy."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import effects, events
from gateway.core.phrases import VALUES, Phrase
from gateway.core.policy import JournalFailure, Policy, PortalKind
from sync.contract.records import Direction, Visit, VisitOutcome
from tests.gateway.core.acting import Gate, at, policy
from tests.gateway.core.crowd import happens

POLICIES = [
    Policy(),
    policy(visit__presence_sensor=False),
    policy(portal__kind=PortalKind.OPEN),
    policy(portal__kind=PortalKind.SEALED, portal__escape_route=False),
    policy(when_journal_fails=JournalFailure.OPEN, temperature__repeats=0),
    policy(when_journal_fails=JournalFailure.CLOSED, visit__commit_limit_s=10, visit__reading_valid_s=30),
    policy(portal__pre_alarm_after_s=60, portal__escape_route=False, portal__exit_needs_credential=True),
]
EXEMPT = (events.ExitRequested, events.FireInput, events.GuardRelease, events.ModeOrdered)


class Watched:
    """A gate whose journal answers when the test wants, and whose every turn is looked at."""

    def __init__(self, policy_number: int, seed: int) -> None:
        self.gate = Gate(POLICIES[policy_number], now=at("21:30"), seed=seed)
        self.gate.answers = False
        self.chance = random.Random(seed)
        self.waiting: list[int] = []
        self.granted: set[int] = set()

    def turn(self, event: events.Event) -> None:
        was, order_free = self.gate.released, self.gate.core.status().door == "free"
        found = self.gate.send(event)
        self.look(event, found, opened=self.gate.released and not was and not order_free)

    def look(self, event: events.Event, found: list[effects.Effect], *, opened: bool) -> None:
        if opened:
            assert self.may_open(event), f"{event} opened the door"
        for effect in found:
            match effect:
                case effects.Append(body, token):
                    self.waiting += [token] if token else []
                    if isinstance(body, Visit):
                        self.granted |= {token} if body.outcome is VisitOutcome.GRANTED else set()
                        self.look_at(body)
                case effects.Say(phrase, _, values):
                    assert tuple(values) == VALUES.get(Phrase(phrase), ())
        deadline = self.gate.core.deadline()
        assert deadline is None or deadline > self.gate.now.mono_ms

    def may_open(self, event: events.Event) -> bool:
        if isinstance(event, EXEMPT) or (isinstance(event, events.Committed) and event.token in self.granted):
            return True
        if isinstance(event, events.CredentialResolved) and event.direction is Direction.EXIT:
            return True
        return self.gate.policy.when_journal_fails is JournalFailure.OPEN

    def look_at(self, visit: Visit) -> None:
        passed = [step for step in visit.steps if step.step == "temperature" and step.passed]
        assert not passed or (visit.object_c is not None and visit.object_c < self.gate.policy.temperature.threshold_c)
        if visit.outcome is VisitOutcome.GRANTED and visit.direction is Direction.ENTRY:
            assert passed and visit.holder is not None and (visit.credential or visit.credential_kind == "registration")

    def go_on(self) -> None:
        if self.waiting and self.chance.random() < 0.4:
            token = self.waiting.pop(self.chance.randrange(len(self.waiting)))
            fails = self.chance.random() < 0.3
            self.turn(events.CommitFailed(token, "…") if fails else events.Committed(token))
        else:
            self.turn(happens(self.gate, self.chance))
        jump = self.chance.choice([0, 0, 31_536_000_000, -31_536_000_000]) if self.chance.random() < 0.02 else 0
        self.gate.now = type(self.gate.now)(
            self.gate.now.mono_ms + self.chance.choice([0, 1, 300, 1_500, 6_000, 40_000]), self.gate.now.at_ms + jump
        )


@settings(max_examples=120, deadline=None)
@given(policy_number=st.integers(0, len(POLICIES) - 1), seed=st.integers(0, 2**32 - 1))
def test_anything_may_happen(policy_number: int, seed: int) -> None:
    watched = Watched(policy_number, seed)
    for _ in range(80):
        watched.go_on()


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=2000),
    number=st.floats(allow_nan=True, allow_infinity=True),
    count=st.integers(-(2**40), 2**40),
)
def test_words_and_numbers_from_outside(text: str, number: float, count: int) -> None:
    gate = Gate()
    gate.arrive()
    gate.measure(number, ambient_c=number)
    gate.measure(36.5, ambient_c=24.0, reason=text)
    gate.send(
        events.Registered(text, text),
        events.Acknowledge(text, text, text),
        events.GuardRelease(text, text),
        events.DeviceChanged(text, "lost", text),
        events.CommitFailed(count, text),
        events.Committed(count),
        events.ClockStepped(count, True),
        events.JournalReplaced(text),
    )
    gate.leave()
    assert gate.durable == gate.core.durable()
