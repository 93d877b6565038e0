"""`menshen gate simulate`: a day of a busy gate through the core alone, in seconds."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.errors import GatewayError
from gateway.loading_or_exit import load_or_exit, loaded_or_exit
from gateway.progress import progress

if TYPE_CHECKING:
    from gateway.core.equipment import Equipment
    from gateway.rehearsal.day import Day
    from gateway.rehearsal.settings import Scenario

_FILE = click.Path(path_type=Path)


def day_or_exit(path: Path) -> "Scenario":
    """A scenario; a wrong one is told, and ends the command with exit code 2."""
    from gateway.rehearsal.loading import load_day

    return loaded_or_exit(load_day, path)


@click.command()
@click.argument("scenario", type=_FILE)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed is the same day.")
@click.option(
    "--visits", metavar="N", type=click.IntRange(1, 1_000_000), help="So many come, whatever the scenario says."
)
@click.option("--config", metavar="FILE", type=_FILE, help="Decide by the policy, and with the devices, of this gate.")
@click.option("--journal", metavar="FILE", type=_FILE, help="Write what is recorded to a new journal (SQLite).")
@click.option("--picture", metavar="FILE", type=_FILE, help="Draw how many were inside over the day (SVG).")
def simulate(
    scenario: Path, seed: int, visits: int | None, config: Path | None, journal: Path | None, picture: Path | None
) -> None:
    """Play a day of SCENARIO through what decides at a gate, with simulated people, guard and time: no device, no network.

    It says what came of it: visits by outcome and reason, alarms and how soon they were acknowledged, the longest wait, and how
    many were inside. So a policy can be tried before it stands at a gate. Scenarios ship in config/scenarios/: busy-day.toml,
    clinic.toml, night.toml; each says what its keys mean.

    Exit code 0: played. 1: a file cannot be written. 2: wrong options, or a wrong scenario or file of a gate.

    \b
    menshen gate simulate config/scenarios/busy-day.toml
    menshen gate simulate config/scenarios/clinic.toml --config gate.toml --seed 7
    menshen gate simulate config/scenarios/night.toml --journal night.sqlite --picture night.svg
    menshen gate replay night.sqlite --scenario config/scenarios/night.toml
    """
    from rich.console import Console

    from gateway.rehearsal.day import Day
    from gateway.rehearsal.report import print_report

    loaded = day_or_exit(scenario)
    if visits is not None:
        loaded = replace(loaded, day=replace(loaded.day, visits=visits))
    loaded, has = _at_gate(loaded, config)
    day = Day(loaded, seed, has=has)
    try:
        _play(day, journal)
        if picture is not None:
            picture.write_text(_picture(day), "utf-8")
    except (GatewayError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{loaded.day.zh} / {loaded.day.en}: {loaded.day.date}, seed {seed}, {day.gate.turns} events")
    print_report(day, Console())
    if journal is not None:
        click.echo(f"{journal}: {day.tally.records} records")


def _at_gate(scenario: "Scenario", config: Path | None) -> "tuple[Scenario, Equipment | None]":
    """The scenario at a gate of its own, or at the one that is configured."""
    from gateway.core.equipment import Equipment

    if config is None:
        return scenario, None
    loaded = load_or_exit(config)
    has = Equipment({device.name: str(device.use) for device in loaded.devices})
    return replace(scenario, policy=loaded.policy, version=loaded.policy_version), has


def _play(day: "Day", journal: Path | None) -> None:
    from gateway.rehearsal.recording import into_journal

    with nullcontext() if journal is None else into_journal(journal, day), progress("people") as tell:
        day.play(tell)


def _picture(day: "Day") -> str:
    from gateway.rehearsal.picture import svg

    names = day.scenario.day
    title = f"{names.zh} / {names.en}: people inside, {names.date}"
    return svg(day.tally.inside, day.midnight.at_ms, title, day.scenario.policy.capacity.most)
