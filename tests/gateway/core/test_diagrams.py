"""The diagrams say what the tables say."""

import re

from gateway.core import alarm_rules, door, lockout, mode, rounds, temperature, visit, watch
from gateway.core.diagrams import states_markdown

TABLES = [visit.TABLE, temperature.TABLE, door.TABLE, *alarm_rules.TABLES.values(), lockout.TABLE, mode.TABLE]
TABLES += [rounds.TABLE, watch.TABLE]


def test_every_move_of_every_table_is_drawn_once() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+): (.+)$", states_markdown(), re.MULTILINE)
    moves = [
        (str(state).replace("-", "_"), str(target).replace("-", "_"), str(given))
        for table in TABLES
        for state, row in table.items()  # type: ignore[attr-defined]  # tables of different machines
        for given, target in row.items()
    ]
    rests = [("rest", str(state), condition) for condition, state in door.RESTS]
    assert sorted(drawn) == sorted(moves + rests)


def test_every_kind_of_alarm_is_listed() -> None:
    assert all(f"| {kind} |" in states_markdown() for kind in alarm_rules.RULES)
