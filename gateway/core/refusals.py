"""What comes over the road and is turned away is recorded, and cannot fill the journal.

Theory of operation. The first refusal for a reason is a record at once. Further ones for the same reason are counted, and
become one record with their number when a minute is over, and so on: whoever floods a gate costs it a record a minute and
reason, and is counted to the last one.
"""

from dataclasses import dataclass

from gateway.core.tables import earliest, seconds
from sync.contract.records import Refused

AGAIN_S = 60.0


@dataclass(slots=True)
class _Counted:
    told_ms: int
    count: int = 0
    detail: str = ""


class Refusals:
    """Of one sort of things, such as commands. There must be a bounded number of reasons."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._reasons: dict[str, _Counted] = {}

    def count(self, reason: str, now_ms: int, detail: str = "", count: int = 1) -> Refused | None:
        """Count what was refused; the record, where it is one at once. `detail`: of the last one."""
        known = self._reasons.get(reason)
        if known is None or now_ms >= _due_at(known):
            counted = count if known is None else known.count + count
            self._reasons[reason] = _Counted(now_ms)
            return Refused(what=self._what, reason=reason, detail=detail, count=counted)
        known.count, known.detail = known.count + count, detail
        return None

    def deadline(self) -> int | None:
        """When a record is due."""
        if not self._reasons:
            return None
        return earliest(*(_due_at(each) for each in self._reasons.values() if each.count))

    def due(self, now_ms: int) -> list[Refused]:
        """The records that are due."""
        due = [(reason, each) for reason, each in self._reasons.items() if each.count and now_ms >= _due_at(each)]
        for reason, _ in due:
            self._reasons[reason] = _Counted(now_ms)
        return [Refused(what=self._what, reason=reason, detail=each.detail, count=each.count) for reason, each in due]


def _due_at(counted: _Counted) -> int:
    return counted.told_ms + seconds(AGAIN_S)
