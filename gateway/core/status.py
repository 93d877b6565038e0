"""What a gate tells of itself, in its retained state and on its page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.contract.alarms import Alarm, Answer
from sync.contract.records import DrillStage


@dataclass(frozen=True, slots=True)
class Status:
    """The gate as it stands: `mode`, `door` (a door state), people `inside`, devices lost, all open alarms, what
    became of the office's last commands.

    `drill`: the mode is an exercise, of which so many stages are reached; `guard`: whose shift it is; `office`: it is heard; `rounds`: what is due by
    timetable, and since when (Unix milliseconds). `visiting`: whether somebody is there or a grant waits for its record; it is nothing to tell others, nor are `vehicle`: whether one is seen to wait, and `visit`: the id of the visit of whoever is
    at the entry, under way, just ended or yet to begin. `ended`: the ids of the open alarms
    that are over, and wait to be acknowledged."""

    mode: str
    door: str
    inside: int
    devices_lost: tuple[str, ...]
    alarms: tuple[Alarm, ...]
    commands: tuple[Answer, ...] = ()
    drill: bool = False
    drill_stages: tuple[DrillStage, ...] = ()
    guard: str = ""
    office: bool = False
    ended: tuple[str, ...] = ()
    rounds: Mapping[str, int] = field(default_factory=dict)
    visiting: bool = field(default=False, compare=False)
    vehicle: bool = field(default=False, compare=False)
    visit: str = field(default="", compare=False)
