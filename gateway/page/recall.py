"""What the page knew before the gate's restart, from the journal: the last records, and no more of them than are quickly read."""

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from gateway.journal import Journal, JournalError
from sync.contract.records import Body, decode_body
from sync.log.records import Record

logger = logging.getLogger("menshen.page")
MOST_RECORDS: Final = 4_000
READ_RECORDS, READ_BYTES = 500, 1_000_000  # at a time


def recall(journal: Journal, tell: Callable[[Body, int], None]) -> None:
    """Tell the last records, each with its time (Unix milliseconds), the oldest first. What cannot be read is logged: the page then
    begins with less."""
    head = journal.head().seq
    after = max(journal.oldest() - 1, head - MOST_RECORDS)
    try:
        while after < head and (records := journal.read(after, READ_RECORDS, READ_BYTES)):
            after = records[-1].seq
            for record in records:
                _tell(record, tell)
    except JournalError as error:
        logger.warning("the page begins without what was before: %s", error)


def _tell(record: Record, tell: Callable[[Body, int], None]) -> None:
    if record.body is None:  # erased, or given up
        return
    try:
        body = decode_body(record.kind, record.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        logger.warning("record %d is not shown on the page: %s", record.seq, error)
        return
    if body is not None:
        tell(body, record.at)
