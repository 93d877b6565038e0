"""Which log stood here, and how far it went: a small file of another name beside the journal, for the day when the journal's own
files are moved away or lost before the office had heard how far they went. A new log then says what it goes on from.

It is written at a start, at an end, and now and then between: what it tells is what there was at least."""

import logging
from pathlib import Path
from typing import Final

import msgspec

from gateway.private_files import write_private
from sync.log.messages import LogId
from sync.log.records import Seq

logger = logging.getLogger("menshen.journal")
NAME: Final = "last-log.json"  # not like the journal's: whoever moves `journal.sqlite*` away leaves it
EVERY_MS: Final = 600_000  # an end that nobody announced costs the numbers of so long
_MOST: Final = 1024  # bytes


class Memo(msgspec.Struct, frozen=True):
    """A log, and the number of its last record."""

    log_id: LogId
    seq: Seq


def recall(path: Path) -> Memo | None:
    """What stands beside the journal at `path`. A file that cannot be read is told, and is none."""
    file = path.with_name(NAME)
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(_MOST), type=Memo)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        logger.warning("%s: which log stood here last cannot be read: %s", file, error)
        return None


def remember(path: Path, memo: Memo) -> None:
    """Put it down, whole or not at all. What cannot be written is told: the gate goes on without it."""
    file = path.with_name(NAME)
    try:
        write_private(file, msgspec.json.encode(memo))
    except OSError as error:
        logger.warning("%s: which log stands here cannot be put down: %s", file, error)
