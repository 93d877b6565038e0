"""What the office knows of every alarm, from messages that come in any order and more than once.

An alarm's facts only grow: raised, counted up, acknowledged, cleared; it never opens again (the next one has another
id). The one question of order is whether a state message that does not list an alarm is later than the news of it:
`_settled` answers it. What may come and go is whether an open alarm is over (a forced door that was shut, and is forced again):
the gate's state says so and no message does, so here it is as in the last state, but for a repetition after that.

An alarm is settled when it is closed and nobody has to look at it any more: it was acknowledged, or it is of a kind of which then
nothing is left (`sync.contract.alarms.concern`), or the record of its end says that the call was answered by it. That record may come long
after the message of the end; until then nobody has answered.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.alarms.models import ENDED, Alarm, AlarmEvent, Origin
from central.registry.models import Gate
from central.registry.states import boot_name
from central.text import harmless
from sync.contract.alarms import Alarm as Told
from sync.contract.alarms import AlarmAction, CallEnd, StateMessage

CLONED: Final = "cloned-gate"
AGAIN_AFTER: Final = timedelta(hours=1)
_ID = re.compile(r"[0-9a-f]{32}")
Source = AlarmEvent.Source


class NotOurAlarm(Exception):
    """An alarm that cannot be one of this gate's: a malformed id, or the id of another gate's alarm."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a piece of news stands in the gate's own order; `log_id` and `seq` for records only."""

    boot: str
    mono_ms: int
    log_id: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing that happened to an alarm, however it was heard of."""

    action: AlarmAction
    alarm: Told
    heard: Heard
    source: AlarmEvent.Source
    at_ms: int
    by: str = ""
    note: str = ""
    what: str = ""


def hear(gate: Gate, news: News, now: datetime) -> None:
    """Take an alarm message or an alarm record. Raises NotOurAlarm."""
    row, created = _row(gate, news.alarm, news.heard, now)
    again = news.alarm.count > row.count
    _merge(row, news.alarm)
    settled = _settled(news.heard, gate)
    if not settled:
        _place(row, news.heard)
        if news.action is AlarmAction.REPEATED and again:
            row.over_ms = None
        if news.action is AlarmAction.ENDED and row.over_ms is None:
            row.over_ms = news.at_ms
    if news.action is AlarmAction.CLEARED or (created and settled):
        _close(row, news.at_ms, now)  # the later state would have listed it, were it still open
    if news.action is AlarmAction.ACKNOWLEDGED:
        row.gate_acknowledged = True
        row.gate_acknowledged_by = row.gate_acknowledged_by or harmless(news.by, 64)
    _keep(row, answered=news.action is AlarmAction.CLEARED and news.what in set(CallEnd))
    _note(row, news, now)


def hear_state(gate: Gate, state: StateMessage, now: datetime) -> None:
    """Take the open alarms that an accepted, online state lists; close those of the gate that it no longer does.

    Raises NotOurAlarm for one that cannot be its own, after all others were taken."""
    heard = Heard(boot_name(state.boot), state.mono_ms, state.log_id, state.head)
    refused: NotOurAlarm | None = None
    for alarm in state.alarms:
        try:
            _hear_listed(gate, alarm, heard, state.at_ms, now, over=alarm.id in state.ended)
        except NotOurAlarm as error:
            refused = error
    listed = {alarm.id for alarm in state.alarms}
    for row in Alarm.objects.filter(gate=gate, origin=Origin.GATE, cleared=False).exclude(pk__in=listed):
        if _settled(_heard(row), gate):
            _close(row, state.at_ms, now)
            _keep(row)
            _event(row, AlarmAction.CLEARED, 0, Source.STATE, state.at_ms, now)
    if refused is not None:
        raise refused


def raise_at_office(gate: Gate, kind: str, key: str, detail: str, now: datetime) -> None:
    """An alarm of the office's own about a gate; raised once for each `key`, closed by acknowledging it."""
    name = hashlib.sha256(f"{gate.pk}|{kind}|{key}".encode()).hexdigest()[:32]
    at_ms = int(now.timestamp() * 1000)
    row, created = Alarm.objects.get_or_create(
        pk=name,
        defaults={
            "gate": gate,
            "origin": Origin.OFFICE,
            "kind": kind,
            "detail": harmless(detail),
            "since_ms": at_ms,
            "received_at": now,
        },
    )
    if created:
        _event(row, AlarmAction.RAISED, 0, Source.OFFICE, at_ms, now)


