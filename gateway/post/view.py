"""The post's terminal: a table of its gates, drawn anew as things change. Always a word and a shape beside a colour."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.post.core import Entry, GateState, Post, Row
from gateway.post.speech import line_of, names_of, packs_of
from sync.contract.alarms import Level
from sync.contract.text import harmless

if TYPE_CHECKING:
    from gateway.post.config import PostConfig

PER_S: Final = 4
SHOWN: Final = 64  # characters of what a gate says
_SHAPES: Final[Mapping[GateState, tuple[str, str]]] = {
    GateState.WAITED_FOR: ("◌", "yellow"),
    GateState.HEARD: ("●", "green"),
    GateState.SILENT: ("✕", "bold red"),
}
_LEVELS: Final[Mapping[Level, str]] = {
    Level.GATE: "▲",
    Level.LOUDER: "▲▲",
    Level.DUTY_ROOM: "▲▲▲",
    Level.LEADER: "▲▲▲▲",
}
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "gate": "门岗", "state": "状态", "alarms": "报警", GateState.WAITED_FOR: "等待中", GateState.HEARD: "正常联系",
        GateState.SILENT: "失联", "drill": "演练", "none": "无", "acknowledged": "已确认", "calls": "请确认", "over": "已结束", "mute": "本台不能发声",
        "level-0": "", "level-1": "已加响", "level-2": "已报值班室", "level-3": "已报带班领导",
    },
    "en": {
        "gate": "Gate", "state": "State", "alarms": "Alarms", GateState.WAITED_FOR: "waited for", GateState.HEARD: "heard",
        GateState.SILENT: "SILENT", "drill": "drill", "none": "none", "acknowledged": "acknowledged", "calls": "CALLS", "over": "over",
        "mute": "NOTHING HERE CAN SOUND",
        "level-0": "", "level-1": "louder", "level-2": "duty room told", "level-3": "leader told",
    },
}  # fmt: skip


class View:
    """Draws. Use it as a context, and its `draw` as the program's."""

    def __init__(self, config: "PostConfig", console: Console | None = None) -> None:
        self._config = config
        self._packs = packs_of(config)
        self._language = str(config.post.languages[0])
        self._words = _WORDS[self._language]
        self._live = Live(console=console or Console(), auto_refresh=False, screen=False)
        self._drawn_ms = 0

    def __enter__(self) -> "View":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def draw(self, post: Post, now_ms: int) -> None:
        """How things stand, at most `PER_S` times a second."""
        if now_ms - self._drawn_ms >= 1000 // PER_S:
            self._drawn_ms = now_ms
            self._live.update(self.table(post, now_ms), refresh=True)

    def table(self, post: Post, now_ms: int) -> Table:
        """The same, as a table."""
        title = f"Menshen 门神 · {self._config.post.id}" + ("" if post.can_sound else f" · ✕ {self._words['mute']}")
        table = Table(title=title, show_lines=True)
        for column in ("gate", "state", "alarms"):
            table.add_column(self._words[column], overflow="fold")
        for row in post.rows():
            table.add_row(self._name(row.gate), self._state(row), self._alarms(row, now_ms))
        return table

    def _name(self, gate: str) -> str:
        return names_of(self._config, gate)[f"gate_{self._language}"]

    def _state(self, row: Row) -> Text:
        shape, style = _SHAPES[row.state]
        drill = f"\n◇ {self._words['drill']}" if row.told is not None and row.told.drill else ""
        return Text(f"{shape} {self._words[row.state]}{drill}", style)

    def _alarms(self, row: Row, now_ms: int) -> Text:
        if not row.entries:
            return Text(self._words["none"], "dim")
        return Text("\n").join(self._alarm(entry, now_ms) for entry in row.entries)

    def _alarm(self, entry: Entry, now_ms: int) -> Text:
        line = self._packs.words(*line_of(self._config, entry.line, entry.gate), self._language)
        level, age = self._words[f"level-{entry.level.value}"], age_words(now_ms - entry.begun_ms)
        answered = entry.acknowledged or (entry.answered_ms is not None)
        said = (
            f"{self._words['acknowledged']} {harmless(entry.by, SHOWN)}".strip() if answered else self._words["calls"]
        )
        over = self._words["over"] if entry.over else ""
        shape, style = (
            ("▽", "yellow") if answered else ("△", "bold yellow") if entry.over else (_LEVELS[entry.level], "bold red")
        )
        return Text(
            f"{shape} "
            + "  ".join(part for part in (line, harmless(entry.detail, SHOWN), over, said, level, age) if part),
            style,
        )


def age_words(ms: int) -> str:
    """Such as 7 s, 12:05, 3:12:05."""
    seconds = ms // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
