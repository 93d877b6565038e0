"""What was acknowledged at the office is told to the gate: the command `acknowledge`, at once or not at all.

A command dies with the gate's boot and is never kept for later, so who acknowledges is told what became of it, and can send it
again from the alarm's page when the gate is back.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _

from central.accounts.models import User
from central.alarms.leader import Told
from central.alarms.models import Alarm, AlarmEvent, Origin
from central.orders.models import Order, Outcome
from central.orders.sending import Wish, send
from central.registry.models import Gate
from central.text import harmless
from central.web.words import word
from sync.contract.alarms import AlarmAction
from sync.contract.commands import Acknowledge, Command, NoCommand
from sync.tls import TlsFileError

LONGEST_S: Final = 20.0  # that somebody waits for many; what is left then is said to be untold
NOTE_LENGTH: Final = 500  # of a command


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of telling one gate. `why`: in a person's words, why it does not know; "" when it carried it out."""

    gate: Gate
    why: str


def waiting(ids: Iterable[str]) -> QuerySet[Alarm]:
    """Those of them that are acknowledged here and still sound at their gate, as far as is known."""
    return Alarm.objects.filter(
        pk__in=list(ids), origin=Origin.GATE, cleared=False, gate_acknowledged=False, office_acknowledged_at__isnull=False
    ).select_related("gate")  # fmt: skip


def tell_gates(ids: Iterable[str], user: User) -> list[Heard]:
    """Tell each gate what `user` acknowledged of these, with the note and the leader's instruction. Blocks, for `LONGEST_S` and a
    command at most; a gate that missed one is not asked again. One line for each gate."""
    deadline = time.monotonic() + LONGEST_S
    told: dict[str, Heard] = {}
    for alarm in waiting(ids):
        before = told.get(alarm.gate_id)
        if before is None or not before.why:
            told[alarm.gate_id] = Heard(alarm.gate, _tell(alarm, user, late=time.monotonic() > deadline))
    return list(told.values())


def last_told(alarm: Alarm) -> Order | None:
    """The last command that was to acknowledge it at the gate."""
    return Order.objects.filter(gate_id=alarm.gate_id, action="acknowledge", target=alarm.pk).first()


def _tell(alarm: Alarm, user: User, *, late: bool) -> str:
    if settings.COMMAND_ROAD is None:
        return _("this office sends no commands")
    if not alarm.gate.is_online(office_now()):
        return _("it is offline")
    if late:
        return _("too many at a time")
    broker, key = settings.COMMAND_ROAD
    note = _note(alarm)
    wish = Wish(make=partial(_command, alarm.pk, note), target=alarm.pk, note=note)
    try:
        order = send(broker, alarm.gate, user, wish, key)
    except (NoCommand, TlsFileError) as error:
        return str(error)
    if order.outcome == Outcome.EXECUTED or order.reason == "nothing-to-acknowledge":  # somebody there was quicker
        return ""
    return f"{word('order', order.outcome)}: {word('reason', order.reason)}"


def _command(alarm: str, note: str, common: Mapping[str, Any]) -> Command:
    return Acknowledge(alarm=alarm, note=note, **common)


def _note(alarm: Alarm) -> str:
    """What was done, and what the leader on shift instructed before: the gate's page shows both."""
    instructed = alarm.events.filter(
        action=AlarmAction.NOTED, what=Told.INSTRUCTION, source=AlarmEvent.Source.OFFICE
    ).order_by("-at_ms", "-pk")
    said = [f"{word('noted', Told.INSTRUCTION)}: {event.note}" for event in instructed[:1]]
    return harmless(" · ".join([*said, alarm.office_note]), NOTE_LENGTH)
