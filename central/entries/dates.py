"""What is known of the gates' boots, in the database: learnt from records in the transaction that stores them, and put right
in the rows that were made before."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import F

from central.entries.dating import Boot, Doubt, History, Last, Said, dates, narrow
from central.entries.models import BootTime, dated_models
from central.ingest.models import Log, Record
from central.registry.models import Gate

FURTHEST: Final = 64  # boots without a word in a row, and logs that name another one before them, that are looked at
_COLUMNS: Final = ("first", "last", "earliest", "latest", "words", "heard", "wavered")


class Dates:
    """The boots that the records of one transaction tell of. `learn` before `time_of`, `write` after the rows are written."""

    def __init__(self) -> None:
        self._scripted = bool(settings.SCRIPTED_CLOCKS)  # asked for every record, and slow to ask
        self._gates: dict[str, History] = {}
        self._rows: dict[tuple[str, bytes], BootTime] = {}
        self._new: set[tuple[str, bytes]] = set()
        self._dated: dict[tuple[str, bytes], set[Doubt]] = {}  # the doubts by which rows of theirs were made

    def learn(self, gate: Gate, log: Log, records: Sequence[Said], keys: Sequence[int], now: datetime) -> None:
        """Learn from the records of a batch; `keys`: those of their rows."""
        history = self._gates.setdefault(gate.pk, History())
        firsts: dict[bytes, int] = {}
        for said, key in zip(records, keys, strict=True):
            if dates(said):
                firsts.setdefault(said.boot, key)
        self._load(gate, history, firsts)
        history.learn(records, _ms(now), lambda: self._last_before(gate, log))
        for boot, key in firsts.items():
            if (gate.pk, boot) not in self._rows:
                row = BootTime(gate=gate, boot=boot, first_record=key)
                _fill(row, history.boots[boot])
                row.save(force_insert=True)
                self._rows[gate.pk, boot] = row
                self._new.add((gate.pk, boot))

    def time_of(self, gate: Gate, said: Said, now: datetime) -> tuple[int | None, int | None, Doubt]:
        """The key of a record's boot; when the record was written, where that is known; else why it is not."""
        row = self._rows.get((gate.pk, said.boot)) if dates(said) else None
        if said.clock and self._scripted:
            return (None if row is None else row.pk), said.at, Doubt.NONE
        if row is None:
            return None, None, Doubt.UNTRUSTED
        boot = self._gates[gate.pk].boots[said.boot]
        self._dated.setdefault((gate.pk, said.boot), set()).add(boot.doubt)
        at, doubt = boot.time_of(said, _ms(now))
        return row.pk, at, doubt

    def write(self) -> None:
        """Keep what was learnt, and put right what was made before it was known."""
        for key, row in sorted(self._rows.items(), key=lambda item: item[1].pk):
            known = self._gates[key[0]].boots[key[1]]
            if self._dated.get(key, set()) - {known.doubt}:
                _put_right(row, known)
            before = _boot(row)
            dated = known.doubt is Doubt.NONE is before.doubt and known.words == before.words
            if dated and key not in self._new:
                continue  # a boot that is dated costs nothing
            if known != before:
                _fill(row, known)
                row.save(update_fields=[*_COLUMNS, "least", "most"])
            _narrow(row, known)
        self._gates, self._rows, self._new, self._dated = {}, {}, set(), {}

    def _load(self, gate: Gate, history: History, boots: Mapping[bytes, int]) -> None:
        missing = [boot for boot in boots if boot not in history.boots]
        for row in BootTime.objects.filter(gate=gate, boot__in=missing) if missing else ():
            boot = bytes(row.boot)
            history.boots[boot] = known = _boot(row)
            self._rows[gate.pk, boot] = row
            self._dated[gate.pk, boot] = {known.doubt}

    def _last_before(self, gate: Gate, log: Log) -> Last | None:
        """The newest record that the office has of a log, or of the one before it."""
        seen: set[int] = set()
        there: Log | None = log
        while there is not None and there.pk not in seen and len(seen) < FURTHEST:
            seen.add(there.pk)
            found = Record.objects.filter(log=there).exclude(kind="log-opened").order_by("-seq").first()
            if found is not None:
                row = BootTime.objects.filter(gate=gate, boot=bytes(found.boot)).first()
                return None if row is None else (_boot(row), found.mono)
            there = Log.objects.filter(gate=gate, log_id=there.predecessor).first() if there.predecessor else None
        return None


def _narrow(row: BootTime, known: Boot) -> None:
    """Let the boots before this one know when it began."""
    rows = BootTime.objects.filter(gate=row.gate_id, pk__lt=row.pk).order_by("-pk")[:FURTHEST]
    befores = [(before, _boot(before)) for before in _without_word(rows)]
    for boot in narrow((boot for _, boot in befores), known):
        before = next(row for row, other in befores if other is boot)
        _fill(before, boot)
        before.save(update_fields=["latest", "most"])


def _without_word(rows: Iterable[BootTime]) -> Iterable[BootTime]:
    for row in rows:
        if row.words:
            return
        yield row


def _put_right(row: BootTime, known: Boot) -> None:
    for model in dated_models():
        made = model._default_manager.filter(boot=row, record_id__gte=row.first_record)
        if known.doubt is Doubt.NONE:
            made.exclude(clock_doubt="").update(shown_at=F("mono") + known.words[0], clock_doubt="")
        else:
            made.exclude(clock_doubt=known.doubt).update(shown_at=None, clock_doubt=known.doubt)


def _boot(row: BootTime) -> Boot:
    return Boot(row.first, row.last, row.earliest, row.latest, list(row.words), row.heard, row.wavered)


def _fill(row: BootTime, known: Boot) -> None:
    for name in _COLUMNS:
        setattr(row, name, getattr(known, name))
    row.words = list(known.words)
    row.least, row.most = known.bounds


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
