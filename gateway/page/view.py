"""What the templates show, made of a snapshot: which state of the lane, with which shape; times; and the live regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.core.door import DoorState
from gateway.core.drill import BY_PEOPLE
from gateway.core.policy import Mode
from gateway.page.alarms import burns
from gateway.page.messages import LEADERS_MODES, OnDuty, Person, Setup, Snapshot
from gateway.page.words import TAGS, Words, instruction
from sync.contract.alarms import Alarm
from sync.contract.records import DrillStage

HERE: Final = Path(__file__).parent
REGIONS: Final = ("lane", "standing", "facts", "alarms", "visits", "duties", "devices")
"""The parts of the page that are live: each a template of its own, which the stream sends anew when it has changed."""
WATCHED: Final = ("lane", "open")
"""Those of the log-in page, on a tablet that may look on."""
REASONS: Final = ("known", "disabled", "delivery", "emergency", "device")
"""Why a guard opens the gate, as he may pick it."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The state of the gate in one word. `tone` is its colour and its shape: go, wait, stop, alarm, rest."""

    key: str
    tone: str


_BY_DOOR: Final[Mapping[str, Lane]] = {
    DoorState.COMMITTING: Lane("wait", "wait"),
    DoorState.RELEASED: Lane("go", "go"),
    DoorState.OPEN: Lane("open", "go"),
    DoorState.FREE: Lane("free", "go"),
    DoorState.HELD_OPEN: Lane("held_open", "alarm"),
    DoorState.FORCED: Lane("forced", "alarm"),
    DoorState.LOCKED_DOWN: Lane("locked_down", "stop"),
    DoorState.FAULT: Lane("fault", "alarm"),
}


def lane(now: Snapshot) -> Lane:
    """What the big word says."""
    if burns(now.alarms, now.ended):
        return Lane("fire", "alarm")
    resting = Lane("vehicle", "wait") if now.vehicle else Lane("ready", "rest")
    resting = Lane("somebody", "wait") if now.visiting else resting
    return _BY_DOOR.get(now.door, resting)


class View:
    """Renders the templates; everything in them is escaped. `scripts`: a word that changes with style and script."""

    def __init__(self, setup: Setup, version: str) -> None:
        self._setup = setup
        self._zone = ZoneInfo(setup.timezone)
        self._words = {language: Words(language) for language in TAGS}
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(version=version, gate=setup.name, locks=setup.locks, reasons=REASONS)

    def words(self, language: str) -> Words:
        """The words of a language."""
        return self._words[language]

    def log_in(
        self, language: str, csrf: str, *, tablet: bool, said: str, name: str, now: Snapshot | None = None
    ) -> str:
        """The log-in page. `said`: why the last try was none; `now`: for a tablet that may look on, how the gate stands."""
        parts = {} if now is None else self.watched(language, now)
        return self._render("login.html", language, csrf=csrf, tablet=tablet, said=said, name=name, parts=parts)

    def watched(self, language: str, now: Snapshot) -> dict[str, str]:
        """What a tablet shows while nobody is logged in: the lane, and which alarms are open. Nobody's name is in it."""
        context = {"now": now, "lane": lane(now), "unheard": unheard(now.alarms)}
        return {name: self._render(f"{name}.html", language, **context) for name in WATCHED}

    def page(self, language: str, csrf: str, person: Person, now: Snapshot, *, lost: bool, said: str) -> str:
        """The whole page."""
        return self._render(
            "page.html",
            language,
            csrf=csrf,
            said=said,
            lost=lost,
            title=self.title(language, now, lost=lost),
            modes=[(mode.value, mode in LEADERS_MODES) for mode in Mode],
            **self._context(person, now),
        )

    def regions(self, language: str, csrf: str, person: Person, now: Snapshot) -> dict[str, str]:
        """The live parts by name."""
        context = self._context(person, now) | {"csrf": csrf}
        return {name: self._render(f"{name}.html", language, **context) for name in REGIONS}

    def title(self, language: str, now: Snapshot | None, *, lost: bool) -> str:
        """The document's title says the worst first."""
        words = self._words[language]
        calling = len(unheard(now.alarms)) if now is not None else 0
        parts = [words("title-gate-lost")] if lost else []
        parts += [words("title-office-lost")] if now is not None and not now.office and not lost else []
        parts += [f"({calling}) {words('title-alarms')}"] if calling else []
        return " · ".join([*parts, self._setup.name])

    def clock(self, at_ms: int) -> str:
        """The time at the site."""
        return f"{datetime.fromtimestamp(at_ms / 1000, self._zone):%H:%M:%S}"

    def _context(self, person: Person, now: Snapshot) -> dict[str, Any]:
        return {
            "now": now,
            "person": person,
            "lane": lane(now),
            "unheard": unheard(now.alarms),
            "people_stages": [stage.value for stage in DrillStage if stage in BY_PEOPLE],
        }

    def _render(self, template: str, language: str, **context: Any) -> str:
        return self._templates.get_template(template).render(
            t=self._words[language],
            lang=TAGS[language],
            clock=self.clock,
            calls=calls,
            **context,
        )


def unheard(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Those that nobody has acknowledged."""
    return [alarm for alarm in alarms if not alarm.acknowledged]


def calls(alarm: Alarm, duty: Sequence[OnDuty]) -> tuple[str, list[OnDuty]]:
    """The role to call about an alarm, and who has it now."""
    found = instruction(alarm.kind, alarm.detail)
    role = found.call if found is not None else ""
    return role, [each for each in duty if each.role == role]