def is_open_at_office(gate: Gate, kind: str) -> bool:
    """Whether there is an alarm of the office's own of this kind that nobody has acknowledged."""
    open_ones = Alarm.objects.filter(gate=gate, origin=Origin.OFFICE, kind=kind, office_acknowledged_at__isnull=True)
    return open_ones.exists()


def raise_cloned(gate: Gate, boot: str, now: datetime) -> None:
    """The office's own alarm that two machines run as this gate: the boot that counts, and `boot`. Acknowledged, it is raised anew when
    both still speak, or speak again, an hour later."""
    boots = sorted((boot, gate.boot))
    detail = " / ".join(each[:8] for each in boots)
    answered = Alarm.objects.filter(
        gate=gate, origin=Origin.OFFICE, kind=CLONED, detail=detail, office_acknowledged_at__lte=now - AGAIN_AFTER
    )
    raise_at_office(gate, CLONED, f"{'/'.join(boots)}/{answered.count()}", detail, now)


def end_at_office(gate: Gate, kind: str, begins: str, now: datetime) -> None:
    """Close the office's own open alarms of this kind about a gate whose detail begins so: what they told of is no more."""
    at_ms = int(now.timestamp() * 1000)
    for row in Alarm.objects.filter(
        gate=gate, origin=Origin.OFFICE, kind=kind, cleared=False, detail__startswith=begins
    ):
        _close(row, at_ms, now)
        _keep(row)
        _event(row, AlarmAction.CLEARED, 0, Source.OFFICE, at_ms, now)


def acknowledge(ids: Iterable[str], user: User, note: str) -> int:
    """Store that `user` has taken notice of these alarms and what was done. Returns how many were not yet.

    It is stored at the office alone; `central.alarms.telling` tells the gates."""
    now = office_now()
    at_ms = int(now.timestamp() * 1000)
    wanted = list(ids)
    with transaction.atomic():
        Gate.hold(Alarm.objects.filter(pk__in=wanted).values_list("gate_id", flat=True))
        rows = list(Alarm.objects.filter(pk__in=wanted, office_acknowledged_at=None))
        for row in rows:
            row.office_acknowledged_by = user
            row.office_acknowledged_at = now
            row.office_note = harmless(note, 500)
            if row.origin == Origin.OFFICE:
                _close(row, at_ms, now)
            _keep(row)
            _event(row, "office-ack", 0, Source.OFFICE, at_ms, now, by=user.get_username(), note=note)
    return len(rows)


def _settled(heard: Heard, gate: Gate) -> bool:
    """Whether the gate's last state message speaks of a later moment than `heard`."""
    if not gate.boot:
        return False
    if heard.seq and heard.log_id == gate.log_id:
        return heard.seq <= gate.head
    if heard.boot == gate.boot:
        return heard.mono_ms < gate.mono_ms
    return heard.boot in gate.earlier_boots


def _heard(row: Alarm) -> Heard:
    return Heard(row.heard_boot, row.heard_mono, row.heard_log, row.heard_seq)


def _row(gate: Gate, alarm: Told, heard: Heard, now: datetime) -> tuple[Alarm, bool]:
    if not _ID.fullmatch(alarm.id):
        raise NotOurAlarm("its id is not 32 hexadecimal digits")
    row, created = Alarm.objects.get_or_create(
        pk=alarm.id,
        defaults={
            "gate": gate,
            "kind": alarm.kind.value,
            "portal": harmless(alarm.portal, 64),
            "detail": harmless(alarm.detail),
            "since_ms": alarm.since_ms,
            "received_at": now,
            "heard_boot": heard.boot,
            "heard_mono": heard.mono_ms,
            "heard_log": heard.log_id,
            "heard_seq": heard.seq,
        },
    )
    if row.gate_id != gate.pk or row.origin != Origin.GATE:
        raise NotOurAlarm("its id is that of another gate's alarm")
    return row, created


