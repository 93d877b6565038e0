"""What the office holds and has not written out yet: the batches of a backlog, as they came.

Theory of operation. A batch of a backlog (`Incoming.bulk`) comes from a gate that was away. It is put down whole, as it came, by
the transaction that moves the cursor, and the gate is answered: from then on the office answers for it. Its records, and what
is made of them, are written out when nothing more urgent waits: alarms, states, and visits of gates that are at work. Until all
of a gate is written out, everything that it sends goes the same way: nothing of it may overtake, in whatever log.

So a gate is rid of a backlog as fast as it can be checked and put on disk, and not as fast as tables with their indexes take
its rows. Several processes write out side by side, each a gate.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q

from central.compiled import Compiled
from central.ingest.models import Log, Spooled
from central.ingest.store import KnownLog, Sheet, known, logs_where
from central.registry.models import Gate
from sync.log.messages import Batch
from sync.log.receiver import Store, decode_upward, receive
from sync.log.view import Head

CHUNK: Final = 500  # records written out by one transaction, about, while others wait
_LOGS: Final = Compiled(
    Log, lambda log_ids, names: logs_where((Q(log_id__in=log_ids) | ~Q(written=F("seq"))) & Q(gate__in=names))
)
LOOKED_AT: Final = 64  # gates that are tried in one turn; others may be written out by another process


class DoesNotFit(Exception):
    """A batch is not what its cursor says: what, and where."""


def logs(names: Iterable[str], log_ids: Iterable[str]) -> Sequence[KnownLog]:
    """Of these gates, the logs that are named, and those of which something waits; as `Sheet` takes them."""
    return known(_LOGS.ask(set(log_ids), set(names)))


def gates() -> list[str]:
    """All gates of which something waits, those that wait longest first."""
    found = Log.objects.exclude(written=F("seq")).order_by("pk").values_list("gate_id", flat=True)
    return list(dict.fromkeys(found))[:LOOKED_AT]


@transaction.atomic
def write_out(name: str, most: int = CHUNK) -> int:
    """Write out about `most` records of what waits of a gate, in one transaction. How many; 0 when another process is at it, or
    nothing waits.

    Raises what the database raises, and DoesNotFit; then nothing was written."""
    skips = connection.features.has_select_for_update_skip_locked
    gate = Gate.objects.select_for_update(no_key=True, skip_locked=skips).filter(pk=name).first()
    some = _next(name, most) if gate is not None else ()
    if gate is None or not some:
        return 0
    logs = {log.pk: log for log in Log.objects.filter(pk__in={row.log_id for row in some})}
    stood = {key: log.written for key, log in logs.items()}
    sheet = Sheet()
    for row in some:
        _take(sheet, gate, logs[row.log_id], row)
    sheet.write()
    for key, log in logs.items():
        moved = Log.objects.filter(pk=key, written=stood[key]).update(written=log.written, last_at=log.last_at)
        if moved != 1:
            raise DoesNotFit(f"{log}: it was written out by another process")
    Spooled.objects.filter(pk__in=[row.pk for row in some]).delete()
    return sum(row.upto - row.after for row in some)


def _next(name: str, most: int) -> Sequence[Spooled]:
    """What is to be written out next, in the order in which it came: about so many records, or a single batch."""
    waiting = Spooled.objects.filter(gate=name).order_by("pk")
    taken: list[int] = []
    size = 0
    for key, after, upto in waiting.values_list("pk", "after", "upto")[:most]:
        size += upto - after
        if taken and size > most:
            break
        taken.append(key)
    return list(waiting.filter(pk__in=taken))  # payloads are large: no others than these


def _take(sheet: Sheet, gate: Gate, log: Log, row: Spooled) -> None:
    if log.written != row.after:
        raise DoesNotFit(f"{log}: {row.after + 1} to {row.upto} waits, and it is written up to {log.written}")
    if row.payload is None:
        log.written = row.upto
        return
    message = decode_upward(bytes(row.payload))
    if not isinstance(message, Batch) or (message.after, message.upto) != (row.after, row.upto):
        raise DoesNotFit(f"{log}: what waits as {row.after + 1} to {row.upto} is something else")
    decision = receive(message, Head(message.after, message.prev_hash))
    if not isinstance(decision, Store):
        raise DoesNotFit(f"{log}: what waits as {row.after + 1} to {row.upto} is no batch to be stored")
    sheet.write_out(gate, log, decision.records, decision.hashes, row.received_at)
