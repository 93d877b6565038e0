"""A stage for a written case: the gate, the time, and what of its records nobody has spoken for yet.

A story is lines. A line that begins with `>` says what must follow by now; every other one says what happens, after a time where
it begins with one: `+3s`, `+10min`, `+2h` later, or at the next `07:40`, `07:40:30` or `sat 07:40`. Several things of a line are
parted by `;`. The story's first line gives the time at which the gate starts (without one it is Monday, 10:00).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.config.problems import Report
from gateway.config.tables import Reader
from gateway.core import effects, events
from gateway.core.equipment import SENSORS, Equipment
from gateway.core.findings import Decision, replay
from gateway.core.moment import Moment
from gateway.core.policy import WEEK, Policy
from sync.contract.records import AlarmRecord, Body, Visit
from tests.gateway.core.acting import Gate, at

Kind = TypeVar("Kind")
ZONE = ZoneInfo("Asia/Shanghai")
_LATER = re.compile(r"\+(?P<number>[\d.]+)(?P<unit>s|min|h)(\s+|$)")
_CLOCK = re.compile(r"((?P<day>[a-z]{3}) )?(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d))?(\s+|$)")
_UNIT_S = {"s": 1, "min": 60, "h": 3600}
USES = (
    *(use for use in SENSORS if use != "beam-pair"),
    "speaker",
    "lock",
    "lamp",
    "sounder",
)  # a passage has one of both


def site_policy(changes: Mapping[str, object]) -> Policy:
    """The default policy with a site's changes, read as a gate reads its file. Raises AssertionError for what is none."""
    report = Report("case", {})
    read = Reader(report, Path("/nowhere"), lambda _name: []).section(Policy, changes, ("policy",))
    assert read is not None and not report.problems(), report.problems()
    return read


class Stage:
    """One case as it is played. `found`: what the last line's events brought; `visits`, `alarms`: the records that no line of
    the story has spoken for yet; `bodies`: all records."""

    def __init__(self, policy: Policy, without: tuple[str, ...] = (), start: str = "10:00") -> None:
        self.policies = {"p1": policy}
        uses = {use: use for use in USES if use not in without}
        self.has = Equipment({**uses, "side-reader": "entry-reader"})
        self.now = at("00:00")
        self.now = replace(self.now, at_ms=self._next(start))
        self.gate = Gate(policy, now=self.now, has=self.has)
        self.found: list[effects.Effect] = list(self.gate.began)
        self.visits: list[Visit] = []
        self.alarms: list[AlarmRecord] = []
        self.bodies: list[Body] = []
        self.tokens: list[int] = []  # of the records that the journal has still to answer for
        self._seen: list[effects.Effect] = []
        self._bodies_read = self._seen_read = 0
        self._collect()

    # time

    def _next(self, clock: str) -> int:
        """The next time that the site's clock shows this, Unix milliseconds."""
        match = _CLOCK.match(clock)
        assert match is not None, clock
        local = datetime.fromtimestamp(self.now.at_ms / 1000, ZONE)
        wanted = local.replace(
            hour=int(match["hour"]), minute=int(match["minute"]), second=int(match["second"] or 0), microsecond=0
        )
        while wanted < local or (match["day"] and WEEK[wanted.weekday()] != match["day"]):
            wanted += timedelta(days=1)
        return int(wanted.timestamp() * 1000)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.found += self.gate.wait(seconds)
        self._collect()

    def pass_time(self, line: str) -> str:
        """Let pass what a line begins with; the rest of it."""
        self.found = []
        later, clock = _LATER.match(line), _CLOCK.match(line)
        if later is not None:
            self.wait(float(later["number"]) * _UNIT_S[later["unit"]])
            return line[later.end() :]
        if clock is not None:
            self.now = self.gate.now
            self.wait((self._next(line) - self.gate.now.at_ms) / 1000)
            return line[clock.end() :]
        return line

    # what happens

    def send(self, *sent: events.Event) -> None:
        """Tell the core."""
        self.found += self.gate.send(*sent)
        self._collect()

    def answer(self, kind: type[events.Committed] | type[events.CommitFailed], *more: str) -> None:
        """The journal answers for the oldest record that waits."""
        self.send(kind(self.tokens.pop(0), *more))

    def becomes(self, changes: Mapping[str, object]) -> None:
        """The office wants another policy."""
        version = f"p{len(self.policies) + 1}"
        self.policies[version] = site_policy(changes)
        self.send(events.PolicyChanged(self.policies[version], version))

    def restart(self, outage_s: float) -> None:
        """The power was cut; the gate is back, in another boot."""
        now = Moment(5_000, self.gate.now.at_ms + round(outage_s * 1000))
        policy = list(self.policies.values())[-1]
        self.gate = Gate(policy, state=self.gate.durable, now=now, has=self.has, seed=now.at_ms % 2**32)
        self.policies = {"p1": policy}
        self._bodies_read = self._seen_read = 0
        self.tokens = []
        self.found += self.gate.began
        self._collect()

    def _collect(self) -> None:
        for body, _ in self.gate.commits[self._bodies_read :]:
            self._keep(body)
        self._bodies_read = len(self.gate.commits)
        if not self.gate.answers:
            seen = self.gate.seen[self._seen_read :]
            self.tokens += [each.token for each in seen if isinstance(each, effects.Append) and each.token]
        self._seen += self.gate.seen[self._seen_read :]
        self._seen_read = len(self.gate.seen)

    def _keep(self, body: Body) -> None:
        self.bodies.append(body)
        if isinstance(body, AlarmRecord):
            self.alarms.append(body)
        elif isinstance(body, Visit):
            self.visits.append(body)
            decided_by = self.policies[body.policy_version]
            assert replay(body, decided_by) == Decision(body.outcome, body.reasons), "its record decides otherwise"

    def brought(self, kind: type[Kind]) -> list[Kind]:
        """All effects of a kind, from the beginning."""
        return [each for each in self._seen if isinstance(each, kind)]

    # the end

    def end(self) -> None:
        """Every visit and every alarm was spoken for."""
        assert [(visit.outcome.value, visit.reasons) for visit in self.visits] == [], "visits nobody spoke for"
        left = [(each.alarm.kind.value, each.action.value, each.alarm.detail) for each in self.alarms]
        assert left == [], "alarms nobody spoke for"
