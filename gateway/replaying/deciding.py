"""Decide recorded visits again, and hold what comes of it against what was recorded. Pure: no file, no clock."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from gateway.core.findings import Decision, Undecided, replay
from gateway.core.policy import Policy
from sync.contract.records import KINDS, Step, Visit, decode_body

NAMED: Final = 20  # records that are named each; beyond that they are only counted


class Kept(NamedTuple):
    """A record, as far as it could be read. `seq`: its number, 0 where that is not known; `body`: None when it is gone, or
    cannot be had; `wrong`: why it cannot, "" where nothing is wrong."""

    seq: int
    kind: str
    body: bytes | None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """A visit that was decided again. `decision` None: by this policy its evidence decides nothing, and `missing` would
    still be asked for."""

    seq: int
    visit: Visit
    decision: Decision | None
    missing: tuple[Step, ...] = ()

    @property
    def alike(self) -> bool:
        """Whether it came out as it is recorded."""
        return self.decision == Decision(self.visit.outcome, self.visit.reasons)


@dataclass(slots=True)
class Group:
    """Visits that were decided again. `first`: the first that came out otherwise."""

    visits: int = 0
    alike: int = 0
    first: Again | None = None

    def add(self, again: Again) -> None:
        """One more."""
        self.visits += 1
        self.alike += again.alike
        if not again.alike and self.first is None:
            self.first = again

    @property
    def different(self) -> int:
        """How many came out otherwise."""
        return self.visits - self.alike


@dataclass(slots=True)
class Tally:
    """What a walk found. `own`: visits that were decided by this very policy; `other`: by another, by its version; `gone`: visits
    whose body is erased, or was given up; `unreadable`: what could not be decided again, `wrong` of them in words; `unknown`:
    records of kinds that this version does not know; `last`: the last visit."""

    own: Group = field(default_factory=Group)
    other: Group = field(default_factory=Group)
    versions: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    unreadable: int = 0
    wrong: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    last: Again | None = None

    @property
    def as_recorded(self) -> bool:
        """Whether all that this policy decided came out alike, and nothing was unreadable."""
        return not self.own.different and not self.unreadable

    @property
    def first(self) -> Again | None:
        """The difference to look at: one by this policy before one by another."""
        return self.own.first or self.other.first

    def refuse(self, kept: Kept, why: str) -> None:
        """A record that cannot be decided again."""
        self.unreadable += 1
        if len(self.wrong) < NAMED:
            place = f"record {kept.seq}" if kept.seq else ""
            kind = f" ({kept.kind})" if kept.kind else ""
            self.wrong.append(f"{place}{kind}: {why}" if place else why)


def decide_again(records: Iterable[Kept], policy: Policy, version: str, visit: str = "") -> Tally:
    """Decide every visit, or the one with this id, again. `version`: as records name the policy."""
    tally = Tally()
    for kept in records:
        body = _visit(kept, tally)
        if body is None or visit not in ("", body.visit):
            continue
        try:
            again = _again(kept.seq, body, policy)
        except (ValueError, msgspec.ValidationError, OverflowError, RecursionError) as error:
            tally.refuse(kept, f"visit {body.visit}: {error}")
            continue
        tally.last = again
        own = body.policy_version == version
        (tally.own if own else tally.other).add(again)
        if not own:
            tally.versions[body.policy_version] += 1
    return tally


def _visit(kept: Kept, tally: Tally) -> Visit | None:
    """The visit in a record; what cannot be read is told."""
    if kept.wrong:
        tally.refuse(kept, kept.wrong)
    elif kept.kind not in KINDS:
        tally.unknown[kept.kind] += 1
    elif kept.body is None:
        tally.gone += kept.kind == "visit"
    else:
        try:
            body = decode_body(kept.kind, kept.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            tally.refuse(kept, f"its body is damaged: {error}")
        else:
            return body if isinstance(body, Visit) else None
    return None


def _again(seq: int, visit: Visit, policy: Policy) -> Again:
    try:
        return Again(seq, visit, replay(visit, policy))
    except Undecided as undecided:
        return Again(seq, visit, None, undecided.missing)
