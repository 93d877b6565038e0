"""What all machines share: a table of states and what moves each of them.

A table is a nested mapping, state → input → next state. An input that a state does not list changes nothing there: doors
are pushed and buttons pressed at any time. What cannot be said by a table (timers, counters) is code beside it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)
Target = TypeVar("Target", bound=StrEnum)
Input = TypeVar("Input", bound=StrEnum)


def after(table: Mapping[State, Mapping[Input, Target]], state: State, given: Input) -> State | Target:
    """The state that follows `state` upon `given`."""
    return table[state].get(given, state)


def seconds(duration_s: float) -> int:
    """A policy's seconds as the milliseconds that machines count in; at least 1."""
    return max(1, round(duration_s * 1000))


def earliest(*times: int | None) -> int | None:
    """The first of the times that are set."""
    first = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
