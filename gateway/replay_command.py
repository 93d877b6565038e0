"""`menshen gate replay`: the visits of a journal, decided again from their evidence."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.errors import GatewayError
from gateway.loading_or_exit import load_or_exit
from gateway.progress import progress

if TYPE_CHECKING:
    from gateway.core.policy import Policy
    from gateway.replaying.deciding import Group, Tally

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("journal", type=_FILE)
@click.option("--config", metavar="FILE", type=_FILE, help="Decide by the policy of this gate's file (TOML).")
@click.option(
    "--scenario", metavar="FILE", type=_FILE, help="Decide by the policy of this scenario (of gate simulate)."
)
@click.option("--from", "first", metavar="SEQ", type=click.IntRange(1), default=1, help="From this record on.")
@click.option("--visit", default="", metavar="ID", help="This visit alone, and show it whole.")
def replay(journal: Path, config: Path | None, scenario: Path | None, first: int, visit: str) -> None:
    """Decide every visit of JOURNAL again from the evidence in its record, and say whether it comes out as recorded.

    JOURNAL is a gate's journal.sqlite, which may be in use and is not changed, or an export of it in JSON Lines. Visits that
    another policy decided (the file was changed since, or the office had laid values over it) are decided again too, and are
    told apart. Without --config the policy that a gate has by default decides.

    Exit code 0: every visit that this policy decided came out as recorded. 1: one did not, or a record could not be decided
    again, or the journal cannot be read. 2: wrong options, or a wrong file of the gate.

    \b
    menshen gate replay /var/lib/menshen/journal.sqlite --config gate.toml
    menshen gate replay november.jsonl --config gate.toml --from 120000
    menshen gate replay journal.sqlite --config gate.toml --visit 0f3a…
    """
    from gateway.replaying.deciding import decide_again
    from gateway.replaying.sources import records

    policy, version = _policy(config, scenario)
    try:
        with progress("deciding again") as tell:
            tally = decide_again(records(journal, first, tell), policy, version, visit)
    except (GatewayError, OSError) as error:
        raise click.ClickException(str(error)) from error
    _tell(tally, journal)
    if visit and tally.last is None:
        raise click.ClickException(f"{journal}: no visit {visit!r} that can be decided again")
    _show(tally, whole=bool(visit))
    sys.exit(0 if tally.as_recorded else 1)


def _policy(config: Path | None, scenario: Path | None) -> "tuple[Policy, str]":
    from gateway.core.policy import Policy
    from gateway.simulate_command import day_or_exit

    if config is not None and scenario is not None:
        raise click.UsageError("one policy decides: name --config or --scenario")
    if scenario is not None:
        day = day_or_exit(scenario)
        return day.policy, day.version
    if config is None:
        return Policy(), ""
    loaded = load_or_exit(config)
    return loaded.policy, loaded.policy_version


def _tell(tally: "Tally", journal: Path) -> None:
    decided = tally.own.visits + tally.other.visits
    click.echo(f"{journal}: {decided} visits decided again, {tally.own.alike + tally.other.alike} came out as recorded")
    _tell_group(tally.own, "by this policy")
    versions = ", ".join(version or "unnamed" for version, _ in tally.versions.most_common(4))
    _tell_group(tally.other, f"by another policy ({versions}{', …' if len(tally.versions) > 4 else ''})")
    if tally.gone:
        click.echo(f"  {tally.gone} visits have no body any more: erased, or given up to make room")
    for kind, count in tally.unknown.most_common():
        click.echo(f"  {count} records of the kind {kind[:40]!r}, which this version does not know")
    if tally.unreadable:
        click.echo(f"  {tally.unreadable} records cannot be read or decided again:")
    for wrong in tally.wrong:
        click.echo(f"    {_printable(wrong)}")
    if tally.unreadable > len(tally.wrong):
        click.echo(f"    … and {tally.unreadable - len(tally.wrong)} more")


def _tell_group(group: "Group", by: str) -> None:
    if group.visits:
        click.echo(f"  decided {by}: {group.visits}, as recorded {group.alike}, otherwise {group.different}")


def _show(tally: "Tally", *, whole: bool) -> None:
    from gateway.replaying.words import in_words

    shown = tally.first or (tally.last if whole else None)
    if shown is None:
        return
    click.echo("\nthe first that came out otherwise:" if not shown.alike else "")
    for line in in_words(shown):
        click.echo(_printable(line))


def _printable(text: str) -> str:
    from sync.printable import printable

    return printable(text)
