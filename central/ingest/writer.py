"""Messages of any number of gates into one transaction; the answers go out after its commit only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from central.alarms.book import Heard, News, NotOurAlarm, Source, hear, hear_state, raise_at_office, raise_cloned
from central.ingest import spool
from central.ingest.models import Log
from central.ingest.reading import Incoming
from central.ingest.refusals import Refusals
from central.ingest.store import Sheet
from central.registry.models import Gate
from central.registry.states import boot_name, is_cloned, take_back, take_state
from sync.contract.alarms import AlarmMessage, StateMessage
from sync.errors import MessageError
from sync.log.messages import Downward, Upward
from sync.log.receiver import ForkFound, Reply, Store, StoreGap, receive
from sync.log.view import Head

MAX_PENDING = 200  # unknown gates that are remembered until a clerk has looked at them
HEARD_EVERY = timedelta(seconds=1)  # how exactly it is kept when a gate was heard last


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell a gate, once everything is committed."""

    gate: str
    message: Downward


class Writer:
    """Takes messages and writes; owns no thread and no connection to a broker."""

    def __init__(self, refusals: Refusals, *, admit: bool) -> None:
        self._refusals = refusals
        self._admit = admit

    def write(self, incoming: Sequence[Incoming]) -> list[Answer]:
        """Write all of it in one transaction. The answers are true when this returns. Raises what the database raises, or
        CursorMoved; then nothing was written."""
        with transaction.atomic():
            desk = _Desk(self._refusals, incoming, admit=self._admit)
            answers = [answer for item in incoming for answer in desk.take(item)]
            desk.close()
        return answers


class _Desk:
    """One transaction: its gates, whose rows are held, and its sheet."""

    def __init__(self, refusals: Refusals, incoming: Sequence[Incoming], *, admit: bool) -> None:
        self._refusals = refusals
        self._admit = admit
        names = {item.gate for item in incoming}
        log_ids = {item.message.log_id for item in incoming if isinstance(item.message, Upward)}
        self._gates = {gate.pk: gate for gate in Gate.hold(names)}
        self._heard: dict[str, datetime] = {}
        logs = spool.logs(names, log_ids)
        self._sheet = Sheet(logs)
        self._spooling = {log.gate_id for log, _ in logs if log.written != log.seq}

    def take(self, item: Incoming) -> Iterable[Answer]:
        """Take one message; the answers to it, once all is committed."""
        gate = self._gate(item.gate)
        if gate is None:
            self._refusals.refuse(item.gate, f"more than {MAX_PENDING} unknown gates", item.at)
            return ()
        try:
            return self._dispatch(gate, item)
        except NotOurAlarm as error:
            self._refusals.refuse(item.gate, f"alarm: {error}", item.at)
            return ()

    def close(self) -> None:
        """Write what was gathered. Raises CursorMoved."""
        self._sheet.write()
        heard = [name for name, at in self._heard.items() if _is_news(self._gates[name].last_heard, at)]
        if heard:
            Gate.objects.filter(pk__in=heard).update(last_heard=max(self._heard.values()))

    def _dispatch(self, gate: Gate, item: Incoming) -> Iterable[Answer]:
        message = item.message
        if not gate.admitted:
            # Unanswered: the gate keeps its records, and sends them again once it is admitted. Nor is its state taken:
            # by it, alarms that the office did not take would count as told.
            self._heard[gate.pk] = item.at
            return ()
        if isinstance(message, StateMessage):
            _state(gate, message, self._sheet, item.at)
            return ()
        self._heard[gate.pk] = item.at
        if isinstance(message, AlarmMessage):
            _alarm(gate, message, item.at)
            return ()
        try:
            return [Answer(gate.pk, self._upward(gate, message, item))]
        except MessageError as error:  # it will be sent again and again: somebody has to know
            self._refusals.refuse(item.gate, str(error), item.at)
            log = message.log_id if self._sheet.knows(gate, message.log_id) else "unknown"  # ids cost nothing
            raise_at_office(gate, "record-doubtful", log, str(error), item.at)
            return ()

    def _gate(self, gate_id: str) -> Gate | None:
        gate = self._gates.get(gate_id)
        if gate is None and (self._admit or Gate.objects.filter(admitted=False).count() < MAX_PENDING):
            gate, _ = Gate.objects.get_or_create(pk=gate_id, defaults={"admitted": self._admit})
            self._gates[gate_id] = gate
        return gate

    def _upward(self, gate: Gate, message: Upward, item: Incoming) -> Downward:
        sheet, now = self._sheet, item.at
        decision = receive(message, sheet.cursor_of(gate, message.log_id))
        match decision:
            case Store() if item.bulk or gate.pk in self._spooling:
                self._spooling.add(gate.pk)
                upto = Head(decision.ack.seq, decision.ack.hash)
                sheet.spool_batch(gate, message.log_id, upto, item.payload, now)
                return decision.ack
            case Store():
                sheet.take_records(gate, message.log_id, decision.records, decision.hashes, now)
                return decision.ack
            case StoreGap():
                sheet.take_gap(gate, message.log_id, decision.upto, decision.reason, now)
                return decision.ack
            case ForkFound():
                sheet.note_fork(gate, message.log_id, decision.fork.seq, now)
                return decision.fork
            case Reply():
                return decision.ack


def _is_news(before: datetime | None, now: datetime) -> bool:
    return before is None or not before <= now < before + HEARD_EVERY


def _state(gate: Gate, state: StateMessage, sheet: Sheet, now: datetime) -> None:
    before, head = gate.log_id, gate.head
    if take_state(gate, state, now):
        if state.online:
            hear_state(gate, state, now)
    elif is_cloned(gate, state, now):
        raise_cloned(gate, boot_name(state.boot), now)
        if take_back(gate, state, now):
            hear_state(gate, state, now)
    if before and gate.log_id != before:
        Log.objects.filter(gate=gate, log_id=before, told__lt=head).update(told=head)
    elif before and gate.head < head:
        _put_back(gate, head, sheet.cursor_of(gate, before).seq, now)


def _put_back(gate: Gate, said: int, held: int, now: datetime) -> None:
    """The gate said to have records up to `said`, and now says less of the same log. What the office holds of them, the chain finds
    out; of those after `held`, nobody would ever hear: their numbers are written anew."""
    first = max(held, gate.head) + 1
    if first > said:
        return
    told = (
        f"{gate.log_id[:8]} #{first}-{said}: the gate said to have them, and has them no more: its journal was put back"
    )
    key = f"{gate.log_id}/{held}/head"  # once while the cursor stands there: what a gate only says costs it nothing
    raise_at_office(gate, "record-doubtful", key, told, now)


def _alarm(gate: Gate, message: AlarmMessage, now: datetime) -> None:
    heard = Heard(boot_name(message.boot), message.mono_ms)
    news = News(
        action=message.action, alarm=message.alarm, heard=heard, source=Source.MESSAGE, at_ms=message.at_ms
    )  # fmt: skip
    hear(gate, news, now)
