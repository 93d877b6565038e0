"""`menshen gate …`: run and check a gate."""

import importlib.metadata
from pathlib import Path

import click

from drivers.no_dumps import forbid_core_dumps
from gateway.errors import GatewayError
from gateway.guard_commands import guard, page_certificate, visitors
from gateway.journal_commands import journal
from gateway.loading_or_exit import CONFIG, load_or_exit
from gateway.logs import log_to_stderr
from gateway.replay_command import replay
from gateway.simulate_command import simulate
from sync.notify import Notifier

EXAMPLE = Path(__file__).resolve().parents[1] / "config" / "gate.example.toml"


@click.group()
def gate() -> None:
    """Run and check a gate.

    \b
    menshen gate example > gate.toml             a file to begin with: every key, explained
    menshen gate check --config gate.toml        what is wrong in it, and where
    menshen gate run --config gate.toml          the gate itself, until Ctrl-C
    menshen gate directory load --config gate.toml people.json
    menshen gate guard add NAME --config gate.toml   who may use the guard's page
    menshen gate journal --help                  what the gate has recorded
    menshen gate replay journal.sqlite --config gate.toml    whether its decisions follow from its evidence
    menshen gate simulate config/scenarios/busy-day.toml     a day of a busy gate, in seconds
    """


gate.add_command(journal)
gate.add_command(guard)
gate.add_command(visitors)
gate.add_command(page_certificate)
gate.add_command(replay)
gate.add_command(simulate)


@gate.command()
@CONFIG
@click.option("--feed", is_flag=True, help="Print what happens to standard output, one JSON object a line.")
def run(path: Path, feed: bool) -> None:
    """Run the gate until SIGTERM or Ctrl-C.

    Exit code 2: the file is wrong (see `menshen gate check`). 1: the gate cannot start, and says why."""
    forbid_core_dumps()
    log_to_stderr()
    from gateway.feed import Feed
    from gateway.gate import run_gate
    from gateway.voice import words

    config = load_or_exit(path)
    version = importlib.metadata.version("menshen")
    try:
        run_gate(config, version=version, feed=Feed(words) if feed else None, notifier=Notifier())
    except (GatewayError, OSError) as error:
        raise click.ClickException(str(error)) from error


@gate.command()
@CONFIG
def check(path: Path) -> None:
    """Say what is wrong in a gate's file: all of it at once, each with its line and the nearest known key.

    Exit code 0: nothing. 2: something."""
    config = load_or_exit(path)
    from gateway.voice import (
        long_phrases,  # not a rule of loading: a gate that starts does not wait until all is spoken
    )

    long = long_phrases(config, config.policy.prompter.slogans)
    for why in long:
        click.echo(f"{path}: phrase {why}", err=True)
    if long:
        raise SystemExit(2)
    click.echo(f"{path}: gate {config.gate.id!r} with {len(config.devices)} devices: nothing wrong")


@gate.command()
def example() -> None:
    """Print a file to begin with: every key with its meaning, unit, range and default."""
    click.echo(EXAMPLE.read_text("utf-8"), nl=False)


@gate.group()
def directory() -> None:
    """Whom this gate knows: holders, cards, health codes, revoked passes."""


@directory.command("load")
@CONFIG
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--unsigned", is_flag=True, help="Take a file that nobody has signed, though the office's key is pinned.")
def directory_load(path: Path, file: Path, unsigned: bool) -> None:
    """Replace the whole directory by FILE (docs/directory.md), in one step: the gate may go on running. FILE is JSON, or
    JSON that the office has signed (`menshen trust seal`); where [trust] office_keys pins its key, it has to be.

    \b
    {"version": 2,
     "holders": [{"holder": "h-0101", "pass_type": "resident"}],
     "cards":   [{"uid": "000414CD7E", "holder": "h-0101"}]}
    """
    from gateway.clock import Clock
    from gateway.directory import Directory, read_directory_file

    config = load_or_exit(path)
    try:
        content = read_directory_file(file, config.trust.keys, unsigned=unsigned)
        config.gate.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        Directory(config.gate.data_dir / "directory.sqlite").replace(
            content, Clock().now().at_ms // 1000, only_forward=bool(config.trust.keys) and not unsigned
        )
    except (GatewayError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"version {content.version}: {len(content.holders)} holders, {len(content.cards)} cards, "
        f"{len(content.codes)} codes, {len(content.revoked)} revoked passes"
    )
