"""`docs/states.md`: the state machines as diagrams, made from the tables that the machines run on."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import ModuleType
from typing import Any

from gateway.core import alarm_rules, alarms, door, lockout, mode, rounds, temperature, visit, watch
from sync.contract.alarms import concern

_Table = Mapping[Any, Mapping[Any, StrEnum]]  # a mapping's key type is invariant: no one type fits all machines
_HEAD = """\
# The state machines of a gate

Made by `gateway/core/diagrams.py` from the tables in `gateway/core`, which the machines run on; a test fails when this page
differs. An input that a state does not list changes nothing there.
"""


def states_markdown() -> str:
    """The whole page, as Markdown with mermaid diagrams."""
    sections = [
        _section("Visit", visit, _diagram(visit.TABLE)),
        _section("Temperature screening", temperature, _diagram(temperature.TABLE)),
        _section("Door", door, _diagram(door.TABLE, door.RESTS)),
        _section(
            "Alarms",
            alarms,
            *(_titled(f"{life} alarms", table) for life, table in alarm_rules.TABLES.items()),
            _rules(),
        ),
        _section("Lock-out", lockout, _diagram(lockout.TABLE)),
        _section("Mode", mode, _diagram(mode.TABLE)),
        _section("Timetable", rounds, _diagram(rounds.TABLE)),
        _section("Presence check", watch, _diagram(watch.TABLE)),
    ]
    return "\n".join([_HEAD, *sections])


def _section(title: str, module: ModuleType, *parts: str) -> str:
    what, _, theory = (module.__doc__ or "").strip().partition("\n\n")
    return "\n".join([f"## {title}\n", what + "\n", theory.removeprefix("Theory of operation. ") + "\n", *parts])


def _titled(title: str, table: _Table) -> str:
    return f"### {title.capitalize()}\n\n{_diagram(table)}"


def _diagram(table: _Table, rests: tuple[tuple[str, StrEnum], ...] = ()) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in _lines(table, rests)), "```", ""])


def _lines(table: _Table, rests: tuple[tuple[str, StrEnum], ...]) -> Iterator[str]:
    if rests:
        yield "state rest <<choice>>"
    yield f"[*] --> {_id(next(iter(table)))}"
    for state, moves in table.items():
        for given, target in moves.items():
            yield f"{_id(state)} --> {_id(target)}: {given}"
        if not moves:
            yield f"{_id(state)} --> [*]"
    for condition, state in rests:
        yield f"rest --> {_id(state)}: {condition}"


def _id(state: StrEnum) -> str:
    """A state's name as mermaid takes it."""
    return state.value.replace("-", "_")


def _rules() -> str:
    rows = [
        f"| {kind} | {rule.life} | {rule.tone or 'none'} | {f'{rule.window_s:g} s' if rule.life is not alarm_rules.Life.LATCHED else ''} | {concern(kind)} |"
        for kind, rule in alarm_rules.RULES.items()
    ]
    return "\n".join(["| Alarm | Life | Tone | Window | Concern |", "| --- | --- | --- | --- | --- |", *rows, ""])
