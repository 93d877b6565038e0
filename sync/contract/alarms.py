"""Alarm and state: the two plain-JSON messages that any other tool can subscribe to.

Neither carries a holder, a temperature or a pass. An alarm has a random id of its own and is sent before its record is
committed; the record carries the same id. The retained `state` lists every open alarm, so that raising, acknowledging
and clearing all overtake the backlog.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final

import msgspec


class AlarmKind(StrEnum):
    """What an alarm is about."""

    DOOR_FORCED = "door-forced"
    DOOR_HELD_OPEN = "door-held-open"
    UNLATCHED = "unlatched"  # the door is shut, and the lock does not hold it
    TAMPER = "tamper"
    FIRE = "fire"
    FEVER = "fever"
    LOCK_OUT = "lock-out"  # five bad credentials in a row
    NIGHT_ARRIVAL = "night-arrival"  # somebody is at the gate at night: wake the guard
    PASSED_WITHOUT_GRANT = "passed-without-grant"
    DEVICE_LOST = "device-lost"
    JOURNAL_FAILED = "journal-failed"  # a record could not be written: disk full, input/output error
    JOURNAL_REPLACED = "journal-replaced"  # a damaged journal was moved aside, or one was gone, and a new log opened
    DISK = "disk"  # the gate's disk is nearly full, or its journal too large: records that can be spared are given up
    CLOCK = "clock"
    HOME_OBSERVATION = "home-observation"  # somebody who is to stay at home is on the way out
    CALL = "call"  # somebody pressed the call button
    TAILGATING = "tailgating"  # more people passed than were granted
    REFUSED_PASSED = "refused-passed"  # somebody who was refused passes all the same
    ANTI_PASSBACK = "anti-passback"  # somebody comes in who is inside already, or goes out who never came in
    CAPACITY = "capacity"  # nearly, or quite, as many inside as may be
    NETWORK = "network"  # nothing was heard of the office for a while
    PRESENCE_CHECK = "presence-check"  # the night guard is to press the button
    GUARD_ABSENT = "guard-absent"  # nobody answers the presence check
    ROUND_MISSED = "round-missed"  # what is due by timetable was not confirmed in time
    POST_LOST = "post-lost"  # nothing was heard of the guard post


class Concern(StrEnum):
    """What an alarm is to people, and so what is left of it once it is over and nobody has acknowledged it."""

    DANGER = "danger"  # somebody has to look at what happened: it stays until he has acknowledged it
    CALL = "call"  # somebody waited for the guard: nothing is left where its end says why (`CallEnd`); else that nobody answered
    NOTICE = "notice"  # it was worth knowing while it lasted: nothing is left


CONCERNS: Final[Mapping[str, Concern]] = {
    AlarmKind.NIGHT_ARRIVAL: Concern.CALL,
    AlarmKind.CALL: Concern.CALL,
    AlarmKind.CAPACITY: Concern.NOTICE,
    AlarmKind.NETWORK: Concern.NOTICE,  # whoever reads that it is over hears the gate
    AlarmKind.PRESENCE_CHECK: Concern.NOTICE,  # not answered, it becomes `guard-absent`
}
"""Of the kinds that are no danger. What is not known here is one."""


def concern(kind: str) -> Concern:
    """What a kind of alarm, also one of a newer gate, is to people."""
    return CONCERNS.get(kind, Concern.DANGER)


class CallEnd(StrEnum):
    """What the record of a call's end says (`AlarmRecord.what`) where nobody had to answer it any more."""

    GRANTED = "granted"  # whoever the guard was called for was let in
    WENT_OUT = "went-out"  # he wanted nothing: he was on the way out


class AlarmAction(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    REPEATED = "repeated"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"  # nobody has acknowledged it: the next level is told
    SILENCED = "silenced"  # the siren was stopped, which acknowledges nothing
    NOTED = "noted"  # what the leader on shift instructed, or what was done
    ENDED = "ended"  # what it is about is over, and nobody has acknowledged it: it stays open
    CLEARED = "cleared"


class Level(IntEnum):
    """Whom an alarm that nobody acknowledges concerns by now."""

    GATE = 0
    LOUDER = 1
    DUTY_ROOM = 2  # 值班人员
    LEADER = 3  # 带班领导


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One open (or just closed) alarm.

    `id`: 32 hexadecimal digits; `since_ms`: Unix milliseconds by the gate's clock; `count`: how often it was raised
    within its window; `last_ms`: when it was raised last, 0 for only once; `detail`: a short machine word such as a device's name, never
    a person; `level`: whom it concerns by now, as nobody has acknowledged it.
    """

    id: str
    kind: AlarmKind
    portal: str
    since_ms: int
    count: int = 1
    acknowledged: bool = False
    acknowledged_by: str = ""
    detail: str = ""
    level: Level = Level.GATE
    last_ms: int = 0


class AlarmMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Payload of `…/alarm`, QoS 1, not retained."""

    action: AlarmAction
    alarm: Alarm
    at_ms: int
    boot: str
    mono_ms: int


class CommandOutcome(StrEnum):
    """What became of a command."""

    EXECUTED = "executed"
    REFUSED = "refused"


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the command `id`. `reason`: why it was refused, in one machine word."""

    id: str
    outcome: CommandOutcome
    reason: str = ""


MOST_DEVICES = 32
"""So many a state tells of; of more, those that are not well come first."""


class DeviceReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a device of the gate is.

    `state`: `starting`, `ok`, `stale` or `lost`; `valid_at_ms`: when its last valid frame came, Unix milliseconds by the gate's
    clock, 0 for never; since the gate was started: valid `frames`, `bad` ones (wrong checksum, malformed), bytes of `noise`
    that were passed over until the next frame, and `reopens`: how often it was opened again. No reading, and nothing of a person.
    """

    name: str
    state: str
    valid_at_ms: int = 0
    frames: int = 0
    bad: int = 0
    noise: int = 0
    reopens: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The last question of a guard post that the gate has heard (`sync.contract.post.Question`)."""

    post: str
    number: str


class StateMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Payload of the retained `…/state`, QoS 1; the last will is the same message with `online` false and no alarms.

    `drill`: the mode is an exercise. `(boot, connection)` orders them: a message of an older connection is ignored. `head` is the number of the last
    record written, `acked` of the last one the office acknowledged. `commands`: what became of the last few of the office's
    commands, so that the answers overtake the backlog, too. `directory_…`: which state of the site's directory the gate
    decides by, and when the office last said that it is the newest (Unix milliseconds); 0 for none. `devices`: each device, at most 32;
    without: they are in the states in which this connection told them last, name by name.
    `ended`: the ids of the open alarms that are over, and wait only to be acknowledged, or (what came and went) to come no more.
    `asked`: on the road to the guard post, which question of each post the gate has heard last; so whoever only repeats what a gate
    once said is found out.
    """

    online: bool
    boot: str
    connection: int
    mono_ms: int = 0
    at_ms: int = 0
    clock_trusted: bool = False
    version: str = ""
    mode: str = ""
    door: str = ""
    inside: int = 0
    drill: bool = False
    log_id: str = ""
    head: int = 0
    acked: int = 0
    directory_epoch: int = 0
    directory_version: int = 0
    directory_at_ms: int = 0
    devices_lost: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    ended: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    commands: tuple[Answer, ...] = ()
    devices: tuple[DeviceReport, ...] | msgspec.UnsetType = msgspec.UNSET
