"""A scenario's file, read and checked as a gate's file is: everything that is wrong, each with its line."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from gateway.config.devices import Devices
from gateway.config.problems import ConfigError, Report
from gateway.config.rules import POLICY_RULES, Draft
from gateway.config.source import read_source
from gateway.config.tables import Reader, declared
from gateway.rehearsal.settings import Scenario


def load_day(path: Path) -> Scenario:
    """A scenario. Raises ConfigError with everything that is wrong."""
    source = read_source(path)
    report = Report(source.file, source.lines)
    scenario = Reader(report, path.absolute().parent, _homes).section(Scenario, source.table, ())
    if scenario is not None and not report.problems():
        _check(scenario, report)
    problems = report.problems()
    if problems or scenario is None:
        raise ConfigError(problems)
    return replace(scenario, version=source.sha256[:16])


def _check(scenario: Scenario, report: Report) -> None:
    nothing = Draft(
        gate=None, journal=None, broker=None, post=None, trust=None, voice=None, policy=scenario.policy, page=None,
        devices=Devices((), None), resolvers=(), simulation=None,
    )  # fmt: skip
    for rule in POLICY_RULES:
        rule(nothing, report)
    for check in _CHECKS:
        check(scenario, report)


def _day_is_one(scenario: Scenario, report: Report) -> None:
    try:
        date.fromisoformat(scenario.day.date)
    except ValueError:
        report.rule(f"{scenario.day.date} is no day of the calendar", ("day", "date"))


def _profiles_are_not_empty(scenario: Scenario, report: Report) -> None:
    for name in ("arrivals", "departures"):
        if not sum(getattr(scenario.day, name)):
            report.rule("has nobody in any hour", ("day", name))


def _somebody_comes(scenario: Scenario, report: Report) -> None:
    if not any(kind.share for kind in scenario.people.values()):
        report.rule("nobody comes: write a section [people.NAME] with a share above 0", ("people",))


def _no_more_inside_than_there_are(scenario: Scenario, report: Report) -> None:
    day = scenario.day
    if day.inside > day.holders:
        report.rule(
            f"{day.inside} must not be above holders, which is {day.holders}", ("day", "inside"), ("day", "holders")
        )


_CHECKS: Final[tuple[Callable[[Scenario, Report], None], ...]] = (
    _day_is_one,
    _profiles_are_not_empty,
    _somebody_comes,
    _no_more_inside_than_there_are,
)


def sections() -> Iterator[tuple[str, type[Any]]]:
    """Every section of a scenario but those of the policy, with its declarations."""
    root = declared(Scenario)
    for name, kind in root.sections.items():
        if name != "policy":
            yield name, kind
    for name, group in root.groups.items():
        yield f"{name}.NAME", group.kind


def _homes(name: str) -> list[str]:
    return [section for section, kind in sections() if name in declared(kind).keys]
