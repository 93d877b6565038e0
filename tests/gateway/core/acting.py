"""What the core's tests share: a gate whose time is a number, whose journal is a list, and people who act on it."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.core import effects, events
from gateway.core.checkpoint import Checkpoint
from gateway.core.equipment import Equipment
from gateway.core.moment import Moment
from gateway.core.policy import Policy, PortalPolicy, TemperaturePolicy, VisitPolicy
from sync.contract.alarms import AlarmKind
from sync.contract.colours import HealthCode, Lamp, PassType
from sync.contract.records import (
    AlarmRecord,
    Body,
    Direction,
    Step,
    Visit,
    VisitOutcome,
    decode_body,
    encode_body,
    kind_of,
)

Kind = TypeVar("Kind")
CARD = frozenset({Step.CREDENTIAL, Step.REGISTRATION})


def at(hhmm: str = "10:00", mono_ms: int = 1_000_000) -> Moment:
    """A moment of a day at the site."""
    local = datetime(2026, 3, 2, int(hhmm[:2]), int(hhmm[3:]), tzinfo=ZoneInfo("Asia/Shanghai"))
    return Moment(mono_ms, int(local.timestamp() * 1000))


def policy(**changes: object) -> Policy:
    """The default policy with changes: `portal__release_s=3`, `when_journal_fails=…`."""
    parts: dict[str, dict[str, object]] = {"portal": {}, "visit": {}, "temperature": {}, "": {}}
    for key, value in changes.items():
        part, _, name = key.rpartition("__")
        parts[part][name] = value
    return replace(
        Policy(),
        portal=replace(PortalPolicy(), **parts["portal"]),
        visit=replace(VisitPolicy(), **parts["visit"]),
        temperature=replace(TemperaturePolicy(), **parts["temperature"]),
        **parts[""],
    )


def card(holder: str = "h-1", pass_type: PassType | None = PassType.RESIDENT, **changes: object) -> events.Verdict:
    """A valid card."""
    values: dict[str, object] = {
        "outcome": events.Outcome.VALID,
        "reason": "ok",
        "kind": "card",
        "credential": f"card-{holder}",
        "serves": CARD,
        "holder": holder,
        "pass_type": pass_type,
    }
    return events.Verdict(**(values | changes))  # type: ignore[arg-type]  # tests name the fields


def health(code: HealthCode | None = HealthCode.GREEN, credential: str = "code-1", holder: str = "") -> events.Verdict:
    """A health code."""
    return card(
        holder, None, kind="health-code", credential=credential, serves=frozenset({Step.HEALTH_CODE}), health_code=code
    )


def bad(
    outcome: events.Outcome = events.Outcome.UNKNOWN,
    reason: str = "unknown-code",
    credential: str = "bad-1",
    kind: str = "text",
    *,
    denied: bool = False,
    genuine: bool = False,
) -> events.Verdict:
    """A refused one."""
    return events.Verdict(
        outcome=outcome, reason=reason, kind=kind, credential=credential, denied=denied, genuine=genuine
    )


class Gate:
    """A checkpoint, its time and its journal. The journal answers at once unless `answers` is false."""

    def __init__(
        self,
        settings: Policy | None = None,
        *,
        state: Mapping[str, bytes] | None = None,
        now: Moment | None = None,
        has: Equipment | None = None,
        seed: int = 1,
    ) -> None:
        self.policy = settings or Policy()
        self.has = has
        self.now = now or at()
        self.answers = True
        self.seen: list[effects.Effect] = []
        self.commits: list[tuple[Body, dict[str, bytes]]] = []
        self.released = False
        self.lamp = Lamp.OFF
        self.tones: set[effects.Tone] = set()
        self._random = random.Random(seed)
        self._state: dict[str, bytes] = dict(state or {})
        self.core = Checkpoint(
            self.policy, ids=self.new_id, state=self._state, policy_version="p1", version="test", has=has
        )
        self.began = self.take(self.core.start(self.now))

    def new_id(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._random.getrandbits(128):032x}"

    def send(self, *sent: events.Event) -> list[effects.Effect]:
        """Tell the core; what it wants done, the journal's answers included."""
        found: list[effects.Effect] = []
        for event in sent:
            found += self.take(self.core.handle(event, self.now))
        return found

    def take(self, todo: Iterable[effects.Effect]) -> list[effects.Effect]:
        """Carry out."""
        found = list(todo)
        self.seen += found
        written: list[int] = []
        for effect in found:
            match effect:
                case effects.SetLock(released):
                    self.released = released
                case effects.SetLamp(lamp):
                    self.lamp = lamp
                case effects.SetTone(tone, on):
                    (self.tones.add if on else self.tones.discard)(tone)
                case effects.Append(body, token, changes):
                    self._commit(body, changes)
                    written += [token] if token and self.answers else []
        return found + self.send(*map(events.Committed, written))

    def _commit(self, body: Body, changes: Iterable[effects.StateChange]) -> None:
        for change in changes:
            if change.value is None:
                del self._state[change.key]
            else:
                self._state[change.key] = change.value
        read_back = decode_body(kind_of(body), encode_body(body))
        assert read_back == body
        self.commits.append((body, dict(self._state)))

    def wait(self, seconds: float) -> list[effects.Effect]:
        """Let time pass, with a tick whenever the core wants one."""
        end = self.now.mono_ms + round(seconds * 1000)
        found: list[effects.Effect] = []
        while (deadline := self.core.deadline()) is not None and deadline <= end:
            self.now = self.now.after(deadline - self.now.mono_ms)
            found += self.send(events.Tick())
            again = self.core.deadline()
            assert again is None or again > self.now.mono_ms, "a deadline that does not move is a busy loop"
        self.now = self.now.after(end - self.now.mono_ms)
        return found

    # what people and devices do

    def read(
        self, verdict: events.Verdict, direction: Direction = Direction.ENTRY, age_s: float = 0
    ) -> list[effects.Effect]:
        """A card or code is read."""
        read_ms = self.now.mono_ms - round(age_s * 1000)
        return self.send(events.CredentialResolved(verdict, "reader", direction, read_ms))

    def measure(
        self, object_c: float | None = 36.5, ambient_c: float | None = 24.0, reason: str = "ok", age_s: float = 0
    ) -> list[effects.Effect]:
        """A temperature is measured."""
        return self.send(
            events.TemperatureMeasured(
                thermometer="thermometer",
                object_c=object_c,
                ambient_c=ambient_c,
                samples=5,
                reason=reason,
                read_mono_ms=self.now.mono_ms - round(age_s * 1000),
            )
        )

    def arrive(self) -> list[effects.Effect]:
        """Somebody steps up."""
        return self.send(events.Presence(True))

    def leave(self) -> list[effects.Effect]:
        """They go, for good."""
        return self.send(events.Presence(False)) + self.wait(self.policy.visit.presence_lost_s)

    def go_through(self) -> None:
        """Open, cross the beam, let it shut."""
        self.send(events.DoorContact(True))
        self.wait(1)
        self.send(events.Crossing(None))
        self.wait(1)
        self.send(events.DoorContact(False))

    # what there is to see

    @property
    def durable(self) -> dict[str, bytes]:
        """What the journal holds of the core's state."""
        return dict(self._state)

    @property
    def visits(self) -> list[Visit]:
        """All visits on record."""
        return [body for body, _ in self.commits if isinstance(body, Visit)]

    @property
    def last(self) -> Visit:
        """The last one."""
        return self.visits[-1]

    @property
    def decided(self) -> tuple[VisitOutcome, tuple[str, ...]]:
        """How the last one ended."""
        return self.last.outcome, self.last.reasons

    @property
    def open_alarms(self) -> list[AlarmKind]:
        """The kinds of the open alarms."""
        return [alarm.kind for alarm in self.core.status().alarms]

    def bodies(self, kind: type[Kind]) -> list[Kind]:
        """All records of one kind."""
        return [body for body, _ in self.commits if isinstance(body, kind)]

    def alarm_actions(self, kind: AlarmKind) -> list[str]:
        """What happened to alarms of a kind, in order."""
        return [body.action.value for body in self.bodies(AlarmRecord) if body.alarm.kind is kind]


def said(found: Iterable[effects.Effect]) -> list[str]:
    """The phrases said."""
    return [effect.phrase for effect in found if isinstance(effect, effects.Say)]


def shown(found: Iterable[effects.Effect], what: str) -> list[dict[str, str]]:
    """What was shown of one thing."""
    return [dict(effect.values) for effect in found if isinstance(effect, effects.Show) and effect.what == what]


def measures_again(found: Iterable[effects.Effect]) -> bool:
    """Whether a new measurement was asked for."""
    return any(isinstance(effect, effects.MeasureAgain) for effect in found)
