"""The gate as its page is told: made of the status, the visits, the duty roster and the road."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.alarm_rules import urgency
from gateway.core.moment import Moment
from gateway.core.policy import RoundPolicy
from gateway.core.status import Status
from gateway.page.alarms import RecentAlarms
from gateway.page.messages import (
    MAX_PACKET,
    MOST_ALARMS,
    MOST_DEVICES,
    MOST_DUTIES,
    MOST_ROUNDS,
    HandOver,
    OnDuty,
    Snapshot,
    encode,
)
from gateway.page.visits import RecentVisits
from sync.contract.alarms import Alarm, AlarmKind, DeviceReport
from sync.contract.directory import Duty, DutyRole, concerns
from sync.contract.text import harmless

ROLES = (DutyRole.GUARD, DutyRole.DUTY_ROOM, DutyRole.LEADER)


def take(
    status: Status,
    visits: RecentVisits,
    recent: RecentAlarms,
    duty: tuple[OnDuty, ...],
    now: Moment,
    *,
    handed_over: HandOver | None = None,
    devices: tuple[DeviceReport, ...] = (),
    limit: int,
    rounds: Mapping[str, RoundPolicy] = MappingProxyType({}),
    alive: bool,
) -> Snapshot:
    """The gate as it stands."""
    pressing = sorted(status.alarms, key=lambda alarm: _pressing(alarm, over=alarm.id in status.ended))
    due = list(status.rounds.items())[:MOST_ROUNDS]
    listed, still_open = tuple(pressing[:MOST_ALARMS]), {alarm.id for alarm in pressing}
    missed = [
        alarm.detail for alarm in (*listed, *recent.answered(now.mono_ms)) if alarm.kind is AlarmKind.ROUND_MISSED
    ]
    told = {name: rounds[name] for name in (*dict(due), *missed) if name in rounds}
    answered = tuple(alarm for alarm in recent.answered(now.mono_ms) if alarm.id not in still_open)
    return Snapshot(
        at_ms=now.at_ms,
        alive=alive,
        office=status.office,
        mode=status.mode,
        drill=status.drill,
        stages=tuple(stage.value for stage in status.drill_stages),
        door=status.door,
        inside=status.inside,
        limit=limit,
        guard=status.guard,
        visiting=status.visiting,
        vehicle=status.vehicle,
        visit=status.visit,
        alarms=listed,
        more_alarms=max(0, len(pressing) - MOST_ALARMS),
        lost=status.devices_lost[:MOST_DEVICES],
        devices=devices[:MOST_DEVICES],
        due=dict(due),
        kinds={name: each.what.value for name, each in told.items()},
        titles={name: each.title for name, each in told.items() if each.title},
        steps=visits.steps,
        visits=visits.last,
        duty=duty,
        handed_over=handed_over,
        ended=tuple(alarm.id for alarm in listed if alarm.id in status.ended),
        answered=answered,
        notes=recent.notes((*listed, *answered)),
    )


def packed(snapshot: Snapshot) -> bytes:
    """As one packet: of a gate in more trouble than fits, the visits, the alarms that are over and the lesser open alarms are left out."""
    packet: bytes = encode(snapshot)
    while len(packet) > MAX_PACKET and (snapshot.visits or snapshot.alarms):
        alarms = snapshot.alarms if snapshot.visits else snapshot.alarms[: len(snapshot.alarms) // 2]
        more = snapshot.more_alarms + len(snapshot.alarms) - len(alarms)
        snapshot = msgspec.structs.replace(snapshot, visits=(), answered=(), alarms=alarms, more_alarms=more)
        packet = encode(snapshot)
    return packet


def _pressing(alarm: Alarm, *, over: bool) -> tuple[tuple[bool, int, int], int]:
    """The most urgent first, then the newest."""
    place = urgency(alarm.kind, over=over, acknowledged=alarm.acknowledged, level=alarm.level)
    return place, -alarm.since_ms


def on_duty(rows: Mapping[str, bytes], now_s: int, gate: str) -> tuple[OnDuty, ...]:
    """Who has the duty at this gate now, from the directory's rows; one that is not understood names nobody."""
    mine = [value for key, value in rows.items() if concerns(key, gate)]
    found = sorted(_shifts(mine, now_s), key=lambda duty: (ROLES.index(duty.role), duty.name))
    return tuple(
        OnDuty(name=harmless(duty.name, 64), role=duty.role, phone=harmless(duty.phone, 32))
        for duty in found[:MOST_DUTIES]
    )


def _shifts(rows: Iterable[bytes], now_s: int) -> Iterator[Duty]:
    for value in rows:
        try:
            duty = msgspec.json.decode(value, type=Duty)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if duty.begins_s <= now_s < duty.ends_s:
            yield duty
