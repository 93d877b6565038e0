"""What the leader on shift (带班领导) instructed about an alarm, and that it was done, entered at the office.

Beside what gates record of the same: both are events of the alarm, told apart by their source. Neither acknowledges anything.
"""

from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.alarms.models import Alarm, AlarmEvent
from central.registry.models import Gate
from central.text import harmless
from sync.contract.alarms import AlarmAction, Level

NOTE_LENGTH = 500
MAY_NOTE = "alarms.add_alarmevent"
_INSTRUCTED = Exists(AlarmEvent.objects.filter(alarm=OuterRef("pk"), action=AlarmAction.NOTED, what="instruction"))


class Told(StrEnum):
    """What is written down: the same words as in a gate's records."""

    INSTRUCTION = "instruction"  # 带班领导指示
    DONE = "done"  # 执行情况


def with_instructions(alarms: QuerySet[Alarm]) -> QuerySet[Alarm]:
    """Each with `uninstructed`: it has come to the leader on shift, and nothing is written down that he instructed."""
    return alarms.annotate(uninstructed=Q(level__gte=Level.LEADER) & ~_INSTRUCTED)


def without_instruction(alarms: QuerySet[Alarm]) -> QuerySet[Alarm]:
    """Those of which `uninstructed` is true."""
    return alarms.filter(~_INSTRUCTED, level__gte=Level.LEADER)


def note(alarm_id: str, user: User, what: Told, text: str) -> AlarmEvent:
    """Write it down, with who and when. Raises Alarm.DoesNotExist."""
    now = office_now()
    at_ms = int(now.timestamp() * 1000)
    with transaction.atomic():
        Gate.hold(Alarm.objects.filter(pk=alarm_id).values_list("gate_id", flat=True))
        return AlarmEvent.objects.create(
            alarm=Alarm.objects.get(pk=alarm_id),
            action=AlarmAction.NOTED,
            step=_free_step(alarm_id, at_ms),
            source=AlarmEvent.Source.OFFICE,
            at_ms=at_ms,
            by=harmless(user.get_username(), 150),
            note=harmless(text, NOTE_LENGTH),
            what=what,
            received_at=now,
        )


def _free_step(alarm_id: str, at_ms: int) -> int:
    """Below 0, where no gate's note stands (`book._step`); one of its own, though two come within a millisecond."""
    taken = AlarmEvent.objects.filter(alarm=alarm_id, action=AlarmAction.NOTED, step__lte=-at_ms).order_by("step")
    last = taken.values_list("step", flat=True).first()
    return -at_ms if last is None else last - 1
