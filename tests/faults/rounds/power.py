"""Power cuts, from what a process asked of its disk: every write and flush is recorded (strace), then played up to some moment.

What was flushed is there. Of what was not, each write is there, is not, or is torn at a sector's edge, by chance and in any order: a
disk promises nothing of it. Names are taken as durable at once; SQLite flushes the folder where it counts.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

SECTOR: Final = 512
CALLS: Final = "openat,pwrite64,write,ftruncate,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat"
_CALL: Final = re.compile(r"^(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)$", re.DOTALL)
_RESUMED: Final = re.compile(r"^(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)$", re.DOTALL)
_FILE: Final = re.compile(r"^\d+<(?P<path>[^>]*)>")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Step(NamedTuple):
    """One thing that was asked of the disk. `path`: whole; `data`: what was written, at `offset` (None: at the end)."""

    what: str
    path: str
    data: bytes = b""
    offset: int | None = 0
    to: str = ""


def steps(trace: Path) -> Iterator[Step]:
    """What a trace tells, in its order; what failed is left out."""
    begun: dict[str, tuple[str, str]] = {}
    for line in trace.read_text("ascii", "replace").splitlines():
        if found := _CALL.match(line):
            pid, name, rest = found["pid"], found["name"], found["rest"]
            if rest.endswith("<unfinished ...>"):
                begun[pid] = name, rest.removesuffix("<unfinished ...>")
                continue
        elif (found := _RESUMED.match(line)) and found["pid"] in begun:
            name, first = begun.pop(found["pid"])
            rest = first + found["rest"]
        else:
            continue
        step = _step(name, rest)
        if step is not None:
            yield step


def _step(name: str, rest: str) -> Step | None:
    head, _, result = rest.rpartition(" = ")
    if result.startswith(("-1", "?")):
        return None
    texts = [_plain(text) for text in _TEXT.findall(head)]
    if name.startswith(("rename", "unlink")) or name == "openat":
        return _named(name, [text.decode() for text in texts], created="O_CREAT" in head)
    file = _FILE.match(head)
    if file is None:
        return None
    path = _plain(file["path"]).decode() if "\\x" in file["path"] else file["path"]
    last = head.rstrip(") ").rpartition(", ")[
        2
    ]  # of a call that was interrupted by another's line, there is a space before it
    if name in {"pwrite64", "write"}:
        return Step("write", path, texts[0], int(last) if name == "pwrite64" else None)
    return Step("cut", path, offset=int(last)) if name == "ftruncate" else Step("flush", path)


def _named(name: str, paths: Sequence[str], *, created: bool) -> Step | None:
    if name.startswith("rename"):
        return Step("rename", paths[0], to=paths[1])
    if name.startswith("unlink"):
        return Step("unlink", paths[0])
    return Step("create", paths[0]) if created else None


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)

    def flushed(self) -> None:
        for step in self.pending:
            _apply(self.durable, step)
        self.pending.clear()

    def after_a_cut(self, chance: random.Random) -> bytes:
        content = bytearray(self.durable)
        for step in self.pending:
            fate = chance.random()
            if fate < 0.4:
                continue
            data = step.data
            if fate < 0.6 and len(data) > SECTOR:
                data = data[: SECTOR * chance.randrange(1, len(data) // SECTOR + 1)]
            _apply(content, step._replace(data=data))
        return bytes(content)


def _apply(content: bytearray, step: Step) -> None:
    if step.what == "cut":
        size = step.offset or 0
        del content[size:]
        content.extend(bytes(size - len(content)))
        return
    offset = len(content) if step.offset is None else step.offset
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(step.data)] = step.data


class Disk:
    """The files below a folder, as far as they are known to be on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"
        self._files: dict[str, _File] = {}

    def take(self, step: Step) -> None:
        """One thing more was asked."""
        if not step.path.startswith(self._folder):
            return
        match step.what:
            case "rename":
                self._files[step.to] = self._files.pop(step.path, _File())
            case "unlink":
                self._files.pop(step.path, None)
            case "flush":
                self._files.setdefault(step.path, _File()).flushed()
            case "create":
                self._files.setdefault(step.path, _File())
            case _:
                self._files.setdefault(step.path, _File()).pending.append(step)

    def after_a_cut(self, folder: Path, chance: random.Random) -> None:
        """What a power cut leaves, in another folder."""
        for path, file in self._files.items():
            if path.endswith("-shm"):
                continue  # memory, which is made anew
            left = folder / path.removeprefix(self._folder)
            left.parent.mkdir(parents=True, exist_ok=True)
            left.write_bytes(file.after_a_cut(chance))


def cuts(count: int, chance: random.Random, most: int) -> Sequence[int]:
    """After how many steps the power goes."""
    return sorted(chance.sample(range(1, count), min(most, count - 1))) if count > 1 else []
