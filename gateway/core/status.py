"""What a gate tells of itself, in its retained state and on its page."""

from dataclasses import dataclass, field

from sync.contract.alarms import Alarm, Answer


@dataclass(frozen=True, slots=True)
class Status:
    """The gate as it stands: `mode`, `door` (a door state), people `inside`, devices lost, all open alarms, what
    became of the office's last commands.

    `visiting`: whether somebody is there or a grant waits for its record; it is nothing to tell others."""

    mode: str
    door: str
    inside: int
    devices_lost: tuple[str, ...]
    alarms: tuple[Alarm, ...]
    commands: tuple[Answer, ...] = ()
    visiting: bool = field(default=False, compare=False)
