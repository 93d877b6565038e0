"""Whatever happens at a gate: every visit on record is decided again by its evidence, alike."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import events
from gateway.core.findings import READINGS, Decision, redecided
from gateway.core.moment import Moment
from gateway.core.policy import (
    AntiPassback,
    Booked,
    CapacityPolicy,
    Mode,
    ModeSchedule,
    Policy,
    PortalKind,
    StepsRule,
)
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, Step, Visit, VisitOutcome, decode_body, encode_body
from tests.gateway.core.acting import CARD, Gate, at, bad, card, health, policy
from tests.gateway.core.crowd import a_proper_visit, happens

EVERY_STEP = (Step.CREDENTIAL, Step.TEMPERATURE, Step.HEALTH_CODE, Step.REGISTRATION)
ASKING_EXIT = {
    "out": StepsRule(direction=Direction.EXIT, steps=(Step.CREDENTIAL, Step.TEMPERATURE, Step.HEALTH_CODE)),
    "side": StepsRule(lanes=("side",), steps=(Step.CREDENTIAL,)),
    "rush": StepsRule(begins="21:40", ends="22:10", pass_types=(PassType.RESIDENT,), steps=(Step.CREDENTIAL,)),
    "night": StepsRule(begins="23:00", ends="05:00", steps=EVERY_STEP),
}
POLICIES = [
    policy(),
    policy(rules=ASKING_EXIT, portal__escape_route=False, portal__exit_needs_credential=True),
    policy(rules=ASKING_EXIT),  # an escape route: what is asked on the way out is asked of nobody
    policy(portal__anti_passback=AntiPassback.HARD, portal__escape_route=False, visit__bad_credentials=2),
    policy(portal__anti_passback=AntiPassback.TIMED, capacity=CapacityPolicy(limit=2, booked=Booked.RESERVED)),
    policy(capacity=CapacityPolicy(limit=3, site_wide=True, booked=Booked.REQUIRED), visit__presence_sensor=False),
    policy(schedules={"evening": ModeSchedule(begins="21:45", ends="23:00", mode=Mode.CLOSED)}, temperature__repeats=3),
    policy(portal__kind=PortalKind.SEALED),
    policy(temperature__offset_c=0.4, temperature__ambient_factor=0.05, temperature__repeats=0),
]
NOW_S = at("21:30").at_ms // 1000
PEOPLE = [
    card("h-1", stays_home=True),
    card("h-2", PassType.TENANT, booked=((NOW_S, NOW_S + 900), (NOW_S + 5_000, NOW_S + 9_000))),
    card("h-3", PassType.RETURNEE, kind="pass", serves=CARD | {Step.HEALTH_CODE}, health_code=HealthCode.YELLOW),
    card("h-4", None, serves=frozenset({Step.CREDENTIAL}), counter=77, kind="pass"),
    card("h-5", PassType.VISITOR, extended=True),
    health(HealthCode.GREEN, "code-h-2", "h-2"),
    health(HealthCode.RED, "code-h-3"),
    bad(events.Outcome.UNCHECKED, "clock-untrusted", kind="pass"),
    bad(events.Outcome.NEEDS_ONLINE, "no-answer", kind="health-code", denied=True),
]


def rarer(gate: Gate, chance: random.Random) -> events.Event:
    """What the crowd does seldom or never."""
    read_ms = gate.now.mono_ms - chance.choice([0, 0, 0, 4_000])
    direction = chance.choice(list(Direction))
    return chance.choice(
        [
            *[events.CredentialResolved(chance.choice(PEOPLE), chance.choice(["front", "side"]), direction, read_ms)]
            * 6,
            events.Registered("e-2", "li", instead=True),
            events.Registered("e-3", "li"),
            events.Presence(True),
            events.Crossing(direction),
            events.CountCorrected(chance.randrange(5), "li"),
            events.SiteCount(chance.randrange(5), 0),
            events.VehicleNoted("京A12345", "li", delivery=True),
            events.ModeOrdered(
                chance.choice([Mode.CLOSED, Mode.NORMAL, Mode.NORMAL]), "li", drill=chance.random() < 0.2
            ),
            events.DeviceChanged(chance.choice(["thermometer", "presence"]), chance.choice(["lost", "ok", "ok"])),
        ]
    )


def something(gate: Gate, chance: random.Random) -> None:
    """The next thing, and some time."""
    if chance.random() < 0.03:
        a_proper_visit(gate, chance)
        for direction in chance.sample(list(Direction), 2):
            gate.arrive()
            gate.read(card(f"h-{chance.randrange(90)}"), direction)
            holder = gate.last.holder if gate.visits else ""  # on the way out more may be asked: then there is none yet
            gate.read(card(holder or "h-0"), direction)
    else:
        gate.send(rarer(gate, chance) if chance.random() < 0.4 else happens(gate, chance))
    gate.wait(chance.choice([0, 0, 0.1, 0.6, 3.0, 6.0, 30.0]))


def held_against_its_evidence(visit: Visit, policies: dict[str, Policy]) -> None:
    """A visit, as it is read back from the journal."""
    body = decode_body("visit", encode_body(visit))
    assert isinstance(body, Visit) and {kept.event for kept in body.evidence} <= READINGS.keys()
    findings = redecided(body, policies[body.policy_version])
    assert findings.judge() == Decision(visit.outcome, visit.reasons)
    assert tuple(findings.steps) == visit.steps and findings.health_code == visit.health_code
    assert (findings.screening.object_c, findings.lane) == (visit.object_c, visit.lane)


@settings(max_examples=120, deadline=None)
@given(first=st.integers(0, len(POLICIES) - 1), seed=st.integers(0, 2**32 - 1))
def test_every_visit_is_decided_again_alike(first: int, seed: int) -> None:
    chance = random.Random(seed)
    gate = Gate(POLICIES[first], now=at("21:30"), seed=seed)
    policies = {"p1": POLICIES[first]}
    for number in range(120):
        if chance.random() < 0.02:
            version = f"p{number + 2}"
            changed = chance.choice(POLICIES)
            changed = replace(changed, portal=replace(changed.portal, kind=gate.policy.portal.kind))
            policies[version] = changed
            gate.send(events.PolicyChanged(changed, version))
        something(gate, chance)
        if chance.random() < 0.02:
            gate.now = Moment(gate.now.mono_ms, gate.now.at_ms + chance.choice([-90_000_000, 7_200_000]))
    gate.wait(120)
    for visit in gate.visits:
        held_against_its_evidence(visit, policies)


def test_the_crowd_makes_visits_of_every_sort() -> None:
    """Else the property above would say little."""
    outcomes, directions, several, reasons = set(), set(), False, set()
    for seed in range(80):
        chance = random.Random(seed)
        gate = Gate(POLICIES[seed % len(POLICIES)], now=at("21:30"), seed=seed)
        for _ in range(160):
            something(gate, chance)
        outcomes |= {visit.outcome for visit in gate.visits}
        directions |= {visit.direction for visit in gate.visits}
        reasons |= {reason for visit in gate.visits for reason in visit.reasons}
        exits = (visit for visit in gate.visits if visit.direction is Direction.EXIT)
        several = several or any(len(visit.steps) > 2 for visit in exits)
    assert outcomes == set(VisitOutcome) and directions == set(Direction) and several
    circumstances = {"full", "no-slot", "closed-management", "home-observation", "already-inside", "sealed", "lockdown"}
    assert circumstances | {"fever", "locked-out", "time-out", "second-credential", "no-credential"} <= reasons, reasons
