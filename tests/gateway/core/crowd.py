"""Days of random but seeded events: whatever may happen at a gate, as it may happen."""

import random
from collections.abc import Callable

from gateway.core import events
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, DrillStage, ShiftAction, Step
from tests.gateway.core.acting import CARD, Gate, bad, card, health

DEVICES = ("door-contact", "presence", "thermometer", "entry-camera", "lock", "?")
ON_OFF: tuple[Callable[[bool], events.Event], ...] = (
    events.Presence,
    events.DoorContact,
    events.FireInput,
    events.TamperInput,
    events.Approach,
    events.TooClose,
    events.LatchMonitor,
)


def verdicts() -> list[events.Verdict]:
    """Whatever a resolver may say."""
    people = [card(f"h-{n}", kind) for n, kind in enumerate([*PassType, None])]
    unregistered = card("h-9", PassType.VISITOR, serves=frozenset({Step.CREDENTIAL}))
    both = card("h-8", PassType.VISITOR, serves=CARD | {Step.HEALTH_CODE}, health_code=HealthCode.GREEN, extended=True)
    phones = [
        card(f"h-{n}", kind="pass", credential=f"pass-{n}", counter=counter) for n in (2, 7) for counter in (5, 6)
    ]
    kept = {"statement": "vaccination", "country": "AT"}
    certificate = card("h-7", None, kind="eu-certificate", serves=frozenset({Step.HEALTH_CODE}), facts=kept,
                       health_code=HealthCode.GREEN)  # fmt: skip
    codes = [health(code, f"code-{code}") for code in (*HealthCode, None)]
    refused = [bad(outcome, outcome.value, f"bad-{outcome}") for outcome in events.Outcome if outcome != "valid"]
    nothing = card("", None, credential="", serves=frozenset())
    return [*people, unregistered, both, *phones, certificate, *codes, *refused, nothing]


VERDICTS = verdicts()


def reading(gate: Gate, chance: random.Random) -> events.Event:
    """A card, a code or a temperature."""
    read_ms = gate.now.mono_ms - chance.choice([0, 0, 100, 8_000])
    if chance.random() < 0.05:
        return events.CodeUnread(chance.choice(["closer", "hold-still", "?"]), "reader", chance.choice([*Direction]))
    if chance.random() < 0.5:
        direction = Direction.EXIT if chance.random() < 0.1 else Direction.ENTRY
        return events.CredentialResolved(chance.choice(VERDICTS), "reader", direction, read_ms)
    return events.TemperatureMeasured(
        thermometer="thermometer",
        object_c=chance.choice([36.4, 36.6, 36.9, 38.2, 34.0, 12.0, None, float("nan"), float("inf")]),
        ambient_c=chance.choice([24.0, 24.0, 24.0, 2.0, None, float("nan")]),
        spread_c=chance.choice([0.1, float("nan")]),
        reason=chance.choice(["ok", "unsteady"]),
        read_mono_ms=read_ms,
    )


def disturbance(gate: Gate, chance: random.Random) -> events.Event:
    """Something that is nobody's visit."""
    alarms = [alarm.id for alarm in gate.core.status().alarms]
    return chance.choice(
        [
            events.Registered("e-1", "li"),
            events.Crossing(chance.choice([None, *Direction])),
            events.ExitRequested(),
            events.CallPressed(),
            events.Acknowledge("button"),
            events.Acknowledge("li", chance.choice([*alarms, "none"])),
            events.GuardRelease("li"),
            events.Registered("e-2", "li", True),
            events.SirenStopped("li"),
            events.AlarmNoted(chance.choice([*alarms, "none"]), "li", chance.choice(["instruction", "done", "?"]), "…"),
            events.CountCorrected(chance.choice([-1, 0, 5]), "li"),
            events.VehicleNoted("A1", "li", chance.random() < 0.5),
            events.ShiftChanged(chance.choice([*ShiftAction]), "li", "wu"),
            events.DrillStamped(chance.choice([*DrillStage]), "li"),
            events.RoundConfirmed("none", "li"),
            events.Heard(chance.choice(["office", "post", "?"]), chance.random() < 0.5),
            events.SiteCount(chance.choice([-3, 0, 40]), 0),
            events.DiskScarce(chance.choice(["", *events.SCARCE])),
            events.ModeOrdered(chance.choice([*events.Mode, events.Mode.NORMAL, events.Mode.NORMAL]), "office"),
            events.DeviceChanged(chance.choice(DEVICES), chance.choice(["ok", "ok", "stale", "lost", "starting"])),
            events.ClockStepped(chance.choice([-1_000, 90_000]), chance.random() < 0.5),
            events.JournalReplaced("…"),
            events.JournalWorks(),
            events.CommitFailed(0, "disk full"),
            events.Committed(chance.randrange(50)),
            events.Tick(),
        ]
    )


def happens(gate: Gate, chance: random.Random) -> events.Event:
    """The next thing."""
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(ON_OFF)(chance.random() < 0.6)
    return reading(gate, chance) if kind < 0.75 else disturbance(gate, chance)


def a_proper_visit(gate: Gate, chance: random.Random) -> None:
    """Somebody who does it as it is meant, so that a random day has grants and passages too."""
    gate.send(events.FireInput(False), events.ModeOrdered(events.Mode.NORMAL, "office"))
    for device in DEVICES:
        gate.send(events.DeviceChanged(device, "ok"))
    gate.send(events.DoorContact(False))
    gate.leave()
    gate.arrive()
    gate.read(card(f"h-{chance.randrange(90)}"))
    gate.wait(chance.random() * 3)
    gate.measure(chance.choice([36.5, 36.5, 38.5]))
    gate.go_through()
    if chance.random() < 0.7:
        gate.leave()


def a_day(gate: Gate, seed: int, length: int) -> None:
    """A random day at a gate."""
    chance = random.Random(seed)
    for _ in range(length):
        if chance.random() < 0.05:
            a_proper_visit(gate, chance)
        else:
            gate.send(happens(gate, chance))
            gate.wait(chance.choice([0, 0, 0.1, 0.6, 1.2, 3.0, 30.0]))
