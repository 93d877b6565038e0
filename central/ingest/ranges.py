"""Missing ranges: records that an office should have and does not, by number. Named, and taken back where they come after all.

A range may be named before it is known to be gone: a log that goes on from another says what it carried over, and what the office
lacks of the other one may still lie at the gate, which offers it next. What comes of it shortens the range.
"""

import logging
from datetime import datetime
from typing import Final

from central.alarms.book import end_at_office, raise_at_office
from central.ingest.models import Log, MissingRange
from central.registry.models import Gate
from central.text import harmless

_LOGGER = logging.getLogger("menshen.ingest")
MOST_RANGES: Final = 5_000  # stored of a gate; an honest one has a few in its life
MISSING: Final = "records-missing"


def too_many(gate: Gate, more: int) -> bool:
    """Whether a gate would have more ranges than are stored of one."""
    return MissingRange.objects.filter(log__gate=gate).count() + more > MOST_RANGES


def name(gate: Gate, log: Log, first: int, last: int, reason: str, now: datetime) -> None:
    """Store that these are missing, and raise the office's alarm."""
    known, created = MissingRange.objects.get_or_create(
        log=log, first=first, defaults={"last": last, "reason": harmless(reason, 64), "received_at": now}
    )
    key = f"{log.log_id}/{first}"
    if not created and known.last < last:  # another log that went on after this one has told of more
        known.last, key = last, f"{key}-{last}"
        known.save(update_fields=["last"])
    raise_at_office(gate, MISSING, key, f"{_of(log)}{first}-{last}", now)


def fill(gate: Gate, log: Log, first: int, last: int, now: datetime) -> None:
    """These have come: they are missing no more. The last of a log's ranges takes its alarms with it."""
    filled = 0
    for gap in MissingRange.objects.filter(log=log, first__lte=last, last__gte=first):
        before, after = (gap.first, first - 1), (last + 1, gap.last)
        filled += min(gap.last, last) - max(gap.first, first) + 1
        gap.delete()
        for begin, end in (before, after):
            if begin <= end:
                MissingRange.objects.create(
                    log=log, first=begin, last=end, reason=gap.reason, received_at=gap.received_at
                )
    if not filled:
        return
    _LOGGER.info("gate %s, log %s: %d records up to %d that were missing have come", gate.pk, log.log_id, filled, last)
    if not MissingRange.objects.filter(log=log).exists():
        end_at_office(gate, MISSING, _of(log), now)


def _of(log: Log) -> str:
    return f"{log.log_id[:8]} #"
