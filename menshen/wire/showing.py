"""A message as one line for people, or one line of JSON for programs: printable characters alone, whatever was sent."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from menshen.wire.reading import Passing
from sync.log.records import Record
from sync.printable import printable, time_words

LONGEST: Final = 600  # characters of a message's line; a batch's records have lines of their own


def lines(passing: Passing, at: datetime, *, records: bool) -> Iterator[str]:
    """A message for people; with `records`, each record of a batch on a further line."""
    said = passing.words if passing.kind else f"not decoded: {passing.problem}"
    where = f"{passing.gate} {passing.channel:5}" if passing.gate else passing.topic
    text = f"{at:%H:%M:%S}.{at.microsecond // 1000:03} {where} {passing.kind or '?':5} {said}"
    yield f"{_cut(printable(text))} ({passing.size} B)"
    if records:
        for record in passing.records:
            shown = "(erased)" if record.body is None else printable(record.body)
            time = ("" if record.clock else "≈") + time_words(record.at)
            yield f"    {record.seq} {record.kind} {time} {shown}"


def json_line(passing: Passing, at: datetime, *, records: bool) -> str:
    """A message as one JSON object in ASCII; with `records`, `records` are the records and not how many."""
    told: dict[str, object] = {
        "at": at.isoformat(timespec="milliseconds"),
        "topic": passing.topic,
        "gate": passing.gate,
        "channel": passing.channel,
        "bytes": passing.size,
        "kind": passing.kind,
    }
    if not passing.kind:
        return json.dumps({**told, "problem": passing.problem})
    said = dict(passing.values)
    if records and passing.records:
        said["records"] = [_record(record) for record in passing.records]
    return json.dumps({**told, "said": said})


def _record(record: Record) -> dict[str, object]:
    body = None if record.body is None else record.body.decode("utf-8", "backslashreplace")
    return {
        "seq": record.seq,
        "kind": record.kind,
        "at_ms": record.at,
        "clock": record.clock,
        "boot": record.boot.hex(),
        "mono_ms": record.mono,
        "body": body,  # as text: it is the gate's, and may be anything
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