def _merge(row: Alarm, alarm: Told) -> None:
    row.count = max(row.count, alarm.count)
    row.level = max(row.level, alarm.level)
    row.gate_acknowledged = row.gate_acknowledged or alarm.acknowledged
    row.gate_acknowledged_by = row.gate_acknowledged_by or harmless(alarm.acknowledged_by, 64)


def _place(row: Alarm, heard: Heard) -> None:
    row.heard_boot, row.heard_mono = heard.boot, heard.mono_ms
    row.heard_log, row.heard_seq = heard.log_id, heard.seq


def _close(row: Alarm, at_ms: int, now: datetime) -> None:
    if not row.cleared:
        row.cleared, row.cleared_at = True, now
        row.over_ms = at_ms if row.over_ms is None else row.over_ms


def _keep(row: Alarm, *, answered: bool = False) -> None:
    row.settle(answered=answered)
    row.save()


def _became_over(row: Alarm, at_ms: int, *, over: bool) -> bool:
    """Bring an open alarm in line with a state that says whether it is over. Whether that is news of an end."""
    if row.cleared:
        return False
    known = row.over_ms
    row.over_ms = None if not over else at_ms if known is None else known
    return over and known is None


def _hear_listed(gate: Gate, alarm: Told, heard: Heard, at_ms: int, now: datetime, *, over: bool) -> None:
    row, created = _row(gate, alarm, heard, now)
    newly_acknowledged = alarm.acknowledged and not row.gate_acknowledged
    # Of a boot that never stated itself nobody knows whether it was before this one: what this one says stands until it does.
    tells = created or _settled(_heard(row), gate) or row.heard_boot != heard.boot
    newly_over = tells and _became_over(row, at_ms, over=over)
    _merge(row, alarm)
    _place(row, heard)
    _keep(row)
    if created:
        _event(row, AlarmAction.RAISED, 0, Source.STATE, alarm.since_ms, now)
    if newly_over:
        _event(row, ENDED, row.count, Source.STATE, at_ms, now)  # each time that it begins again is counted
    if newly_acknowledged:
        _event(row, AlarmAction.ACKNOWLEDGED, 0, Source.STATE, at_ms, now, by=alarm.acknowledged_by)


def _note(row: Alarm, news: News, now: datetime) -> None:
    by = news.by or (news.alarm.acknowledged_by if news.action is AlarmAction.ACKNOWLEDGED else "")
    _event(row, news.action, _step(news), news.source, news.at_ms, now, by=by, note=news.note, what=news.what)


def _step(news: News) -> int:
    """What tells one from another of the same action: alike in the message and in the record."""
    match news.action:
        case AlarmAction.REPEATED | AlarmAction.ENDED:
            return news.alarm.count
        case AlarmAction.ESCALATED:
            return news.alarm.level
        case AlarmAction.NOTED | AlarmAction.SILENCED:
            return news.at_ms
    return 0


def _event(
    row: Alarm,
    action: str,
    step: int,
    source: AlarmEvent.Source,
    at_ms: int,
    now: datetime,
    *,
    by: str = "",
    note: str = "",
    what: str = "",
) -> None:
    by, note, what = harmless(by, 150), harmless(note, 500), harmless(what, 16)
    event, created = AlarmEvent.objects.get_or_create(
        alarm=row,
        action=str(action),
        step=step,
        defaults={"source": source, "at_ms": at_ms, "by": by, "note": note, "what": what, "received_at": now},
    )
    if not created and ((by and not event.by) or (note and not event.note) or (what and not event.what)):
        event.by, event.note = event.by or by, event.note or note  # the record says more than what overtook it
        event.what = event.what or what
        event.save(update_fields=["by", "note", "what"])
