"""What a guard asks for, as an event of the core; and whether he may. Pure but for who keeps a visitor."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.core import events
from gateway.core.drill import BY_PEOPLE
from gateway.core.policy import Mode
from gateway.core.status import Status
from gateway.core.visit import SOMEBODY_ELSE
from gateway.page import messages
from gateway.page.messages import LEADERS_MODES
from sync.contract.records import ShiftAction
from sync.contract.text import harmless

GUARDS_SHIFTS = frozenset({ShiftAction.BEGUN, ShiftAction.HANDED_OVER, ShiftAction.ENDED})
LEADER_ONLY, NO_SUCH_ALARM, NOBODY_THERE, NO_DRILL, NOT_DUE, NO_NAME = (
    "leader-only",
    "nothing-to-acknowledge",
    "nobody-there",
    "no-drill",
    "not-due",
    "no-name",
)
TURNED_AWAY = "turned-away"
Keep = Callable[[messages.Register], str]
"""Keeps a registration; its reference."""


def against(action: messages.Action, status: Status, *, leader: bool) -> str:
    """Why this is not carried out, in one machine word; "" when it is."""
    rule = _RULES.get(type(action))
    return "" if rule is None else rule(action, status, leader)


def _against_switch(asked: messages.Switch, status: Status, leader: bool) -> str:
    touched = {asked.mode, Mode(status.mode)}
    leaders = asked.drill or status.drill or not touched.isdisjoint(LEADERS_MODES)
    return LEADER_ONLY if leaders and not leader else ""


def _against_alarm(asked: messages.Acknowledge | messages.NoteAlarm, status: Status, leader: bool) -> str:
    if isinstance(asked, messages.NoteAlarm) and asked.what == "instruction" and not leader:
        return LEADER_ONLY
    return "" if any(each.id == asked.alarm for each in status.alarms) else NO_SUCH_ALARM


def _against_visit(_asked: messages.Action, status: Status, _leader: bool) -> str:
    return "" if status.visiting else NOBODY_THERE


def _against_register(asked: messages.Register, status: Status, leader: bool) -> str:
    """A form that was begun when nobody was there is for nobody who has come since."""
    return _against_visit(asked, status, leader) or ("" if asked.visit else SOMEBODY_ELSE)


def _against_stamp(asked: messages.Stamp, status: Status, _leader: bool) -> str:
    return "" if status.drill and asked.stage in BY_PEOPLE else NO_DRILL


def _against_round(asked: messages.Confirm, status: Status, _leader: bool) -> str:
    return "" if asked.round in status.rounds else NOT_DUE


def _against_shift(asked: messages.Shift, _status: Status, _leader: bool) -> str:
    if asked.action not in GUARDS_SHIFTS:
        return "unknown-action"
    return NO_NAME if asked.action is ShiftAction.HANDED_OVER and not asked.to else ""


def became(number: int, outcome: str, reasons: tuple[str, ...], place: int) -> messages.Answer:
    """The answer to a registration, of what the core made of it (`turned-away`, `waits`, or how the visit ended); `place`: in the queue."""
    if outcome == TURNED_AWAY:
        return messages.Answer(id=number, ok=False, reason=reasons[0])
    return messages.Answer(id=number, ok=True, reason=f"registered-{outcome}", why=reasons, number=place)


_RULES: Mapping[type, Callable[[Any, Status, bool], str]] = {
    messages.Switch: _against_switch,
    messages.NoteAlarm: _against_alarm,
    messages.Acknowledge: _against_alarm,
    messages.Register: _against_register,
    messages.Stamp: _against_stamp,
    messages.Confirm: _against_round,
    messages.Shift: _against_shift,
}


def event_of(action: messages.Action, by: str, keep: Keep) -> events.Event:
    """The event. `by`: whose log-in it is. Raises whatever `keep` does."""
    if isinstance(action, messages.Register):
        return events.Registered(keep(action), by, action.instead, action.visit)
    return _EVENTS[type(action)](action, by)


_EVENTS: Mapping[type, Callable[[Any, str], events.Event]] = {
    messages.Acknowledge: lambda asked, by: events.Acknowledge(by, asked.alarm, _line(asked.note)),
    messages.NoteAlarm: lambda asked, by: events.AlarmNoted(asked.alarm, by, asked.what, _line(asked.note)),
    messages.StopSiren: lambda _asked, by: events.SirenStopped(by),
    messages.Release: lambda asked, by: events.GuardRelease(by, _line(asked.reason)),
    messages.Vehicle: lambda asked, by: events.VehicleNoted(_line(asked.plate), by, asked.delivery),
    messages.Correct: lambda asked, by: events.CountCorrected(asked.inside, by),
    messages.Switch: lambda asked, by: events.ModeOrdered(asked.mode, by, asked.drill),
    messages.Stamp: lambda asked, by: events.DrillStamped(asked.stage, by),
    messages.Shift: lambda asked, by: events.ShiftChanged(asked.action, by, _line(asked.to), _line(asked.note)),
    messages.Confirm: lambda asked, by: events.RoundConfirmed(asked.round, by),
}


def _line(text: str) -> str:
    return harmless(text.strip())
