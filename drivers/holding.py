"""Which program has a device open, as far as this user may see."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    """A process. `called`: its short name; `command`: as it was started, which may hold what is another user's and is shown to nobody."""

    pid: int
    called: str
    command: str = field(repr=False)

    @property
    def is_gate(self) -> bool:
        """Whether it is a gate of ours."""
        words = self.command.split()
        commands = zip((Path(word).name for word in words), words[1:], words[2:], strict=False)
        return ("menshen", "gate", "run") in commands


def holder(path: str, proc: Path = Path("/proc")) -> Holder | None:
    """Who else has this open; None when nobody has, or it cannot be seen."""
    real = os.path.realpath(path)
    for process in proc.iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid() and _has_open(process, real):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                called = (process / "comm").read_bytes().decode("utf-8", "replace").strip()
                return Holder(int(process.name), called, command)
    return None


def _has_open(process: Path, real: str) -> bool:
    with suppress(OSError):  # another user's, or it has just ended
        for each in (process / "fd").iterdir():
            with suppress(OSError):
                if str(each.readlink()) == real:
                    return True
    return False
